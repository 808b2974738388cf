"""Files of any kind that is read, as pixels."""

from pathlib import Path

from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.nifti import OWN, USED, is_nifti, read_slice
from gaug_jax.picture_files import FULL, Decoded, Window, decode

# What a window of other pictures is for a DICOM film, whose bits and padding are known.
_OF_DICOM = {OWN: "dicom", FULL: "full", "percentiles": "percentiles"}


# A picture that is decoded at reduced size has at least so many times the sides of the image that
# is made of it. From 8 times on, images of 1,024x1,024 films differ by at most 1 of 255 from those
# of the whole; from 4 times on by 3, from 2 times on by 12.
_ENOUGH = 8


def enough(image_size: int) -> int:
    """Returns the height and width at which a picture may be decoded, in pixels.

    Args:
      image_size: height and width of the image that is made of all of it.
    """
    return _ENOUGH * image_size


def decode_file(
    picture: Path | bytes,
    channels: int,
    name: str,
    *,
    window: Window = OWN,
    page: int | None = None,
    least_side: int | None = None,
) -> Decoded:
    """Returns the picture of a file, DICOM or any that Pillow reads.

    Args:
      picture: a path, or the bytes of a file.
      channels: 1 (luminance) or 3 (RGB).
      name: how errors call it.
      window: which values become 0 and 255 where there are more than 8 bits: `own`, or as of
        `picture_files.decode`; two values are those of the set, and a DICOM film's own used range.
      page: of a file with several, from 0: a page, DICOM's frame, NIfTI's slice. None: the first
        page; of DICOM and NIfTI the only one.
      least_side: as of `picture_files.decode`; DICOM is decoded whole.

    Raises:
      UserError: there is no such file or page, it cannot be read whole, or pydicom is absent.
    """
    if is_nifti(picture):
        of_slice = window if isinstance(window, str) else USED
        return read_slice(picture, channels, of_slice, page=page, name=name)
    if not is_dicom(picture):
        of_others = FULL if window == OWN else window
        return decode(picture, channels, name, window=of_others, page=page, least_side=least_side)
    from gaug_jax.data.dicom.pixels import decode_dicom

    chosen = _OF_DICOM[window] if isinstance(window, str) else USED
    return decode_dicom(picture, channels, chosen, frame=page, name=name)
