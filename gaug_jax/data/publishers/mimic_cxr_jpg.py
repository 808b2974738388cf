"""MIMIC-CXR-JPG: 377,110 chest films of one hospital with 14 findings, mined from their reports.

Johnson et al., "MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs",
arXiv:1901.07042, 2019; PhysioNet, version 2.1.0. The names of the three tables (in version 2.1.0
still with 2.0.0 in them), their columns and the paths are as users' public code reads them, as
that of TorchXRayVision does; PhysioNet's list of files could not be seen. The tables have neither
sex nor age, which MIMIC-IV holds. The test set that radiologists labelled, new in version 2.1.0,
is not read.
"""

from pathlib import Path

from gaug_jax.data.publishers.chexpert import FINDINGS
from gaug_jax.data.publishers.published_table import (
    PublishedTable,
    Rows,
    frontal_rows,
    needed_file,
    rows_with,
)
from gaug_jax.data.tables import Row

_STUDY = ("subject_id", "study_id")
_PARTS = {"validate": "validation"}


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each film, with the findings of its study."""
    films = needed_file(root, "mimic-cxr-*-metadata.csv*", "which films a study has")
    split = needed_file(root, "mimic-cxr-*-split.csv*", "which part a film is in")
    studies = {tuple(row[name] for name in _STUDY): row
               for row in rows_with(table, (*_STUDY, *FINDINGS))}  # fmt: skip
    parts = {row["dicom_id"]: row["split"] for row in rows_with(split, ("dicom_id", "split"))}
    rows, without = [], 0
    for film in rows_with(films, ("dicom_id", *_STUDY, "ViewPosition")):
        study = studies.get((film["subject_id"], film["study_id"]))
        if study is None or film["dicom_id"] not in parts:
            without += 1
        else:
            rows.append(_row(film, study, parts[film["dicom_id"]]))
    rows, notes = frontal_rows(rows, ("AP", "PA"))
    if without:
        notes += (f"{without} films left out, whose study or part is in no table",)
    return Rows(rows, notes, FINDINGS)


def _row(film: Row, study: Row, part: str) -> Row:
    """Returns a film's row with the usual columns."""
    subject = film["subject_id"]
    return {
        "file": f"files/p{subject[:2]}/p{subject}/s{film['study_id']}/{film['dicom_id']}.jpg",
        "patient": subject,
        "part": _PARTS.get(part, part),
        "view": film["ViewPosition"],
        **{name: study[name] for name in FINDINGS},
    }


MIMIC_CXR_JPG = PublishedTable(
    name="mimic_cxr_jpg",
    title="MIMIC-CXR-JPG",
    homepage="https://physionet.org/content/mimic-cxr-jpg/",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    citation="Johnson et al., arXiv:1901.07042, and doi:10.13026/jsn5-t979",
    tables=("mimic-cxr-*-chexpert.csv*",),
    read=_read,
    kept=("view", "Support Devices"),
    traps=(
        "findings are mined from reports, and those of a study stand for each of its films; "
        "nothing in a column means that the report is silent, which is no 0",
    ),
)
