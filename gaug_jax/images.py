"""Pictures as arrays: writing, squaring, grids, and the two value ranges.

A picture is uint8 [height, width, channels] in [0, 255], with 1 channel (luminance, ITU-R
601 of the RGB values) or 3 (RGB). Networks see float32 in [-1, 1].
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from gaug_jax.files import atomic_file

_BACKGROUND = 255


def to_luminance(
    image: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "height width 1"]:
    """Returns the luminance of an RGB array, rounded as for a file that is read."""
    return np.asarray(Image.fromarray(image).convert("L"))[..., None]


def resize_square(
    image: UInt8[np.ndarray, "height width channels"], size: int, mode: str
) -> UInt8[np.ndarray, "size size channels"]:
    """Makes a picture square, with Pillow's antialiased bicubic filter.

    Args:
      image: [0, 255], 1 or 3 channels.
      size: height and width of the result, in pixels.
      mode: `stretch`, or `pad` (centred on black, the aspect kept).
    """
    height, width, channels = image.shape
    if mode == "pad" and height != width:
        side = max(height, width)
        square = np.zeros((side, side, channels), np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = image
        image = square
    if image.shape[:2] == (size, size):
        return image
    resized = _as_pillow(image).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(resized).reshape(size, size, channels)


def to_unit(images: UInt8[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Returns [0, 255] as float32 in [-1, 1]; of a NumPy or a JAX array, its like."""
    return images.astype("float32") / 127.5 - 1.0


def to_uint8(images: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Returns [-1, 1] as [0, 255], rounded and clipped: the exact inverse of `to_unit`.

    Of a NumPy or a JAX array, its like.
    """
    return ((images.astype("float32") + 1.0) * 127.5).round().clip(0, 255).astype("uint8")


def picture_grid(
    images: UInt8[np.ndarray, "images height width channels"], columns: int, padding: int = 2
) -> UInt8[np.ndarray, "grid_height grid_width channels"]:
    """Lays images out in rows, with `padding` white pixels around each.

    The last row may be short.
    """
    images = np.asarray(images)
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    cell = (height + padding, width + padding)
    cells = np.full((rows * columns, *cell, channels), _BACKGROUND, np.uint8)
    cells[:count, padding:, padding:] = images
    grid = cells.reshape(rows, columns, *cell, channels).transpose(0, 2, 1, 3, 4)
    grid = grid.reshape(rows * cell[0], columns * cell[1], channels)
    after = ((0, padding), (0, padding), (0, 0))
    return np.pad(grid, after, constant_values=_BACKGROUND)


def cut_grid(
    grid: UInt8[np.ndarray, "grid_height grid_width channels"], size: int, padding: int = 2
) -> UInt8[np.ndarray, "images size size channels"]:
    """Returns the square images of a grid that `picture_grid` made; white ones where it was short.

    Raises:
      ValueError: the grid is not of images of that size.
    """
    cell = size + padding
    rows, columns = ((extent - padding) // cell for extent in grid.shape[:2])
    if (rows * cell + padding, columns * cell + padding) != grid.shape[:2]:
        raise ValueError(f"a grid of {grid.shape[:2]} has no images of {size}x{size}")
    cells = grid[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell, -1)
    return cells.transpose(0, 2, 1, 3, 4).reshape(-1, cell, cell, grid.shape[2])[
        :, padding:, padding:
    ]


def _as_pillow(image: UInt8[np.ndarray, "height width channels"]) -> Image.Image:
    """Returns an array as a Pillow image."""
    image = np.asarray(image)
    return Image.fromarray(image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image)


def write_picture(path: str | Path, image: UInt8[np.ndarray, "height width channels"]) -> None:
    """Writes a picture in the format of its suffix, whole or not at all."""
    path = Path(path)
    file_format = Image.registered_extensions()[path.suffix.lower()]
    with atomic_file(path) as file:
        _as_pillow(image).save(file, format=file_format)


def write_gif(
    path: str | Path,
    frames: Sequence[UInt8[np.ndarray, "height width channels"]],
    milliseconds: int,
) -> None:
    """Writes a moving picture that repeats for ever, `milliseconds` a frame."""
    first, *others = [_as_pillow(frame) for frame in frames]
    with atomic_file(Path(path)) as file:
        first.save(file, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)
