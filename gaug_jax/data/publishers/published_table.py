"""Published tables of labels: what a publisher's files are called and how their rows are read.

A publisher's tables become rows with the columns that `gaug_jax.data.sources.table` knows: `file`,
`label` or a column for each finding, `patient`, `part`, and the few that are kept as metadata.
Whatever names a person or gives a date (dates of birth and of studies, reports) stays behind.
"""

import collections
import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from gaug_jax.data.paths import listed
from gaug_jax.data.tables import Row, read_table
from gaug_jax.errors import UserError

# How deep below `data.path` tables are looked for; pictures may lie deeper.
_DEEPEST = 3
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


class Rows(NamedTuple):
    """A publisher's tables as rows.

    Attributes:
      rows: with `file` and, where the publisher says them, `label`, `patient`, `part`, columns of
        1, 0, -1 and nothing for each of `findings`, and metadata.
      notes: lines on what is left out or put together.
      findings: names of the columns of findings; none where `label` names them.
    """

    rows: list[Row]
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class PublishedTable:
    """Facts of a published data set whose labels stand in tables.

    Attributes:
      name: for `config.data.source`.
      title: in full.
      homepage: where its publisher has it.
      licence: its terms, in a few words.
      citation: as a line.
      tables: patterns of the main table's file name, the better first.
      read: from the main table, the folder that holds all, and the finding of interest or None.
      kept: columns that become metadata.
      finding: of interest where the user names none.
      traps: lines for the user.
      any_suffix: whether films are found that were saved as another kind than the table says.
      least_parts: how much of the end of a path tells one film from another: 1 for its name.
      dicom_patients: whether `PatientID` of its DICOM files is a patient.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    tables: tuple[str, ...]
    read: Callable[[Path, Path, str | None], Rows]
    kept: tuple[str, ...]
    finding: str | None = None
    traps: tuple[str, ...] = ()
    any_suffix: bool = True
    least_parts: int = 1
    dicom_patients: bool = True


def find_table(facts: PublishedTable, root: Path) -> Path:
    """Returns the main table below a folder.

    Raises:
      UserError: there is none, or there are several of one name.
    """
    for pattern in facts.tables:
        found = find_files(root, pattern)
        if len(found) > 1:
            raise UserError(
                f"{root} holds {found[0].relative_to(root)} and {found[1].relative_to(root)}: "
                f"choose the table of {facts.title} by config.data.table, and its own folder by "
                "config.data.path where each has films"
            )
        if found:
            return found[0]
    raise UserError(
        f"{root} holds no {' or '.join(facts.tables)}, up to {_DEEPEST} folders deep: set "
        f"config.data.path to the folder of {facts.title} ({facts.homepage}), or config.data.table "
        "to its table"
    )


def find_files(root: Path, pattern: str) -> list[Path]:
    """Returns the files of a pattern that lie least deep below a folder, sorted."""
    for depth in range(_DEEPEST + 1):
        found = sorted(each for each in root.glob("*/" * depth + pattern) if each.is_file())
        if found:
            return found
    return []


def find_file(root: Path, pattern: str) -> Path | None:
    """Returns the first of the files of a pattern that lie least deep; None where there is none."""
    return next(iter(find_files(root, pattern)), None)


def needed_file(root: Path, pattern: str, why: str) -> Path:
    """Returns a file of a pattern below a folder.

    Raises:
      UserError: there is none.
    """
    path = find_file(root, pattern)
    if path is None:
        raise UserError(
            f"{root} holds no {pattern}, which says {why}: put it beside the other tables"
        )
    return path


def rows_with(path: Path, columns: Sequence[str]) -> list[Row]:
    """Returns the rows of a table that has all of some columns; of its columns these alone.

    Raises:
      UserError: it is not there or cannot be read, or a column is absent.
    """
    rows = read_table(path)
    check_columns(path, rows, columns)
    return [{name: row.get(name, "") for name in columns} for row in rows]


def check_columns(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Raises `UserError` where the rows of a table have not all of some columns."""
    absent = [name for name in columns if name not in rows[0]]
    if absent:
        raise UserError(
            f"{path} has no column {absent[0]!r}, only {listed(list(rows[0]), 12)}: it is another "
            "table or of another version; name the publisher's by config.data.table, or read "
            "yours by config.data.source=table"
        )


def listed_names(text: str) -> list[str]:
    """Returns the names of a list that is written as Python writes one, such as `['a', ' b']`."""
    names = ("".join(pair).strip() for pair in _QUOTED.findall(text))
    return list(dict.fromkeys(name for name in names if name))


def kept_rows(
    rows: Iterable[Row], column: str, values: Iterable[str], what: str
) -> tuple[list[Row], tuple[str, ...]]:
    """Returns the rows with one of some values, and a line on the others by their values.

    Args:
      rows: with the column.
      column: of the value that decides.
      values: that are kept.
      what: why others are left out.
    """
    rows, values = list(rows), set(values)
    kept = [row for row in rows if row[column] in values]
    if len(kept) == len(rows):
        return kept, ()
    counts = collections.Counter(row[column] or "none" for row in rows if row[column] not in values)
    said = listed([f"{value} {count}" for value, count in counts.most_common()], 12)
    return kept, (f"{len(rows) - len(kept)} films left out, {what}: {said}",)


def frontal_rows(rows: Iterable[Row], views: Iterable[str]) -> tuple[list[Row], tuple[str, ...]]:
    """Returns the rows whose `view` is one of the frontal ones, and a line on the others."""
    return kept_rows(rows, "view", views, "whose view is not frontal")
