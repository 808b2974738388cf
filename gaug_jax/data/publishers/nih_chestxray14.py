"""NIH ChestX-ray14: 112,120 frontal films of 30,805 patients, with findings mined from reports.

Wang et al., "ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on
Weakly-Supervised Classification and Localization of Common Thorax Diseases", CVPR 2017. The
columns are those of the publisher's `Data_Entry_2017_v2020.csv`, which TorchXRayVision carries; the
terms are as Google Cloud's page of the data set repeats them; the two lists of parts are named as
users' public code reads them.
"""

from pathlib import Path

from gaug_jax.data.publishers.published_table import PublishedTable, Rows, find_file, rows_with

_COLUMNS = {
    "file": "Image Index", "label": "Finding Labels", "patient": "Patient ID",
    "sex": "Patient Gender", "age": "Patient Age", "view": "View Position",
}  # fmt: skip
_LISTS = {"train": "train_val_list.txt", "test": "test_list.txt"}


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each film, with its part where the publisher's lists are there."""
    rows = [{name: row[column] for name, column in _COLUMNS.items()}
            for row in rows_with(table, tuple(_COLUMNS.values()))]  # fmt: skip
    lists = {part: find_file(root, name) for part, name in _LISTS.items()}
    absent = [_LISTS[part] for part, path in lists.items() if path is None]
    if absent:
        return Rows(rows, (f"no {' and no '.join(absent)}: the publisher's parts are not known",))
    parts = {name: part for part, path in lists.items() for name in _names(path)}
    known = [row | {"part": parts[row["file"]]} for row in rows if row["file"] in parts]
    left = len(rows) - len(known)
    return Rows(known, (f"{left} films left out, which are in no part's list",) if left else ())


def _names(path: Path) -> list[str]:
    """Returns the files of a list, one a line."""
    return path.read_text(encoding="utf-8", errors="replace").split()


NIH_CHESTXRAY14 = PublishedTable(
    name="nih_chestxray14",
    title="NIH ChestX-ray14",
    homepage="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    licence="no restriction but attribution to the NIH Clinical Center",
    citation="Wang et al., CVPR 2017, pp. 3462-3471",
    tables=("Data_Entry_2017_v2020.csv", "Data_Entry_2017*.csv"),
    read=_read,
    kept=("sex", "age", "view"),
    traps=("findings are mined from reports, by the publisher's account more than 90% of them "
           "rightly: No Finding is no proof of a healthy chest",),
)  # fmt: skip
