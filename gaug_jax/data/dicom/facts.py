"""What a DICOM file says of its image, as text, without whose it is.

For tables of shortcuts and subgroups. It is not a de-identification in the sense of PS3.15:
the pixels may show names (`burned_in`), and an age, a hospital and a rare view together may
still be one person's.
"""

import datetime
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gaug_jax.data.dicom.opening import name_of, one_line, open_dataset
from gaug_jax.errors import UserError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DIGEST_BYTES = 8
# PS3.5 6.2: a code string, with a letter. Sentences, numbers and dates in its place are not kept.
_CODE = re.compile(r"(?=.*[A-Z])[A-Z0-9_ ]{1,16}")
_AGE = re.compile(r"(\d{3})([YMWD])")
_IN_A_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}


def dicom_facts(
    source: "str | Path | bytes | Dataset",
    salt: bytes,
    *,
    keep_institution: bool = False,
    name: str | None = None,
) -> dict[str, str]:
    """Returns what a file says of its image; what it does not say is left out.

    No name, number, date, accession number, physician or comment is among it. `patient` and
    `study` are pseudonyms: the same for the same salt, and not to be undone without it.

    - `laterality`: R, L, U or B; `view`: such as PA, AP or LL; `sex`: M, F or O;
    - `age`: in years, by Patient's Age; else completed years from the dates of birth and study;
    - `modality`, `body_part`, `photometric`, `manufacturer`;
    - `burned_in`: YES or NO, whether the pixels show names;
    - `pixel_spacing`: rows and columns in mm, of the patient or else of the detector;
    - `institution`, `patient`, `study`: 16 hexadecimal digits.

    Args:
      source: a path, the bytes of a file, or a data set of pydicom.
      salt: secret of the caller, the same for all files of a study. Without one a number of
        seven digits is found again by trying all.
      keep_institution: whether the institution's name is kept as it is, and not hashed.
      name: how errors call it; by default the path.

    Raises:
      UserError: the salt is empty; or pydicom is absent, or the file absent, broken or not of
        DICOM.
    """
    if not salt:
        raise UserError("pseudonyms need a salt: give some secret bytes, the same for all files")
    name = name_of(source, name)
    if isinstance(source, str | Path | bytes):
        source = open_dataset(source, name, pixels=False)
    with one_line(name):
        facts = {key: read(source) for key, read in _READ.items()}
        facts |= {
            "institution": _text(source, "InstitutionName"),
            "patient": " ".join(
                _text(source, tag) for tag in ("PatientID", "IssuerOfPatientID")
            ).strip(),
            "study": _text(source, "StudyInstanceUID"),
        }
        if not _text(source, "PatientID"):
            facts["patient"] = ""
        for key in ("patient", "study", *([] if keep_institution else ["institution"])):
            facts[key] = _pseudonym(facts[key], salt, key)
    return {key: value for key, value in facts.items() if value}


def _pseudonym(text: str, salt: bytes, kind: str) -> str:
    """Returns a keyed hash (BLAKE2b) of a text, another one for each kind of it; of none, none."""
    if not text:
        return ""
    # BLAKE2b's keys have at most 64 bytes; salts may be longer.
    key = hashlib.blake2b(salt).digest()
    return hashlib.blake2b(
        text.encode(), digest_size=_DIGEST_BYTES, key=key, person=kind.encode()
    ).hexdigest()


def _text(dataset: "Dataset", tag: str) -> str:
    """Returns a tag's text, or none."""
    value = dataset.get(tag)
    return " ".join(str(value).split()) if value is not None else ""


def _code(*tags: str, allowed: str | None = None) -> Callable[["Dataset"], str]:
    """Returns what reads the first of some tags that is a code, and one of those allowed."""

    def read(dataset: "Dataset") -> str:
        for tag in tags:
            text = _text(dataset, tag).upper()
            if _CODE.fullmatch(text) and (allowed is None or text in allowed.split()):
                return text
        return ""

    return read


def _age(dataset: "Dataset") -> str:
    """Returns the age in years (PS3.5 6.2, AS), or the completed years between two dates."""
    age = _AGE.fullmatch(_text(dataset, "PatientAge"))
    if age:
        return f"{round(int(age[1]) / _IN_A_YEAR[age[2]], 2):g}"
    birth = _date(dataset, "PatientBirthDate")
    study = _date(dataset, "StudyDate") or _date(dataset, "AcquisitionDate")
    if birth is None or study is None or study < birth:
        return ""
    before = (study.month, study.day) < (birth.month, birth.day)
    return str(study.year - birth.year - before)


def _date(dataset: "Dataset", tag: str) -> datetime.date | None:
    """Returns a date (PS3.5 6.2, DA), or None where there is none or it is none."""
    try:
        return datetime.datetime.strptime(_text(dataset, tag), "%Y%m%d").date()
    except ValueError:
        return None


def _spacing(dataset: "Dataset") -> str:
    """Returns the distance of rows and of columns in mm, as `0.143x0.143`."""
    value = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
    if not value or len(value) != 2:
        return ""
    return "x".join(f"{float(number):g}" for number in value)


_READ: dict[str, Callable[["Dataset"], str]] = {
    "laterality": _code("ImageLaterality", "Laterality", allowed="R L U B"),
    "view": _code("ViewPosition"),
    "sex": _code("PatientSex", allowed="M F O"),
    "age": _age,
    "modality": _code("Modality"),
    "body_part": _code("BodyPartExamined"),
    "photometric": _code("PhotometricInterpretation"),
    "burned_in": _code("BurnedInAnnotation", allowed="YES NO"),
    "pixel_spacing": _spacing,
    "manufacturer": lambda dataset: _text(dataset, "Manufacturer"),
}
