"""PadChest: 160,000 chest films of 67,000 patients of one Spanish hospital.

Bustos et al., "PadChest: A large chest x-ray image dataset with multi-label annotated reports",
Medical Image Analysis 66, 2020. The columns are those that the authors' own note on the data
lists; the file's name, the projections and the folders are as users' public code reads them, among
it that of TorchXRayVision; the PNG files have 16 bits by the note of Idiap's `mednet`, and some
are cut off by TorchXRayVision's list. The text of the agreement could not be seen.
"""

from pathlib import Path

from gaug_jax.data.publishers.published_table import (
    PublishedTable,
    Rows,
    frontal_rows,
    listed_names,
    rows_with,
)
from gaug_jax.data.tables import Row

_COLUMNS = (
    "ImageID", "ImageDir", "StudyDate_DICOM", "PatientID", "PatientBirth", "PatientSex_DICOM",
    "Projection", "Manufacturer_DICOM", "MethodLabel", "Labels",
)  # fmt: skip
# Of these a report says nothing that its film alone would show.
SILENT = frozenset({"exclude", "unchanged", "suboptimal study"})


def heard(rows: list[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Returns the rows whose `label` is of the film itself, and a line on the others."""
    kept = [row for row in rows if not SILENT & set(row["label"].split("|"))]
    left = len(rows) - len(kept)
    said = f"{left} films left out, whose report is called {', '.join(sorted(SILENT))}"
    return kept, (said,) if left else ()


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each frontal film with a label of its own."""
    rows, of_views = frontal_rows(
        map(_row, rows_with(table, _COLUMNS)), ("PA", "AP", "AP_horizontal")
    )
    rows, of_labels = heard(rows)
    return Rows(rows, (*of_views, *of_labels))


def _row(row: Row) -> Row:
    """Returns a row with the usual columns."""
    return {
        "file": "/".join(each for each in (row["ImageDir"], row["ImageID"]) if each),
        "label": "|".join(listed_names(row["Labels"])),
        "patient": row["PatientID"],
        "sex": row["PatientSex_DICOM"],
        "age": _age(row["StudyDate_DICOM"], row["PatientBirth"]),
        "view": row["Projection"],
        "machine": row["Manufacturer_DICOM"],
        "labelled_by": row["MethodLabel"],
    }


def _age(study: str, birth: str) -> str:
    """Returns the years between two dates, so that neither need be kept."""
    years = [text[:4] for text in (study, birth)]
    return str(int(years[0]) - int(years[1])) if all(map(str.isdecimal, years)) else ""


PADCHEST = PublishedTable(
    name="padchest",
    title="PadChest",
    homepage="https://bimcv.cipf.es/bimcv-projects/padchest/",
    licence="PadChest Dataset Research Use Agreement (research only)",
    citation="Bustos et al., Medical Image Analysis 66:101797, 2020",
    tables=("PADCHEST_chest_x_ray_images_labels_160K*.csv*",),
    read=_read,
    kept=("sex", "age", "view", "machine", "labelled_by"),
    traps=(
        "27% of the reports were labelled by physicians, the others by a network (metadata "
        "labelled_by); the PNG files have 16 bits (config.data.window says which of them are "
        "shown), and some are cut off (config.data.allow_missing)",
    ),
)
