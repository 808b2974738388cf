"""Contact sheets: a picture of many small images of a class, as a photographer has of a film."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax.images import picture_grid, write_picture

Images = UInt8[np.ndarray, "images height width channels"]
_COLUMNS = 12
# Small images are enlarged, so that a sheet can be looked at.
_LEAST_SIZE = 48


def sheet(images: Images, columns: int = _COLUMNS) -> UInt8[np.ndarray, "height width channels"]:
    """Returns images in rows, in their order, small ones enlarged by whole numbers."""
    factor = max(1, _LEAST_SIZE // images.shape[1])
    enlarged = images.repeat(factor, axis=1).repeat(factor, axis=2)
    return picture_grid(enlarged, min(columns, len(images)))


def chosen_images(
    places: Int[np.ndarray, " images"], groups: Int[np.ndarray, " images"], most: int
) -> Int[np.ndarray, " chosen"]:
    """Returns the places of at most so many images, of as many groups as there can be.

    Drawn at random, the same ones each time: one of each group before a second of any.

    Args:
      places: of a class's images.
      groups: of those images.
      most: how many are wanted.
    """
    drawn = np.random.default_rng(0).permutation(len(places))
    seen: dict[int, int] = {}
    turns = np.empty(len(places), np.int64)
    for place in drawn:
        turns[place] = seen[groups[place]] = seen.get(groups[place], -1) + 1
    first = drawn[np.argsort(turns[drawn], kind="stable")][:most]
    return np.sort(places[first])


def write_sheets(folder: Path, sheets: Mapping[str, Images], columns: Mapping[str, int]) -> None:
    """Writes a contact sheet of each name, `<name>.png`.

    Args:
      folder: that exists.
      sheets: name to images.
      columns: of a sheet that has other than the usual number.
    """
    for name, images in sheets.items():
        write_picture(folder / f"{name}.png", sheet(images, columns.get(name, _COLUMNS)))
