"""The image of a DICOM file as a picture, as a screen would show it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Num, UInt8

from gaug_jax.data.dicom.grey import shown
from gaug_jax.data.dicom.opening import INSTALL, RefusedError, name_of, one_line, open_dataset
from gaug_jax.data.dicom.tables import apply_palette, to_bytes
from gaug_jax.errors import UserError
from gaug_jax.images import to_luminance
from gaug_jax.picture_files import MOST_PIXELS, Decoded, PictureFacts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

WINDOWS = ("dicom", "full", "used", "percentiles")

_GREY = ("MONOCHROME1", "MONOCHROME2")
_PALETTE = "PALETTE COLOR"
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
# One decoder reads a file, the first of these that is there and knows its compression. pydicom
# would go on to the next where one fails, and pylibjpeg's for JPEG and JPEG-LS fills up what is
# missing of a broken film without a word. gdcm comes late: it does not turn all that it finds
# broken into errors.
_PLUGINS = ("pillow", "pyjpegls", "gdcm", "pydicom", "pylibjpeg")
_PLUGINS_OF_JPEG_2000 = ("pylibjpeg", "pillow", "gdcm")
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA


def read_dicom(
    picture: str | Path | bytes,
    channels: int,
    window: str = "dicom",
    *,
    voi: int = 0,
    frame: int | None = None,
    name: str | None = None,
) -> UInt8[np.ndarray, "height width channels"]:
    """Returns the image of a DICOM file in [0, 255], black the darkest, as a screen shows it.

    Grey films pass the Modality LUT or rescaling, the window and the inversion of MONOCHROME1
    in the order of PS3.3 C.11. Padding is black and counts nowhere. Colours (RGB, YBR_FULL,
    YBR_FULL_422, the two of JPEG 2000, palettes) are not windowed: more than 8 bits are scaled
    from the whole range, and ICC profiles and overlays are left out.

    Args:
      picture: a path, or the bytes of a file.
      channels: 1 (luminance, as `gaug_jax.images` has it) or 3 (RGB).
      window: what becomes black and white in a grey film. `dicom`: its VOI LUT, or where it
        has none its window, or where it has neither as `percentiles`; `full`: the whole range
        that can be stored; `used`: the least and the greatest value; `percentiles`: 0.5% and
        99.5% of the values, or the extremes where these are one value.
      voi: which of several VOI LUTs or windows, from 0.
      frame: which frame of several, from 0. None: the file has to have one.
      name: how errors call it; by default the path.

    Raises:
      UserError: the file is absent, broken, cut off or not of DICOM; it has no image, several
        frames, a photometric interpretation that is not known, or a compression whose decoder
        is not installed; or pydicom is not.
    """
    return decode_dicom(picture, channels, window, voi=voi, frame=frame, name=name).pixels


def decode_dicom(
    picture: str | Path | bytes,
    channels: int,
    window: str = "dicom",
    *,
    voi: int = 0,
    frame: int | None = None,
    name: str | None = None,
) -> Decoded:
    """Returns the same with what the file says; by its window it uses all of 8 bits."""
    if window not in WINDOWS:
        raise UserError(f"window={window!r} is not known: choose one of {', '.join(WINDOWS)}")
    name = name_of(picture, name)
    dataset = open_dataset(picture, name)
    with one_line(name):
        _check(dataset)
        index = _frame(dataset, frame)
        stored, photometric = _decoded(dataset, index)
        little = dataset.file_meta.TransferSyntaxUID.is_little_endian
        if photometric in _GREY:
            image = shown(dataset, stored, window, voi, index, little)[..., None]
            image = image if channels == 1 else np.repeat(image, 3, axis=-1)
            return Decoded(image, _facts(dataset, 1))
        if photometric == _PALETTE:
            image = apply_palette(dataset, stored, little)
        else:
            image = _colour(stored, int(dataset.BitsStored))
        image = to_luminance(image) if channels == 1 else image
        return Decoded(image, _facts(dataset, 3))


def _check(dataset: "Dataset") -> None:
    """Refuses a data set that has no image, or one that is not read."""
    if "Rows" not in dataset or "Columns" not in dataset:
        kind = dataset.get("Modality") or "no modality"
        raise RefusedError(f"holds no image, or is cut off ({kind}): leave it out")
    if "PixelData" not in dataset:
        if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
            raise RefusedError("has floating-point pixels: save it with 8 or 16 bits")
        raise RefusedError(
            "has no pixel data, or they are cut off: fetch the file again, or leave it out"
        )
    if dataset.Rows * dataset.Columns > MOST_PIXELS:
        raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
    photometric = dataset.get("PhotometricInterpretation")
    if photometric not in (*_GREY, _PALETTE, *_COLOUR):
        raise RefusedError(
            f"has the photometric interpretation {photometric or 'of none'}, which is not "
            f"read: save it as MONOCHROME2 or RGB"
        )
    if dataset.get("HighBit", dataset.BitsStored - 1) != dataset.BitsStored - 1:
        # PS3.5 8.1.1. Decoders take the low bits whatever the tag says, which would be noise.
        raise ValueError(
            f"its High Bit is {dataset.HighBit} and not {dataset.BitsStored - 1}, one less than "
            "its Bits Stored"
        )


def num_frames(picture: str | Path | bytes) -> int:
    """Returns how many frames a file has; 1 of a broken one.

    Raises:
      UserError: pydicom is not installed.
    """
    try:
        return _num_frames(open_dataset(picture, name_of(picture, None), pixels=False))
    except UserError as error:
        if INSTALL in str(error):
            raise
        return 1  # Whoever decodes it says what is wrong with it.


def _num_frames(dataset: "Dataset") -> int:
    """Returns how many frames a data set has."""
    return int(dataset.get("NumberOfFrames") or 1)


def _facts(dataset: "Dataset", channels: int) -> PictureFacts:
    """Returns what a data set says of its picture."""
    sides = int(dataset.Rows), int(dataset.Columns)
    return PictureFacts(*sides, 8, 255, _num_frames(dataset), channels)


def _frame(dataset: "Dataset", frame: int | None) -> int:
    """Returns the index of the frame to be read."""
    count = _num_frames(dataset)
    if count > 1 and frame is None:
        raise RefusedError(
            f"has {count} frames: choose one of 0 to {count - 1}, or all, by config.data.pages"
        )
    if frame is not None and not 0 <= frame < count:
        raise RefusedError(f"has {count} frames: frame={frame} is none of 0 to {count - 1}")
    return frame or 0


def _decoded(
    dataset: "Dataset", index: int
) -> tuple[Num[np.ndarray, "height width *samples"], str]:
    """Returns the pixels of a frame as they are stored, and their photometric interpretation.

    YBR pixels come as RGB (PS3.3 C.7.6.3.1.2), colours by pixel whatever the planar
    configuration, and bits beyond those stored do not count.
    """
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise ValueError("it does not say its transfer syntax")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise RefusedError(
            f"has the transfer syntax {syntax.name}, which nothing here reads: save it "
            "without compression"
        ) from None
    plugin = ""
    if syntax.is_encapsulated:
        plugin = _plugin(dataset, decoder.available_plugins)
        _check_stream(dataset, index)
    pixels, properties = decoder.as_array(dataset, index=index, decoding_plugin=plugin)
    photometric = str(properties["photometric_interpretation"])
    if photometric in ("YBR_ICT", "YBR_RCT"):
        raise ValueError(f"its pixels are {photometric} and not of JPEG 2000")
    if pixels.ndim != (2 if photometric in (*_GREY, _PALETTE) else 3):
        raise ValueError(f"{photometric} does not go with its Samples per Pixel")
    return pixels, photometric


def _plugin(dataset: "Dataset", available: tuple[str, ...]) -> str:
    """Returns the name of the decoder for a compressed file, as pydicom calls it."""
    from pydicom.uid import JPEG2000TransferSyntaxes, JPEGExtended12Bit

    syntax, hint = dataset.file_meta.TransferSyntaxUID, INSTALL
    order = _PLUGINS_OF_JPEG_2000 if syntax in JPEG2000TransferSyntaxes else _PLUGINS
    if syntax == JPEGExtended12Bit and dataset.BitsStored > 8:
        # The only one that has more than 8 bits; its licence keeps it out of the extra.
        order, hint = ("pylibjpeg",), "pip install pylibjpeg pylibjpeg-libjpeg (GPL 3)"
    for plugin in order:
        if plugin in available:
            return plugin
    raise RefusedError(f"is compressed as {syntax.name} and its decoder is not installed: {hint}")


def _check_stream(dataset: "Dataset", index: int) -> None:
    """Refuses a stream of JPEG or JPEG-LS whose head is broken or whose end is missing.

    Some decoders fill up what is missing, and gdcm ends the process at stray bytes in a head.
    """
    from pydicom.encaps import get_frame
    from pydicom.uid import JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

    if dataset.file_meta.TransferSyntaxUID not in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    stream = get_frame(dataset.PixelData, index, number_of_frames=count)
    # PS3.5 A.4: padded to an even length, after the marker or with fill bytes around it.
    if not stream.rstrip(b"\0\xff").endswith(_END_OF_IMAGE):
        raise RefusedError("has pixel data that are cut off: fetch the file again")
    # ISO/IEC 10918-1 B.1.1: markers, each with the length of what follows, up to the scan.
    place = len(_START_OF_IMAGE)
    while stream.startswith(_START_OF_IMAGE) and place + 4 <= len(stream):
        if stream[place] != 0xFF:
            break
        if stream[place + 1] == _START_OF_SCAN:
            return
        # A marker may be preceded by any number of fill bytes.
        filled = stream[place + 1] == 0xFF
        place += 1 if filled else 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    raise RefusedError("has pixel data whose head is broken: fetch the file again")


def _colour(
    pixels: Num[np.ndarray, "height width 3"], bits: int
) -> UInt8[np.ndarray, "height width 3"]:
    """Returns colours of any number of bits in [0, 255]."""
    if pixels.dtype.kind != "u":
        raise ValueError("its colours are signed")
    return to_bytes(pixels, bits)
