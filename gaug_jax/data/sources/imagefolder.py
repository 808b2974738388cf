"""A folder with `metadata.csv`, as Hugging Face's `imagefolder` has it.

Its tables lie in the folder or in those of its parts, are called metadata.csv, .jsonl or .parquet,
and name pictures by `file_name`, from where the table lies. `datasets` drops the labels of folders
where such a table is there; here they stay where the table has none of its own.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gaug_jax.data.layout import AUTO, CLASS, PARTS, AmbiguousLayoutError, read_tree
from gaug_jax.data.paths import is_picture, listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.sources.table import Labelled, columns_of, read_labelled
from gaug_jax.data.tables import Row, read_table
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_FILE = "file_name"
_PART = "part"


class Metadata(NamedTuple):
    """The tables of a folder.

    Attributes:
      tables: their paths.
      rows: of all, with `file_name` from the folder on and, of tables in parts, `part`.
    """

    tables: tuple[Path, ...]
    rows: list[Row]


def find_metadata(root: Path) -> Metadata | None:
    """Returns the tables of a folder and of the folders in it; None where there is none.

    A table that has no `file_name` is another one: it is left alone.

    Raises:
      UserError: one of them is broken.
    """
    tables, rows = [], []
    folders = [root, *sorted(each for each in root.iterdir() if each.is_dir())]
    for folder in folders:
        for path in (folder / name for name in _NAMES if (folder / name).is_file()):
            found = read_table(path)
            if _FILE in found[0]:
                tables.append(path)
                rows += [_placed(row, root, folder) for row in found]
    return Metadata(tuple(tables), rows) if tables else None


def _placed(row: Row, root: Path, folder: Path) -> Row:
    """Returns a row whose file is named from the root on, with the part that its folder says."""
    file = folder.relative_to(root) / row[_FILE]
    part = next((PARTS[each.lower()] for each in file.parts[:-1] if each.lower() in PARTS), None)
    return {**row, _FILE: file.as_posix(), **({_PART: part} if part and _PART not in row else {})}


def has_labels(metadata: Metadata, settings: DataSettings) -> bool:
    """Says whether the tables have a column of labels, or that of the finding of interest."""
    if settings.label is not None and settings.label in metadata.rows[0]:
        return True
    return "label" in columns_of(metadata.rows, settings, metadata.tables[0], needed=())


def read(root: Path, metadata: Metadata, settings: DataSettings) -> SourceData:
    """Returns the pictures that the tables name, with the labels that they have.

    Raises:
      UserError: folders say other classes than the table, `data.group` is set, which is for the
        names of files, or as of source `table`.
    """
    table = metadata.tables[0]
    if settings.group is not None:
        raise UserError(
            f"config.data.group is for names of files, and {table} says labels: name its column "
            "of patients by config.data.group_column"
        )
    found = read_labelled(Labelled(metadata.rows, table, root), settings)
    if settings.label_column is None and settings.label is None:
        _check_folders(root, table, found.records)
    named = {row[_FILE] for row in metadata.rows}
    beside = [path for path in _pictures(root) if path not in named]
    notes = found.notes
    if beside:
        notes = (*notes, f"{len(beside)} pictures not read, which no row names: {listed(beside)}")
    tables = listed([path.relative_to(root).as_posix() for path in metadata.tables])
    reading = f"labels by {tables}: {found.reading}"
    return dataclasses.replace(found, source="folder", notes=notes, reading=reading)


def _check_folders(root: Path, table: Path, records: Sequence[Record]) -> None:
    """Raises `UserError` where folders of classes say other classes than the table."""
    try:
        tree = read_tree(root, AUTO)
    except AmbiguousLayoutError:
        return
    if CLASS not in tree.levels:
        return
    folders = {each.path: each.label for each in tree.pictures}
    if len(set(folders.values())) < 2:
        return  # One folder around all pictures is no class.
    other = [each for each in records if folders.get(each.picture, each.label) != each.label]
    if other:
        first = other[0]
        raise UserError(
            f"{first.name} is {folders[first.picture]} by its folder and {first.label} by {table}: "
            "name the column that is right by config.data.label_column, or rename the table where "
            "the folders are"
        )


def _pictures(root: Path) -> list[str]:
    """Returns the pictures below a folder, from there on; hidden ones are left alone."""
    found = (path.relative_to(root) for path in sorted(root.rglob("*")) if is_picture(path))
    return [each.as_posix() for each in found if not any(name[0] == "." for name in each.parts)]


def with_metadata(
    records: Sequence[Record], root: Path, metadata: Metadata | None, settings: DataSettings
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Returns records with what tables without labels say of them, and a line on it.

    Args:
      records: by the folders.
      root: of the tables' files.
      metadata: the tables, or None.
      settings: which may name the column of groups.
    """
    if metadata is None:
        return tuple(records), ()
    columns = columns_of(metadata.rows, settings, metadata.tables[0], needed=())
    rows = {root / row[_FILE]: row for row in metadata.rows}
    made = tuple(_with_row(each, rows.get(each.picture), columns) for each in records)
    without = sum(each.picture not in rows for each in records)
    tables = listed([path.relative_to(root).as_posix() for path in metadata.tables])
    line = f"{tables} has no column of labels: classes are those of the folders"
    return made, (line + (f"; {without} pictures have no row" if without else ""),)


def _with_row(record: Record, row: Row | None, columns: dict[str, str]) -> Record:
    """Returns a record with its row's group and metadata."""
    if row is None:
        return record
    group = row[columns["group"]] or None if "group" in columns else None
    others = {key: value for key, value in row.items() if key not in columns.values()}
    return dataclasses.replace(
        record, group=record.group or group, metadata={**record.metadata, **others}
    )
