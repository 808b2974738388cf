"""RSNA Pneumonia Detection Challenge: 26,684 films of NIH ChestX-ray14, read by radiologists.

Shih et al., "Augmenting the National Institutes of Health Chest Radiograph Dataset with Expert
Annotations of Possible Pneumonia", Radiology: Artificial Intelligence 1(1), 2019. The columns are
those of the challenge's tables, which TorchXRayVision carries with the files' DICOM headers: in
these `PatientID` is the picture's own number. The mapping's fields are as users' public code reads
them; the terms are on RSNA's page of the challenge. The challenge published no labels of its test
part, which is not read.
"""

import json
from pathlib import Path

from gaug_jax.data.publishers.published_table import PublishedTable, Rows, find_file, rows_with
from gaug_jax.errors import UserError

_MAPPING = "pneumonia-challenge-dataset-mappings_2018.json"
_CLASSES = "stage_2_detailed_class_info.csv"
_FOLDER = "stage_2_train_images"


def _read(table: Path, root: Path, finding: str | None) -> Rows:
    """Returns a row for each film, whose boxes have a row each in the table."""
    targets = {}
    for row in rows_with(table, ("patientId", "Target")):
        targets[row["patientId"]] = max(targets.get(row["patientId"], ""), row["Target"])
    detailed = find_file(root, _CLASSES)
    classes = rows_with(detailed, ("patientId", "class")) if detailed else []
    labels = {row["patientId"]: {"class": row["class"]} for row in classes}
    patients, notes = _patients(root)
    rows = []
    for film, target in targets.items():
        row = {"file": f"{_FOLDER}/{film}.dcm", "Target": target, **labels.get(film, {})}
        rows.append(row | {"patient": patients.get(film, "")} if patients else row)
    return Rows(rows, notes, ("Target",))


def _patients(root: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Returns the NIH's patient of each film, and a line where nobody says it."""
    path = find_file(root, _MAPPING)
    if path is None:
        return {}, (
            f"patientId is a film's number and no patient's: without {_MAPPING}, which RSNA "
            "publishes too, films of one patient may be in two parts",
        )
    try:
        # The NIH's names of files begin with the patient: 00000001_000.png.
        films = json.loads(path.read_text(encoding="utf-8"))
        return {film["subset_img_id"]: film["img_id"].split("_")[0] for film in films}, ()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(
            f"{path} is no list of films with subset_img_id and img_id: restore RSNA's file, or "
            "remove it and go on without patients"
        ) from None


RSNA_PNEUMONIA = PublishedTable(
    name="rsna_pneumonia",
    title="RSNA Pneumonia Detection Challenge",
    homepage="https://www.rsna.org/education/ai-resources-and-training/ai-image-challenge/"
    "rsna-pneumonia-detection-challenge-2018",
    licence="any use with attribution by RSNA's terms",
    citation="Shih et al., Radiology: Artificial Intelligence 2019, doi:10.1148/ryai.2019180041",
    tables=("stage_2_train_labels.csv",),
    read=_read,
    kept=(),
    finding="Target",
    traps=("the films are those of NIH ChestX-ray14: a model that was trained on the one has seen "
           "films of the other",),
    dicom_patients=False,
)  # fmt: skip
