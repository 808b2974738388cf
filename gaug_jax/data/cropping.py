"""What of a picture is kept before it is resized: its centre, or what a mask shows."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from gaug_jax.data.paths import PICTURE_SUFFIXES
from gaug_jax.errors import UserError
from gaug_jax.picture_files import read_picture

# A mask's brighter half is what is kept; lossy formats leave shades between.
_KEPT_FROM = 128

Picture = UInt8[np.ndarray, "height width channels"]


def centre_slices(size: tuple[int, int], share: float) -> tuple[slice, slice]:
    """Returns the rows and columns of the centre.

    Args:
      size: height and width.
      share: of both, in (0, 1].
    """
    edges = [round(each * (1 - share) / 2) for each in size]
    rows, columns = (slice(edge, each - edge) for edge, each in zip(edges, size, strict=True))
    return rows, columns


def centre(picture: Picture, share: float) -> Picture:
    """Returns the centre of a picture.

    Args:
      picture: [0, 255].
      share: of height and width, in (0, 1]; 1 returns the picture as it is.
    """
    return picture[centre_slices(picture.shape[:2], share)]


def within_mask(picture: Picture, mask: Bool[np.ndarray, "height width"]) -> Picture:
    """Returns the smallest rectangle with all of a mask, black outside of the mask.

    Args:
      picture: [0, 255].
      mask: of its height and width, True where the picture is kept.

    Raises:
      ValueError: the mask is of another size, or keeps nothing.
    """
    if mask.shape != picture.shape[:2]:
        raise ValueError(f"its mask is of {mask.shape}, and the picture of {picture.shape[:2]}")
    if not mask.any():
        raise ValueError("its mask keeps nothing")
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    kept = np.where(mask[..., None], picture, 0).astype(np.uint8)
    return kept[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def mask_path(folder: Path, name: str) -> Path:
    """Returns the file of a picture's mask: of the same name, its suffix may be another.

    Args:
      folder: of the masks.
      name: of the picture within its source, such as `class/picture.png`.

    Raises:
      UserError: there is none.
    """
    same = folder / name
    for path in (same, *(same.with_suffix(suffix) for suffix in sorted(PICTURE_SUFFIXES))):
        if path.is_file():
            return path
    raise UserError(f"{name} has no mask in config.data.masks={str(folder)!r}: add it")


def read_mask(path: Path, name: str) -> Bool[np.ndarray, "height width"]:
    """Returns a mask, True where a picture is kept.

    Raises:
      UserError: it cannot be read as a picture.
    """
    return read_picture(path, 1, f"the mask of {name}")[..., 0] >= _KEPT_FROM
