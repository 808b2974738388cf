"""How a tree of pictures is read: which level of folders is the class, the group or the part.

A layout is a template of the folders above a picture, `class/group` or `part/class`, from the top:

- `class`: the folder's name is the picture's class.
- `group`: it is the patient or writer, whose pictures stay together.
- `part`: it is the publisher's part (train, val, test and their longer names).
- `*`: it says nothing, as the one folder in which an archive keeps all others.
- anything else: the folder must have that name (`class/images` leaves `class/masks` out).

Pictures that this project has drawn have their classes by name in a `manifest.csv` beside them.

Training and measuring read folders by this code alone, so that they count the same pictures.
"""

import collections
import csv
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from gaug_jax.data.paths import is_picture, listed
from gaug_jax.data.record import Record
from gaug_jax.errors import UserError

CLASS, GROUP, PART, ANY = "class", "group", "part", "*"
AUTO = "auto"
PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
# Where one of two names is shared by so many times as many folders, it is the class.
_CLEARLY_FEWER = 3

Folders = tuple[str, ...]
Levels = tuple[str, ...]
Walked = tuple[list[Folders], list[Folders], list[Folders]]


class Placed(NamedTuple):
    """A picture and what its folders say.

    Attributes:
      path: of the file.
      name: its path below the folder that all share, with `/`.
      label: its class, or None.
      group: whose it is, or None.
      part: `train`, `validation` or `test`, or None.
    """

    path: Path
    name: str
    label: str | None
    group: str | None
    part: str | None


class Tree(NamedTuple):
    """A folder as it is read.

    Attributes:
      levels: the layout.
      pictures: in the order of their paths.
      notes: lines on what is left out.
    """

    levels: Levels
    pictures: tuple[Placed, ...]
    notes: tuple[str, ...]

    def words(self) -> str:
        """Returns what was found as one line, without its numbers of images."""
        found = found_words(self.pictures, "groups by folder")
        return f"read as {'/'.join(self.levels)}/<picture>: {found}"


class AmbiguousLayoutError(UserError):
    """A tree can be read in two ways."""


def found_words(pictures: Iterable[Placed | Record], groups: str) -> str:
    """Returns the classes, the number of groups and the published parts of pictures, in words.

    Args:
      pictures: that say their label, group and part.
      groups: what groups are called.
    """
    pictures = list(pictures)
    classes = sorted({each.label for each in pictures if each.label is not None})
    named = {each.group for each in pictures if each.group is not None}
    parts = {each.part: None for each in pictures if each.part is not None}
    said = [f"{len(classes)} class{'es' if len(classes) != 1 else ''}: {listed(classes)}"]
    said += [f"{len(named)} {groups}"] if named else []
    said += [f"parts as published: {', '.join(parts)}"] if parts else []
    return "; ".join(said)


def read_tree(root: Path, layout: str = AUTO, *, known: Collection[Path] = ()) -> Tree:
    """Returns the pictures of a folder and what their folders say.

    Hidden files and folders, and those of Apple's archives, are not looked at. What is left out is
    named in the notes: files of other kinds, pictures at other depths, and folders of the classes'
    level that have no picture.

    Args:
      root: an existing folder.
      layout: a template, or `auto` to have it found.
      known: files of other kinds that are read elsewhere, and not named as left out.

    Raises:
      UserError: the layout is not one, or fits no picture.
      AmbiguousLayoutError: with `auto`, two layouts fit.
    """
    pictures, others, empty = _walk(root)
    others = [each for each in others if root.joinpath(*each) not in known]
    walked = pictures, others, empty
    folders = {each[:-1] for each in walked[0]}
    levels = _checked(layout) if layout != AUTO else _found(folders)
    return _read(root, walked, levels)


def _read(root: Path, walked: Walked, levels: Levels) -> Tree:
    """Returns a folder as it is read by a layout, of what lies in it.

    Raises:
      UserError: the layout fits no picture.
    """
    pictures, others, empty = walked
    placed, left = [], []
    for parts in pictures:
        (placed if _fits(parts[:-1], levels) else left).append(parts)
    if pictures and not placed:
        raise UserError(
            f"{root}: the layout {'/'.join(levels)} fits none of {len(pictures)} pictures, such as "
            f"{'/'.join(pictures[0])}: write a word for each folder above them"
        )
    named = _named_classes(root) if levels == (CLASS,) else {}
    lost = _lost_classes([each[:-1] for each in placed], left, others, empty, levels)
    notes = _notes(left, others, lost)
    found = (_placed(root, each, levels) for each in placed)
    labelled = (each._replace(label=named.get(each.name, each.label)) for each in found)
    return Tree(levels, tuple(labelled), notes)


def read_without_classes(root: Path) -> Tree:
    """Returns the pictures of a folder's least depth, whatever their folders are.

    Args:
      root: an existing folder that has pictures in folders.
    """
    walked = _walk(root)
    depths = {len(each) - 1 for each in walked[0]} - {0}
    return _read(root, walked, (ANY,) * min(depths))


def _walk(root: Path) -> Walked:
    """Returns the pictures, the other files and the folders without a file, below a folder."""
    pictures, others, empty = [], [], []
    for here, below, files in os.walk(root, followlinks=True):
        below[:] = sorted(each for each in below if each[0] != "." and each != "__MACOSX")
        above = Path(here).relative_to(root).parts
        shown = sorted(each for each in files if each[0] != ".")
        for name in shown:
            (pictures if is_picture(Path(here, name)) else others).append((*above, name))
        if not shown and not below and above:
            empty.append(above)
    return sorted(pictures), sorted(others), sorted(empty)


def _named_classes(root: Path) -> dict[str, str]:
    """Returns the class of each picture by name, where this project has written the folder.

    Names of classes may hold what names of folders cannot; `manifest.csv` has them as they are.
    """
    path = root / "manifest.csv"
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file)
        if not {"file", "class"} <= set(reader.fieldnames or ()):
            return {}
        return {row["file"]: row["class"] for row in reader if row["file"] and row["class"]}


def _checked(layout: str) -> Levels:
    """Returns the levels of a template.

    Raises:
      UserError: a word stands twice, or a level has none.
    """
    levels = tuple(layout.strip("/").split("/"))
    if not all(levels) or any(levels.count(word) > 1 for word in (CLASS, GROUP, PART)):
        raise UserError(
            f"config.data.layout={layout!r} is no layout: write {CLASS}, {GROUP}, {PART}, {ANY} or "
            f"a folder's name for each folder above the pictures, such as {CLASS}/{GROUP}"
        )
    return levels


def _fits(folders: Folders, levels: Levels) -> bool:
    """Says whether a picture's folders are those of a layout."""
    words = {CLASS, GROUP, ANY}
    return len(folders) == len(levels) and all(
        level in words or (level == PART and name.lower() in PARTS) or level == name
        for name, level in zip(folders, levels, strict=True)
    )


def _placed(root: Path, parts: Folders, levels: Levels) -> Placed:
    """Returns a picture with what its folders say."""
    said = dict(zip(levels, map(_text, parts[:-1]), strict=True)) if levels else {}
    shared = next((place for place, level in enumerate(levels) if level != ANY), 0)
    part = PARTS[said[PART].lower()] if PART in said else None
    return Placed(
        root.joinpath(*parts), "/".join(parts[shared:]), said.get(CLASS), said.get(GROUP), part
    )


def _text(name: str) -> str:
    """Returns a folder's name as text: of bytes that are no UTF-8, as of old archives, Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def _found(folders: set[Folders]) -> Levels:
    """Returns the layout of folders with pictures: that of the least depth that has classes.

    Raises:
      AmbiguousLayoutError: two layouts fit.
    """
    depths = sorted({len(each) for each in folders} - {0})
    if not depths:
        return ()
    chosen = [each for each in folders if len(each) == depths[0]]
    names = [{each[level] for each in chosen} for level in range(depths[0])]
    levels = [
        PART if len(each) > 1 and {name.lower() for name in each} <= PARTS.keys() else None
        for each in names
    ]
    several = [place for place, level in enumerate(levels)
               if level is None and len(names[place]) > 1]  # fmt: skip
    if not several:
        several = [place for place, level in enumerate(levels) if level is None][-1:]
    if not several:
        raise AmbiguousLayoutError(
            f"{listed(sorted(names[0]))} are folders of parts without folders of classes: write "
            f"--config.data.layout={CLASS} if they are classes"
        )
    if len(several) > 2:
        raise AmbiguousLayoutError(
            f"pictures lie {depths[0]} folders deep: write --config.data.layout, a word for each "
            f"folder, such as {CLASS}/{GROUP}/{ANY}"
        )
    words = (CLASS,) if len(several) == 1 else _two_levels(chosen, several, levels)
    for place, word in zip(several, words, strict=True):
        levels[place] = word
    found = tuple(level or ANY for level in levels)
    _check_wrapper(found, names)
    return found


def _check_wrapper(levels: Levels, names: list[set[str]]) -> None:
    """Raises `AmbiguousLayoutError` where a single folder may be a class and not a wrapper.

    An archive's only folder is one; that of a set with one class, which holds a folder for each
    patient, looks the same. Patients are numbered, classes rarely are.
    """
    place = levels.index(CLASS)
    numbered = all(re.search(r"\d", name) for name in names[place])
    if not place or levels[place - 1] != ANY or not numbered or len(names[place]) < 2:
        return
    as_group = "/".join([*levels[: place - 1], CLASS, GROUP, *levels[place + 1 :]])
    raise AmbiguousLayoutError(
        f"{next(iter(names[place - 1]))}/ is one class with {len(names[place])} groups "
        f"({listed(sorted(names[place]), 3)}), or a folder around {len(names[place])} classes: "
        f"write --config.data.layout={as_group} or --config.data.layout={'/'.join(levels)}"
    )


def _two_levels(
    folders: list[Folders], places: list[int], levels: list[str | None]
) -> tuple[str, str]:
    """Returns what two levels with several names are.

    Raises:
      AmbiguousLayoutError: either can be the class.
    """
    pairs = {tuple(each[place] for place in places) for each in folders}
    upper, lower = ({pair[side] for pair in pairs} for side in (0, 1))
    shared = len(pairs) > len(lower)
    full = len(pairs) == len(upper) * len(lower)
    if not shared and len(lower) > len(upper):
        return CLASS, GROUP
    if shared and not full and len(upper) >= _CLEARLY_FEWER * len(lower):
        return GROUP, CLASS
    if shared and not full and len(lower) >= _CLEARLY_FEWER * len(upper):
        return CLASS, GROUP

    def written(words: tuple[str, str]) -> str:
        named = dict(zip(places, words, strict=True))
        return "/".join(named.get(place, level or ANY) for place, level in enumerate(levels))

    raise AmbiguousLayoutError(
        f"the classes are {listed(sorted(upper), 3)} or {listed(sorted(lower), 3)}: write "
        f"--config.data.layout={written((CLASS, GROUP))} or "
        f"--config.data.layout={written((GROUP, CLASS))} (or a folder's name for a level of which "
        "one folder is read)"
    )


def _lost_classes(
    read: list[Folders],
    left: list[Folders],
    others: list[Folders],
    empty: list[Folders],
    levels: Levels,
) -> list[str]:
    """Returns the folders at the classes' level from which no picture is read."""
    if CLASS not in levels:
        return []
    place = levels.index(CLASS)

    def classes(paths: list[Folders]) -> set[Folders]:
        return {path[: place + 1] for path in paths if len(path) > place}

    found = classes([each[:-1] for each in (*left, *others)] + empty) - classes(read)
    named = {each[place] for each in read}
    return sorted({each[place] for each in found if _fits(each, levels[: place + 1])} - named)


def _notes(left: list[Folders], others: list[Folders], lost: list[str]) -> tuple[str, ...]:
    """Returns lines on what is left out."""
    notes = []
    if lost:
        notes.append(f"no class, as no picture of it is read: {listed(lost)}")
    if left:
        folders = ("/".join(each[:-1]) + "/" if each[1:] else "beside the folders" for each in left)
        named = listed(_counted(collections.Counter(folders)))
        notes.append(f"pictures not read, which lie elsewhere: {named}")
    if others:
        kinds = collections.Counter(Path(each[-1]).suffix.lower() or "no suffix" for each in others)
        files = listed(["/".join(each) for each in others], 5)
        notes.append(f"not read, of other kinds ({listed(_counted(kinds))}): {files}")
    return tuple(notes)


def _counted(counts: collections.Counter[str]) -> list[str]:
    """Returns names with their numbers, the commonest first."""
    return [f"{name} {count}" for name, count in counts.most_common()]
