"""Files of pictures as arrays, and what a file says of its picture.

A picture is uint8 [height, width, channels] in [0, 255], with 1 channel (luminance, ITU-R
601 of the RGB values) or 3 (RGB), as its EXIF orientation shows it. What is transparent is laid
over black, the colour that padding has too.
"""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image, ImageOps

from gaug_jax.errors import UserError

# Larger pictures are refused before they are decoded: a small file can claim any size.
MOST_PIXELS = 80_000_000

# Pillow's names of grey pictures of 8 bits or less; those of 16 begin with I.
GREY_MODES = frozenset({"1", "L", "LA"})

FULL, PERCENTILES = "full", "percentiles"
# Of a picture's values, those outside are cut off.
CUT_PERCENTILES = (0.5, 99.5)
_MOST_16 = 65535
# Of a TIFF whose smallest value is white.
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0

# How values of 16 bits become those of 8: from the full range, from each picture's percentiles, or
# from values between two.
Window = str | tuple[float, float]


class PictureFacts(NamedTuple):
    """What a file says of its picture.

    Attributes:
      height: in pixels, as it is shown.
      width: likewise.
      bits: of a channel, 8 or 16.
      brightest: its largest value before it was scaled to 8 bits; 255 of 8 bits.
      pages: of the file.
      channels: 1 of a grey picture, 3 of a coloured one, whatever is made of it.
    """

    height: int
    width: int
    bits: int
    brightest: int
    pages: int
    channels: int


class Decoded(NamedTuple):
    """A picture and what its file says of it."""

    pixels: UInt8[np.ndarray, "height width channels"]
    facts: PictureFacts


def read_picture(
    picture: str | Path | bytes, channels: int, name: str | None = None
) -> UInt8[np.ndarray, "height width channels"]:
    """Returns the pixels of a picture, 16 bits from their full range; as `decode` otherwise."""
    return decode(picture, channels, name).pixels


def decode(
    picture: str | Path | bytes,
    channels: int,
    name: str | None = None,
    *,
    window: Window = FULL,
    page: int | None = None,
    least_side: int | None = None,
) -> Decoded:
    """Decodes a picture.

    Args:
      picture: a path, or the bytes of an encoded picture.
      channels: 1 (luminance) or 3 (RGB).
      name: how errors call it; by default the path.
      window: from which values 16 bits are scaled to 0 .. 255: `full` (0 to 65535),
        `percentiles` (the picture's 0.5% and 99.5%), or two values.
      page: of a file with several, from 0; None for the first.
      least_side: height and width that are enough: where the format can (JPEG), the picture is
        decoded at a half, a quarter or an eighth of its size that is not below. None: whole.

    Raises:
      UserError: there is no such file or page, or it cannot be read whole as a picture.
    """
    if name is None:
        name = "a picture" if isinstance(picture, bytes) else str(picture)
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    try:
        with Image.open(source) as opened:
            return _decoded(opened, channels, window, page or 0, least_side)
    except FileNotFoundError:
        raise UserError(f"{name} does not exist: restore the file") from None
    except Exception as error:  # Broken bytes make decoders raise nearly anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{name} cannot be read as a picture ({reason}): replace or remove the file"
        ) from None


def brightest_of_16_bits(picture: Path | bytes, page: int | None = None) -> int | None:
    """Returns the largest value of a picture of 16 bits; None of any other, or a broken one.

    Args:
      picture: a path, or the bytes of an encoded picture.
      page: of a file with several, from 0; None for the first.
    """
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    try:
        with Image.open(source) as opened:
            opened.seek(page or 0)
            if not opened.mode.startswith("I") or opened.width * opened.height > MOST_PIXELS:
                return None
            return int(_values(opened, _is_white_zero(opened)).max())
    except Exception:  # Whoever decodes it says what is wrong with it.
        return None


def num_pages(path: Path) -> int:
    """Returns how many pages a file has; 1 of a broken one."""
    try:
        with Image.open(path) as opened:
            return getattr(opened, "n_frames", 1)
    except Exception:  # Whoever decodes it says what is wrong with it.
        return 1


def _decoded(
    opened: Image.Image, channels: int, window: Window, page: int, least_side: int | None
) -> Decoded:
    """Returns an opened picture."""
    if opened.width * opened.height > MOST_PIXELS:
        raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
    pages = getattr(opened, "n_frames", 1)
    if page >= pages:
        raise ValueError(f"it has {pages} pages, and no page {page}, counted from 0")
    opened.seek(page)
    bits, brightest, sides = 8, 255, opened.size
    if least_side is not None:
        opened.draft(None, (least_side, least_side))
    image = ImageOps.exif_transpose(opened)
    if image.mode == "F":
        raise ValueError("its values are floating point: save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        values = _values(image, _is_white_zero(opened))
        bits, brightest = 16, int(values.max())
        image = Image.fromarray(_eight_bits(values, window))
    # Turned by its EXIF orientation, a picture has its sides the other way round.
    width, height = sides if opened.size == image.size else sides[::-1]
    facts = PictureFacts(height, width, bits, brightest, pages, channels_of(opened.mode))
    return Decoded(_to_array(image, channels), facts)


def channels_of(mode: str) -> int:
    """Returns 1 of Pillow's name of a grey kind of picture, of 16 bits too, and 3 of others."""
    return 1 if mode in GREY_MODES or mode.startswith("I") else 3


def _is_white_zero(opened: Image.Image) -> bool:
    """Says whether a picture of 16 bits is a TIFF whose smallest value is white."""
    return getattr(opened, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _values(image: Image.Image, white_is_zero: bool) -> Num[np.ndarray, "height width"]:
    """Returns the values of a picture of 16 bits, 0 the darkest.

    Pillow turns round a TIFF whose smallest value is white where it has 8 bits, and not where it
    has 16.
    """
    values = np.asarray(image)
    if values.min() < 0 or values.max() > _MOST_16:
        raise ValueError("its values do not fit 16 bits")
    return _MOST_16 - values if white_is_zero else values


def _eight_bits(
    values: Num[np.ndarray, "height width"], window: Window
) -> UInt8[np.ndarray, "height width"]:
    """Scales values of 16 bits to 0 .. 255."""
    if window == FULL:
        return np.round(values / 257.0).astype(np.uint8)
    low, high = np.percentile(values, CUT_PERCENTILES) if window == PERCENTILES else window
    return between(values, low, max(high, low + 1.0))


def between(
    values: Num[np.ndarray, "height width"], low: float, high: float
) -> UInt8[np.ndarray, "height width"]:
    """Scales values to 0 .. 255, rounded; those outside are cut off, and no number is black.

    Args:
      values: any real numbers.
      low: what becomes 0.
      high: what becomes 255; where it is not above `low`, all are 0.
    """
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.nan_to_num((values - low) * (255.0 / (high - low)), nan=0.0)
    return np.round(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)


def _to_array(image: Image.Image, channels: int) -> UInt8[np.ndarray, "height width channels"]:
    """Returns a decoded picture in the wanted channels."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    if image.mode != "L":
        image = image.convert("RGB")
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)
