"""A folder of pictures for each class: `<class>/*.png`."""

import re
from pathlib import Path

from gaug_jax.data.paths import compiled, existing_folder, is_picture, listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_VERSION = "1"


def read(settings: DataSettings) -> SourceData:
    """Returns the pictures directly under each class's folder, sorted by name.

    The class folders may lie in a single folder, as in most archives. `data.group` is a pattern
    searched in `<class>/<file>`.
    Files beside the class folders, of other kinds or in deeper folders are named in the
    notes and left out.

    Raises:
      UserError: there is no path, no class folder or no picture, or `data.group` matches no name.
    """
    if settings.path is None:
        raise UserError("config.data.path is not set: source folder needs <path>/<class>/*.png")
    root = existing_folder(settings.path)
    pattern = compiled("data.group", settings.group, "group") if settings.group else None
    pictures, stray = _walk(_class_root(root))
    if not pictures:
        found = f" (found {listed(stray, 5)})" if stray else ""
        raise UserError(
            f"config.data.path={settings.path!r} holds no pictures: put them into a folder for "
            f"each class, <path>/<class>/*.png{found}"
        )
    records = tuple(_record(path, pattern) for path in pictures)
    unmatched = [record.name for record in records if pattern and record.group is None]
    if len(unmatched) == len(records):
        raise UserError(
            f"config.data.group={settings.group!r} matches none of {len(records)} names "
            f"({listed(unmatched, 3)}): mend it, or leave it out where groups are not known"
        )
    return SourceData("folder", _VERSION, records, notes=_notes(stray, unmatched))


def _entries(folder: Path) -> list[Path]:
    """Returns what lies in a folder, by name, without what systems and archives hide there."""
    return sorted(e for e in folder.iterdir() if e.name[0] != "." and e.name != "__MACOSX")


def _class_root(folder: Path) -> Path:
    """Returns the folder of the class folders: this one, or the only one in it that has some."""
    entries = _entries(folder)
    if len(entries) == 1 and entries[0].is_dir():
        inner = _entries(entries[0])
        if any(entry.is_dir() for entry in inner) and not any(map(is_picture, inner)):
            return _class_root(entries[0])
    return folder


def _walk(root: Path) -> tuple[list[Path], list[str]]:
    """Returns the pictures of the class folders, and the names of what is left out."""
    pictures, stray = [], []
    for entry in _entries(root):
        if not entry.is_dir():
            stray.append(entry.name)
            continue
        for path in _entries(entry):
            if path.is_file() and is_picture(path):
                pictures.append(path)
            else:
                stray.append(_name(path) + ("/" if path.is_dir() else ""))
    return pictures, stray


def _name(path: Path) -> str:
    """Returns `<class>/<file>`, whatever the system's separator."""
    return f"{path.parent.name}/{path.name}"


def _record(path: Path, pattern: re.Pattern[str] | None) -> Record:
    match = pattern.search(_name(path)) if pattern else None
    group = match["group"] if match else None
    return Record(_name(path), path, label=path.parent.name, group=group)


def _notes(stray: list[str], unmatched: list[str]) -> tuple[str, ...]:
    """Returns lines on files left out and names that did not match."""
    notes = []
    if stray:
        notes.append(f"{len(stray)} not read, no picture of <class>/: {listed(stray)}")
    if unmatched:
        notes.append(
            f"config.data.group matches nothing in {len(unmatched)} names, their groups are "
            f"not known: {listed(unmatched)}"
        )
    return tuple(notes)
