"""The COVID-19 Image Data Collection: frontal chest films, with a patient for each.

Cohen et al., "COVID-19 Image Data Collection: Prospective Predictions Are the Future",
2020. Licences are the films' own (column `license`, often empty). Research only.
"""

import csv
import io
import re
from pathlib import Path

from gaug_jax.data.findings import UNKNOWN
from gaug_jax.data.record import Record
from gaug_jax.errors import UserError

NAME = "covid_chestxray"
VERSION = "1.0.0"
HOMEPAGE = "https://github.com/ieee8023/covid-chestxray-dataset"
URL = "https://github.com/ieee8023/covid-chestxray-dataset/archive/refs/heads/master.zip"
CITATION = """\
@article{cohen2020covid,
  title={COVID-19 Image Data Collection: Prospective Predictions Are the Future},
  author={Cohen, Joseph Paul and Morrison, Paul and Dao, Lan and Roth, Karsten and
    Duong, Tim Q and Ghassemi, Marzyeh},
  journal={arXiv:2006.11988},
  year={2020},
}"""
DESCRIPTION = """\
Chest films of patients with COVID-19 and other pneumonias, gathered from publications:
those of modality X-ray and of views PA, AP and AP Supine. `group` is the patient."""
LICENCE = "each film has its own (`licence`); where that is empty the publisher names none"
METADATA = ("finding", "view", "sex", "age", "offset", "survival", "date", "location", "doi", "url")

TABLE = "metadata.csv"
_MODALITY = "X-ray"
_VIEWS = ("PA", "AP", "AP Supine")
_COVID = "COVID-19"
COVID_CLASSES = (_COVID, "other")
_COLUMNS = ("patientid", "modality", "view", "finding", "filename")


def covid_label(finding: str) -> str:
    """Returns COVID-19 where a finding names it (`Pneumonia/Viral/COVID-19` does), else other."""
    return COVID_CLASSES[_COVID not in re.split(r"[/,]\s*", finding)]


def is_known(finding: str) -> bool:
    """Says whether a finding is one: the table has films whose finding was never filled in."""
    return finding.strip().lower() not in UNKNOWN


def films(root: Path) -> tuple[list[Record], list[str]]:
    """Returns the frontal films by name, with `covid` labels, and the names of those not there.

    A picture that several rows name (the table has some under two patients) is a record
    for each row, `name#2` and so on: being duplicates, they join the patients' groups.

    Args:
      root: the publisher's folder, with `metadata.csv` and `images/`.

    Raises:
      UserError: the table is absent or has other columns.
    """
    records: list[Record] = []
    missing: set[str] = set()
    times_named: dict[str, int] = {}
    for row in _rows(root / TABLE):
        if row["modality"] != _MODALITY or row["view"] not in _VIEWS:
            continue
        name = row["filename"]
        path = root / "images" / name
        if not path.is_file():
            missing.add(name)
            continue
        times_named[name] = times_named.get(name, 0) + 1
        records.append(
            Record(
                name=name if times_named[name] == 1 else f"{name}#{times_named[name]}",
                picture=path,
                label=covid_label(row["finding"]),
                group=row["patientid"] or None,
                metadata={column: row.get(column, "") for column in METADATA},
                licence=row.get("license") or None,
            )
        )
    return sorted(records, key=lambda record: record.name), sorted(missing)


def _rows(path: Path) -> list[dict[str, str]]:
    """Returns the table's rows, with spaces around values removed."""
    if not path.is_file():
        raise UserError(
            f"{path} does not exist: config.data.path needs the publisher's {TABLE} and images/"
        )
    # Notes may hold bytes that are not UTF-8; the columns that are read do not.
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    absent = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if absent:
        raise UserError(f"{path} has no column {', '.join(absent)}: restore the publisher's table")
    return [
        {column: (value or "").strip() for column, value in row.items() if isinstance(column, str)}
        for row in reader
    ]
