"""Pictures as arrays: reading, writing, squaring, grids, and the two value ranges.

A picture is uint8 [height, width, channels] in [0, 255], with 1 channel (luminance, ITU-R
601 of the RGB values) or 3 (RGB). Networks see float32 in [-1, 1].
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Num, UInt8
from PIL import Image, ImageOps

from gaug_jax.errors import UserError
from gaug_jax.files import atomic_file

# Larger pictures are refused before they are decoded: a small file can claim any size.
MOST_PIXELS = 80_000_000

_BACKGROUND = 255


def read_picture(
    picture: str | Path | bytes, channels: int, name: str | None = None
) -> UInt8[np.ndarray, "height width channels"]:
    """Decodes a picture, as its EXIF orientation shows it.

    16-bit greyscale is scaled from its full range, 65535 to 255. What is transparent
    is laid over black, the colour that padding has too.

    Args:
      picture: a path, or the bytes of an encoded picture.
      channels: 1 (luminance) or 3 (RGB).
      name: how errors call it; by default the path.

    Raises:
      UserError: there is no such file, or it cannot be read whole as a picture.
    """
    if name is None:
        name = "a picture" if isinstance(picture, bytes) else str(picture)
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    try:
        with Image.open(source) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
            return _to_array(ImageOps.exif_transpose(opened), channels)
    except FileNotFoundError:
        raise UserError(f"{name} does not exist: restore the file") from None
    except Exception as error:  # Broken bytes make decoders raise nearly anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{name} cannot be read as a picture ({reason}): replace or remove the file"
        ) from None


def _to_array(image: Image.Image, channels: int) -> UInt8[np.ndarray, "height width channels"]:
    """Returns a decoded picture in the wanted channels."""
    if image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif image.mode == "F":
        raise ValueError("its values are floating point: save it with 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    if image.mode != "L":
        image = image.convert("RGB")
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)


def _eight_bits(values: Num[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Scales 0 .. 65535 to 0 .. 255."""
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("its values do not fit 16 bits")
    return np.round(values / 257.0).astype(np.uint8)


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
