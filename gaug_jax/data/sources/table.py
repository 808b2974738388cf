"""Pictures whose labels, patients and parts stand in a table."""

import collections
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from gaug_jax.data.dicom.records import with_dicom_facts
from gaug_jax.data.findings import Classes, classes_of_flags, classes_of_names
from gaug_jax.data.layout import PARTS, found_words
from gaug_jax.data.pages import with_pages
from gaug_jax.data.paths import is_picture, listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.tables import Row, read_table
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_VERSION = "1"
# How columns are usually called, where no field says it; without regard to case, `_` and spaces.
_USUAL = {
    "file": ("file", "filename", "path", "image", "imageindex", "imagepath", "imagename"),
    "label": ("label", "labels", "class", "finding", "findings", "findinglabels", "diagnosis"),
    "group": ("group", "patient", "patientid", "subject", "subjectid", "writer"),
    "part": ("part", "split", "subset"),
}


class Labelled(NamedTuple):
    """A table that was read, and how its pictures are found.

    Attributes:
      rows: with their columns by name.
      table: where they come from, for messages.
      root: the folder that holds the pictures.
      kept: columns that become metadata; None: all that are not read.
      any_suffix: whether pictures may have been saved as another kind than the table says.
      least_parts: how much of the end of a path tells one picture from another: 1 for its name.
      dicom_groups: whether the patients of DICOM files are patients.
    """

    rows: list[Row]
    table: Path
    root: Path
    kept: tuple[str, ...] | None = None
    any_suffix: bool = False
    least_parts: int = 1
    dicom_groups: bool = True


def read(settings: DataSettings) -> SourceData:
    """Returns the pictures that `data.table` names, in the order of their names.

    Files are below `data.path`, or beside the table where that is not set: at the path that the
    table has, or anywhere below with that name where there is one such file. Columns that are not
    read become metadata.

    Raises:
      UserError: the table or a column is absent, a file is named twice, a patient is in two
        published parts, or no row has a class.
    """
    if settings.table is None:
        raise UserError("config.data.table is not set: source table needs a file of labels")
    table = Path(settings.table).expanduser()
    root = Path(settings.path).expanduser() if settings.path else table.parent
    return read_labelled(Labelled(read_table(table), table, root), settings)


def read_labelled(found: Labelled, settings: DataSettings) -> SourceData:
    """Returns the pictures of a table's rows, in the order of their names.

    Raises:
      UserError: as of `read`.
    """
    rows, table = found.rows, found.table
    columns = columns_of(rows, settings, table)
    _check_once(rows, columns, table)
    classes = _classes(rows, columns, settings)
    parts = [_part(row[columns["part"]], table) if "part" in columns else None for row in rows]
    files = _Files(found.root, found.any_suffix, found.least_parts)
    records, missing = [], []
    names: dict[str, str] = {}
    for row, label, part in zip(rows, classes.labels, parts, strict=True):
        name = row[columns["file"]]
        path = files.find(name)
        if path is None:
            missing.append(name)
            continue
        other = names.setdefault(os.path.abspath(path), name)
        if other != name:
            raise UserError(f"{table} names {path} twice, as {other} and as {name}: leave one row")
        if label is not None:
            group = row[columns["group"]] or None if "group" in columns else None
            others = _others(row, {*columns.values(), settings.label}, found)
            records.append(Record(name, path, label, group, part, others))
    if not records:
        raise UserError(
            f"{files.root} holds none of the {len(rows)} files that {table} names, such as "
            f"{rows[0][columns['file']]}: set config.data.path to their folder"
        )
    _check_parts(records, settings)
    records, of_dicom = _with_dicom(sorted(records, key=lambda record: record.name), found)
    records = with_pages(records, settings.pages)
    return SourceData(
        "table", _VERSION, records, tuple(sorted(missing)), (*classes.notes, *of_dicom),
        reading=_words(columns, records),
    )  # fmt: skip


def _others(row: Row, read: set[str | None], found: Labelled) -> dict[str, str]:
    """Returns the metadata of a row: what is not read otherwise."""
    return {key: value for key, value in row.items()
            if key not in read and (found.kept is None or key in found.kept)}  # fmt: skip


def _with_dicom(
    records: list[Record], found: Labelled
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Returns records with what their DICOM files say, and lines on them."""
    made, notes = with_dicom_facts(records)
    if not found.dicom_groups:
        pairs = zip(made, records, strict=True)
        made = tuple(dataclasses.replace(new, group=old.group) for new, old in pairs)
    return made, notes


def columns_of(
    rows: list[Row], settings: DataSettings, table: Path, *, needed: Sequence[str] | None = None
) -> dict[str, str]:
    """Returns the name of the column of each kind: `file`, `label`, `group` and `part`.

    Rows that lack a column get an empty value.

    Args:
      rows: of the table.
      settings: which may name columns.
      table: for messages.
      needed: kinds that have to be there; None: the file, and the label where no column is that of
        the finding of interest.

    Raises:
      UserError: a column that is named or needed is not there.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    for row in rows:
        for name in names:
            row.setdefault(name, "")
    plain = {"".join(name.lower().replace("_", " ").split()): name for name in reversed(names)}
    said = {
        "file": settings.file_column, "label": settings.label_column,
        "group": settings.group_column, "part": settings.part_column,
    }  # fmt: skip
    found = {}
    for kind, usual in _USUAL.items():
        given = said[kind]
        if given is not None and given not in names:
            raise UserError(
                f"config.data.{kind}_column={given!r} is no column of {table}: it has "
                f"{listed(names, 12)}"
            )
        column = given or next((plain[each] for each in usual if each in plain), None)
        if column is not None:
            found[kind] = column
    if needed is None:
        needed = ["file"] + (["label"] if settings.label not in names else [])
    for kind in needed:
        if kind not in found:
            raise UserError(
                f"{table} has no column that is called like a {kind}, only {listed(names, 12)}: "
                f"name it by config.data.{kind}_column"
            )
    return found


def _check_once(rows: list[Row], columns: dict[str, str], table: Path) -> None:
    """Raises `UserError` where a file has two rows."""
    file, label = columns["file"], columns.get("label")
    counts = collections.Counter(row[file] for row in rows)
    twice = [name for name, count in counts.items() if count > 1]
    if not twice:
        return
    said = {row[label] for row in rows if row[file] == twice[0]} if label else set()
    against = f" with the labels {listed(sorted(said))}" if len(said) > 1 else ""
    first = twice[0] or "one without a name"
    raise UserError(
        f"{table} names {len(twice)} files more than once, such as {first}{against}: leave one row "
        "for each"
    )


def _classes(rows: list[Row], columns: dict[str, str], settings: DataSettings) -> Classes:
    """Returns the classes of the rows: of a finding's own column, or of a column of names."""
    finding = settings.label
    if finding is not None and finding in rows[0] and finding != columns.get("label"):
        said = [row[finding] for row in rows]
        return classes_of_flags(said, finding, settings.uncertain, settings.unmentioned)
    return classes_of_names([row[columns["label"]] for row in rows], finding)


def _part(text: str, table: Path) -> str:
    """Returns a published part by its usual names."""
    if text.lower() not in PARTS:
        raise UserError(
            f"{table} has the part {text!r}: {listed(sorted(PARTS))} are read; set "
            "config.data.part_column to another column, or rename it"
        )
    return PARTS[text.lower()]


class _Files:
    """The files below a folder, by their path or by as much of its end as only one has."""

    def __init__(self, root: Path, any_suffix: bool, least_parts: int) -> None:
        if not root.is_dir():
            raise UserError(f"config.data.path={str(root)!r} is no folder: give an existing one")
        self.root = root
        self._any_suffix = any_suffix
        self._least = least_parts
        self._pictures: list[tuple[str, ...]] | None = None
        # By the last one, two, ... parts of their paths.
        self._ends: dict[int, dict[tuple[str, ...], list[tuple[str, ...]]]] = {}

    def find(self, name: str) -> Path | None:
        """Returns the file of a name; None where there is none."""
        path = self.root / name
        if name and path.is_file():
            return path
        written = PureWindowsPath if "\\" in name else PurePosixPath
        parts = self._key(written(name).parts)
        for length in range(len(parts), min(self._least, len(parts)) - 1, -1):
            found = self._by_end(length).get(parts[-length:], [])
            if len(found) == 1:
                return self.root.joinpath(*found[0])
            if found:
                first, second = (self.root.joinpath(*each) for each in found[:2])
                raise UserError(f"{name} is at {first} and at {second}: write its folder into the "
                                "table")  # fmt: skip
        return None

    def _by_end(self, length: int) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
        """Returns the pictures by the last parts of their paths."""
        if self._pictures is None:
            self._pictures = [each.relative_to(self.root).parts
                              for each in sorted(self.root.rglob("*"))
                              if each.is_file() and is_picture(each)]  # fmt: skip
        if length not in self._ends:
            ends = self._ends.setdefault(length, {})
            for parts in self._pictures:
                if len(parts) >= length:
                    ends.setdefault(self._key(parts[-length:]), []).append(parts)
        return self._ends[length]

    def _key(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Returns parts of a path as they are compared."""
        if not self._any_suffix or not parts:
            return parts
        return (*parts[:-1], PurePosixPath(parts[-1]).stem)


def _check_parts(records: list[Record], settings: DataSettings) -> None:
    """Raises `UserError` where a patient is in two published parts that are kept."""
    parts: dict[str, dict[str, None]] = {}
    for record in records:
        if record.group is not None and record.part is not None:
            parts.setdefault(record.group, {})[record.part] = None
    split = {group: list(each) for group, each in parts.items() if len(each) > 1}
    if not split or not settings.official_test:
        return
    first = next(iter(split))
    raise UserError(
        f"{len(split)} groups are in two published parts, such as {first} in "
        f"{' and '.join(split[first])}: mend the table, or split anew by "
        "--config.data.official_test=False, which keeps each group in one part"
    )


def _words(columns: dict[str, str], records: tuple[Record, ...]) -> str:
    """Returns what was found as one line."""
    named = ", ".join(f"{kind}={column}" for kind, column in columns.items())
    return f"columns {named}; {found_words(records, 'groups')}"
