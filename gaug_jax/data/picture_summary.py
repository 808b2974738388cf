"""What a set's pictures are, in a few numbers: for a card that is read before anything is made."""

import collections
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from gaug_jax.data.nifti import is_nifti
from gaug_jax.data.record import Record
from gaug_jax.picture_files import PictureFacts

# Suffixes of one format.
_SAME = {"jpeg": "jpg", "tiff": "tif", "dicom": "dcm", "": "dcm"}
_NAMES = {"jpg": "JPEG", "tif": "TIFF", "dcm": "DICOM", "webp": "WebP"}
_NO_FILE = "array or bytes"


def picture_summary(
    records: Sequence[Record],
    facts: Int64[np.ndarray, "images facts"],
    images: UInt8[np.ndarray, "images size size channels"],
) -> dict[str, Any]:
    """Returns the formats, sizes, kinds and grey levels of pictures, fit for JSON.

    Args:
      records: where each came from.
      facts: `PictureFacts` of each.
      images: what was made of each.

    Returns:
      `formats` (name to number), `heights` and `widths` (least, median and greatest, in pixels),
      `num_sizes` (different ones), `num_coloured`, `num_16_bits`, `num_several_pages`, and
      `values` (least, mean and greatest of the images as they are used, of 0 to 255).
    """
    columns = dict(zip(PictureFacts._fields, facts.T, strict=True))
    sizes = np.stack([columns["height"], columns["width"]], axis=1)
    formats = collections.Counter(_format(record) for record in records)
    return {
        "formats": dict(formats.most_common()),
        "heights": _spread(columns["height"]),
        "widths": _spread(columns["width"]),
        "num_sizes": len(np.unique(sizes, axis=0)),
        "num_coloured": int((columns["channels"] == 3).sum()),
        "num_16_bits": int((columns["bits"] == 16).sum()),
        "num_several_pages": int((columns["pages"] > 1).sum()),
        "values": [int(images.min()), round(float(images.mean()), 1), int(images.max())],
    }


def _format(record: Record) -> str:
    """Returns the name of a picture's format, by its suffix."""
    if not isinstance(record.picture, Path):
        return _NO_FILE
    if is_nifti(record.picture):
        return "NIfTI"
    suffix = record.picture.suffix.lower().removeprefix(".")
    suffix = _SAME.get(suffix, suffix)
    return _NAMES.get(suffix, suffix.upper())


def _spread(values: Int64[np.ndarray, " images"]) -> list[int]:
    """Returns the least, the median and the greatest."""
    return [int(values.min()), int(np.median(values)), int(values.max())]
