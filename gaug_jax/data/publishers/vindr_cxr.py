"""VinDr-CXR: 18,000 frontal films of two hospitals in Hanoi, read by radiologists.

Nguyen et al., "VinDr-CXR: An open dataset of chest X-rays with radiologist's annotations",
Scientific Data 9:429, 2022. Three radiologists read each film of the training part and agree or
not; five agreed on each of the test part (the paper). The names of PhysioNet's tables and their
columns, which differ between the parts in `Other disease(s)`, are as users' public code reads
them; those of the Kaggle challenge's `train.csv` are in TorchXRayVision's copy. What `PatientID` of
the DICOM files is could not be looked up: it is not taken for a patient.
"""

import collections
from collections.abc import Mapping
from pathlib import Path

from gaug_jax.data.publishers.published_table import PublishedTable, Rows, check_columns
from gaug_jax.data.tables import Row, read_table

_OTHER = {"Other disease": "Other diseases"}
Votes = Mapping[str, Mapping[str, set[str]]]


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each film, with 1 for each finding of most of its readers."""
    test = table.with_name("image_labels_test.csv")
    films, findings = _votes(table)
    agreed, of_test = _votes(test) if test != table and test.is_file() else ({}, ())
    findings = tuple(dict.fromkeys((*findings, *of_test)))
    part = "test" if test == table else "train"
    rows = [_row(film, votes, part, findings) for film, votes in films.items()]
    rows += [_row(film, votes, "test", findings) for film, votes in agreed.items()]
    return Rows(rows, _notes(films, finding), findings)


def _votes(table: Path) -> tuple[Votes, tuple[str, ...]]:
    """Returns the findings of each reader of each film, and the names of all."""
    rows = read_table(table)
    if "class_name" in rows[0]:
        check_columns(table, rows, ("image_id", "class_name", "rad_id"))
        return _boxes(rows)
    check_columns(table, rows, ("image_id", "No finding"))
    if len({row["image_id"] for row in rows}) < len(rows):
        check_columns(table, rows, ("rad_id",))  # Or one reader would overwrite another.
    return _flags(rows)


def _flags(rows: list[Row]) -> tuple[Votes, tuple[str, ...]]:
    """Returns the findings of each reader of each film, of rows with a column a finding."""
    findings = tuple(name for name in rows[0] if name not in ("image_id", "rad_id"))
    films: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        said = {_OTHER.get(name, name) for name in findings if row[name] in ("1", "1.0")}
        films.setdefault(row["image_id"], {})[row.get("rad_id", "all")] = said
    return films, tuple(_OTHER.get(name, name) for name in findings)


def _boxes(rows: list[Row]) -> tuple[Votes, tuple[str, ...]]:
    """Returns the findings of each reader of each film, of rows with a box each."""
    films: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        readers = films.setdefault(row["image_id"], {})
        readers.setdefault(row["rad_id"], set()).add(row["class_name"])
    named = {name for readers in films.values() for said in readers.values() for name in said}
    return films, tuple(sorted(named))


def _row(film: str, readers: Mapping[str, set[str]], part: str, findings: tuple[str, ...]) -> Row:
    """Returns a film's row with the usual columns."""
    votes = collections.Counter(name for said in readers.values() for name in said)
    flags = {name: str(int(2 * votes[name] > len(readers))) for name in findings}
    return {"file": f"{part}/{film}.dicom", "part": part, **flags}


def _notes(films: Votes, finding: str | None) -> tuple[str, ...]:
    """Returns a line on films whose readers contradict one another."""
    if finding is None:
        return ()
    counts = [sum(finding in said for said in readers.values()) for readers in films.values()]
    apart = sum(0 < count < len(readers)
                for count, readers in zip(counts, films.values(), strict=True))  # fmt: skip
    if not apart:
        return ()
    return (
        f"readers contradict one another on {finding} in {apart} of {len(films)} films of the "
        f"part train ({sum(map(bool, counts))} with a voice for it): most voices decide",
    )


VINDR_CXR = PublishedTable(
    name="vindr_cxr",
    title="VinDr-CXR",
    homepage="https://physionet.org/content/vindr-cxr/",
    licence="VinDr-CXR data use agreement (research and education only)",
    citation="Nguyen et al., Scientific Data 9:429, 2022, and doi:10.13026/3akn-b287",
    tables=("image_labels_train.csv", "train.csv"),
    read=_read,
    kept=(),
    traps=("patients are not published; three radiologists read each film of the part train, five "
           "agreed on each of the part test, so that the parts' labels differ in kind",),
    dicom_patients=False,
)  # fmt: skip
