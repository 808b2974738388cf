"""BIMCV COVID-19+: films of patients of the Valencian region with a positive test for COVID-19.

arXiv:2006.01174, 2020. The terms are the publisher's `LICENSE.md`. The tables' names and columns,
the folders and the fields of the JSON files are as public code reads them, above all that of
DeGrave et al., "AI for radiographic COVID-19 detection selects shortcuts over signal", 2021; the
publisher's own description of them could not be seen. Computed tomographs are not read.
"""

import json
import re
from pathlib import Path

from gaug_jax.data.publishers.padchest import heard
from gaug_jax.data.publishers.published_table import (
    PublishedTable,
    Rows,
    find_file,
    frontal_rows,
    listed_names,
    rows_with,
)
from gaug_jax.data.tables import Row
from gaug_jax.errors import UserError

_VIEW = re.compile(r"_vp-(?P<view>[a-z]+)")
# As DICOM's JSON model calls Manufacturer and PhotometricInterpretation.
_TAGS = {"machine": "00080070", "photometric": "00280004"}


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each frontal film of the sessions that the table has."""
    people = _people(root)
    rows, empty = [], 0
    sessions: dict[tuple[str, str], list[str]] = {}
    for row in rows_with(table, ("PatientID", "ReportID", "Labels")):
        names = sessions.setdefault((row["PatientID"], row["ReportID"]), [])
        names += listed_names(row["Labels"])
    folders = _folders(root)
    for session, names in sessions.items():
        films = sorted(folders[session].glob("mod-rx/*.png")) if session in folders else []
        empty += not films
        label = "|".join(dict.fromkeys(names))
        rows += [_row(film, root, session[0], people) | {"label": label} for film in films]
    if not rows:
        raise UserError(
            f"{root} holds none of {len(sessions)} sessions that {table} names, as "
            f"{'/'.join(next(iter(sessions)))}/mod-rx/*.png: set config.data.path to the folder of "
            "the publisher's sub-* folders"
        )
    rows, of_views = frontal_rows(rows, ("pa", "ap"))
    rows, of_labels = heard(rows)
    notes = (f"{empty} sessions have no film in mod-rx",) if empty else ()
    return Rows(rows, (*notes, *of_views, *of_labels, *_inverted(rows)))


def _folders(root: Path) -> dict[tuple[str, str], Path]:
    """Returns the folder of each patient's session."""
    for depth in range(3):
        found = list(root.glob("*/" * depth + "sub-*/ses-*"))
        if found:
            return {(path.parent.name, path.name): path for path in sorted(found)}
    return {}


def _people(root: Path) -> dict[str, Row]:
    """Returns what the table of participants says of each."""
    path = find_file(root, "participants.tsv")
    rows = rows_with(path, ("participant", "age", "gender")) if path else []
    return {row["participant"]: row for row in rows}


def _row(film: Path, root: Path, patient: str, people: dict[str, Row]) -> Row:
    """Returns a film's row with the usual columns, without its label."""
    person = people.get(patient, {})
    age = re.search(r"\d+", person.get("age", ""))
    view = _VIEW.search(film.name)
    return {
        "file": film.relative_to(root).as_posix(),
        "patient": patient,
        "sex": person.get("gender", ""),
        "age": age[0] if age else "",
        "view": view["view"] if view else "",
        "kind": film.stem.rsplit("_", 1)[-1],
        **_header(film.with_suffix(".json")),
    }


def _header(path: Path) -> dict[str, str]:
    """Returns what the file beside a film says of how it was taken; nothing where there is none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(said[tag]["Value"][0]) if "Value" in said.get(tag, {}) else ""
                for name, tag in _TAGS.items()}  # fmt: skip
    except (OSError, ValueError, TypeError, IndexError, AttributeError):
        return dict.fromkeys(_TAGS, "")


def _inverted(rows: list[Row]) -> tuple[str, ...]:
    """Returns a line on films whose black is white."""
    count = sum(row["photometric"] == "MONOCHROME1" for row in rows)
    if not count:
        return ()
    return (
        f"{count} of {len(rows)} films are stored as MONOCHROME1, black for white, by the JSON "
        "files beside them, and are not turned: invert them, or a classifier may tell the machine",
    )


BIMCV_COVID19 = PublishedTable(
    name="bimcv_covid19",
    title="BIMCV COVID-19+",
    homepage="https://bimcv.cipf.es/bimcv-projects/bimcv-covid19/",
    licence="BIMCV-COVID19 Dataset Research Use Agreement (research only; no derivative works but "
    "models)",
    citation="arXiv:2006.01174",
    tables=("labels_covid19_posi.tsv",),
    read=_read,
    kept=("sex", "age", "view", "kind", "machine", "photometric"),
    traps=(
        "labels are those of a session's report, for each of its films; every patient had a "
        "positive test, so that COVID 19 among the labels is what the report says and its absence "
        "is no negative; the PNG files have 16 bits and their windows stand in JSON files that are "
        "not read (config.data.window)",
    ),
)
