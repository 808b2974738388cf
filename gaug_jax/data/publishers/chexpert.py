"""CheXpert: chest films of Stanford Hospital with 14 findings, mined from their reports.

Irvin et al., "CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert
Comparison", AAAI 2019. The columns, the paths and the values 1, 0, -1 and nothing are those of the
`train.csv` that TorchXRayVision carries; that `valid.csv` lies beside it is from TFDS's catalogue;
that the validation part was read by radiologists is from the paper. The columns of the test part
could not be looked up: it is not read.
"""

import re
from pathlib import Path

from gaug_jax.data.publishers.published_table import (
    PublishedTable,
    Rows,
    frontal_rows,
    rows_with,
)
from gaug_jax.data.tables import Row
from gaug_jax.errors import UserError

FINDINGS = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion",
    "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
_COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS)
_PATH = re.compile(r"(?:^|/)(?P<part>train|valid)/(?P<patient>patient\d+)/")


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns the rows of `train.csv`, and of a `valid.csv` beside it."""
    beside = table.with_name("valid.csv")
    tables = [table] if table == beside or not beside.is_file() else [table, beside]
    rows = [_row(row, path) for path in tables for row in rows_with(path, _COLUMNS)]
    rows, notes = frontal_rows(rows, ("AP", "PA", "LL", "RL", "frontal"))
    unknown = sum(row["sex"] == "" for row in rows)
    if unknown:
        notes += (f"{unknown} films, whose Sex is Unknown: their metadata has none",)
    return Rows(rows, notes, FINDINGS)


def _row(row: Row, table: Path) -> Row:
    """Returns a row with the usual columns."""
    match = _PATH.search(row["Path"])
    if match is None:
        raise UserError(
            f"{table} has the Path {row['Path']!r}, without train/patient<number>/ or valid/: "
            "restore the publisher's table"
        )
    frontal = row["Frontal/Lateral"] == "Frontal"
    return {
        # Before it stands the archive's own name, which has changed from version to version.
        "file": row["Path"][match.start("part") :],
        "patient": match["patient"],
        "part": match["part"],
        "sex": "" if row["Sex"] == "Unknown" else row["Sex"],
        "age": row["Age"],
        "view": (row["AP/PA"] or "frontal") if frontal else row["Frontal/Lateral"],
        **{name: row[name] for name in FINDINGS},
    }


CHEXPERT = PublishedTable(
    name="chexpert",
    title="CheXpert",
    homepage="https://stanfordmlgroup.github.io/competitions/chexpert/",
    licence="Stanford University Dataset Research Use Agreement (research only)",
    citation="Irvin et al., AAAI 2019, doi:10.1609/aaai.v33i01.3301590",
    tables=("train.csv",),
    read=_read,
    kept=("sex", "age", "view", "Support Devices"),
    least_parts=3,  # Each patient has a study1/view1_frontal.jpg.
    traps=(
        "findings of the part train are mined from reports, those of valid are radiologists'; "
        "nothing in a column means that the report is silent, which is no 0, and No Finding has "
        "no 0 at all",
    ),
)
