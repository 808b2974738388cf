"""CMATERdb 3.1.1: 6,000 handwritten Bangla numerals, 32x32 RGB, in the publisher's parts.

Das et al., "A genetic algorithm based region sampling for selection of local features in
handwritten digit recognition application", Applied Soft Computing 12(5), 2012; Jadavpur
University. Free for non-commercial use with acknowledgement. Writers are not published.
"""

import dataclasses

import numpy as np

from gaug_jax.data.arrays import checked_images, checked_labels, read_arrays
from gaug_jax.data.paths import existing_folder
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.sources import tfds_source
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_VERSION = "1"
_FILES = {"train": "training-images.npz", "test": "testing-images.npz"}
_URL = (
    "https://raw.githubusercontent.com/prabhuomkar/CMATERdb/master/datasets/bangla-numerals/"
    "training-images.npz"
)
_NOTE = "CMATERdb does not say who wrote which numeral"
_LICENCE = "free for non-commercial use with acknowledgement"


def read(settings: DataSettings) -> SourceData:
    """Returns the numerals from the two `.npz` files of `data.path`, or through TFDS.

    Raises:
      UserError: a file is absent or damaged, or the download failed.
    """
    if settings.path is None:
        data = tfds_source.read(settings, "cmaterdb/bangla", _URL)
        notes = (*data.notes, _NOTE)
        return dataclasses.replace(data, source="cmaterdb", notes=notes, licence=_LICENCE)
    root = existing_folder(settings.path)
    records = []
    for part, file_name in _FILES.items():
        path = root / file_name
        if not path.exists():
            raise UserError(
                f"{path} does not exist: config.data.path needs {' and '.join(_FILES.values())}, "
                "or leave it unset to download them"
            )
        records += _part_records(read_arrays(path), part, str(path))
    return SourceData("cmaterdb", _VERSION, tuple(records), notes=(_NOTE,), licence=_LICENCE)


def _part_records(arrays: dict[str, np.ndarray], part: str, path: str) -> list[Record]:
    """Returns the records of one file."""
    for name in ("images", "labels"):
        if name not in arrays:
            raise UserError(f"{path} has no array {name!r}: restore the publisher's file")
    images = checked_images(arrays["images"], f"{path}: images")
    labels = checked_labels(arrays["labels"], len(images), f"{path}: labels")
    return [
        Record(f"{part}/{index:04d}", image, label=label, part=part)
        for index, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
