"""What a user should know of a set's pictures before anything is made of them."""

import numpy as np
from jaxtyping import Int64

from gaug_jax.data.decoding import OWN
from gaug_jax.picture_files import FULL, PictureFacts
from gaug_jax.settings import DataSettings

# A set of 16 bits that uses less than this share of their range is nearly black.
_LEAST_USED = 1 / 8
_MOST_16 = 65535


def picture_notes(
    facts: Int64[np.ndarray, "images facts"], settings: DataSettings
) -> tuple[str, ...]:
    """Returns lines on what the pictures lose by the way they are read.

    Args:
      facts: `PictureFacts` of each picture.
      settings: by which they were read.
    """
    columns = dict(zip(PictureFacts._fields, facts.T, strict=True))
    lines = (
        _darkened(columns, settings),
        _stretched(columns, settings),
        _unread(columns, settings),
    )
    return tuple(line for line in lines if line)


def _darkened(columns: dict[str, np.ndarray], settings: DataSettings) -> str:
    """Returns a line where pictures of 16 bits use a small part of their range."""
    deep = columns["bits"] == 16
    brightest = int(columns["brightest"][deep].max(initial=0))
    if settings.window not in (OWN, FULL) or not deep.any() or brightest > _LEAST_USED * _MOST_16:
        return ""
    bits = brightest.bit_length()
    return (
        f"none of {int(deep.sum())} pictures of 16 bits is brighter than {brightest:,} of "
        f"{_MOST_16:,}: they are nearly black; --config.data.window=used takes their {bits} bits "
        "for the whole range"
    )


def _stretched(columns: dict[str, np.ndarray], settings: DataSettings) -> str:
    """Returns a line where pictures are not square and are stretched."""
    height, width = columns["height"], columns["width"]
    count = int((height != width).sum())
    if settings.resize != "stretch" or not count:
        return ""
    most = float(np.max(np.maximum(height, width) / np.minimum(height, width)))
    return (
        f"{count} of {len(height)} pictures are not square (one side up to {most:.2g} times the "
        "other) and are stretched: --config.data.resize=pad keeps their shape"
    )


def _unread(columns: dict[str, np.ndarray], settings: DataSettings) -> str:
    """Returns a line where files have pages that are not read."""
    several = columns["pages"] > 1
    unread = int((columns["pages"][several] - 1).sum())
    if settings.pages == "all" or not several.any():
        return ""
    return (
        f"{int(several.sum())} files have several pages, of which one is read and {unread} are "
        "not: --config.data.pages=all reads each as a picture"
    )
