"""Slices of NIfTI volumes as pictures, shown as radiologists look at them.

The volume's own axes may be in any order and direction; its affine says which way is the patient's
right, front and head. Sections are those of "NIfTI-1 Data Format" (Cox et al. 2004), whose
directions nibabel reads (`nibabel.orientations`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from gaug_jax.errors import UserError, in_short
from gaug_jax.picture_files import CUT_PERCENTILES, PERCENTILES, Decoded, PictureFacts, between

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

INSTALL = "pip install 'gaug_jax[nifti]'"
OWN, USED = "own", "used"
_SUFFIXES = (".nii", ".nii.gz")
_AXIAL = 2


class _RefusedError(ValueError):
    """What is wrong with a file and what to do, as the rest of a line that begins with its name."""


def is_nifti(picture: object) -> bool:
    """Says whether a path's name is that of a NIfTI volume."""
    return isinstance(picture, Path) and picture.name.lower().endswith(_SUFFIXES)


def num_slices(path: Path) -> int:
    """Returns how many slices a volume has; 1 of a broken one.

    Raises:
      UserError: nibabel is absent.
    """
    nibabel = _nibabel(str(path))
    try:
        volume = nibabel.load(path)
        return volume.shape[_slice_axis(volume)] if volume.ndim == 3 else 1
    except Exception:  # Whoever reads a slice says what is wrong.
        return 1


def read_slice(
    path: Path, channels: int, window: str = OWN, *, page: int | None = None, name: str = ""
) -> Decoded:
    """Returns a slice of a volume in [0, 255].

    Slices are axial, from the feet up, with the patient's front above and right side on the left;
    a volume that is one slice thick is shown as it lies: coronal with the head above, sagittal with
    the front on the left. Voxels count as square. Values are those after the header's scaling
    (section "scaling"), black and white are the volume's display range `cal_min` to `cal_max`.

    Args:
      path: of a .nii or .nii.gz file.
      channels: 1 or 3 alike ones.
      window: `own`, the display range or, where there is none, as `percentiles`: the slice's 0.5%
        and 99.5%; or `used`, its least and greatest value.
      page: which slice, from 0. None: the volume has to have one.
      name: how errors call it; by default the path.

    Raises:
      UserError: nibabel is absent; the file is broken, or no volume of real numbers with three
        axes; or it has several slices and none is chosen, or not that one.
    """
    name = name or str(path)
    nibabel = _nibabel(name)
    try:
        volume = nibabel.load(path)
        values = _slice(volume, page)
        low, high = _range(volume, values, window)
    except FileNotFoundError:
        raise UserError(f"{name} does not exist: restore the file") from None
    except _RefusedError as error:
        raise UserError(f"{name} {error}") from None
    except Exception as error:  # Broken bytes make parsers raise nearly anything.
        reason = in_short(error) or type(error).__name__
        raise UserError(
            f"{name} cannot be read as a NIfTI volume ({reason}): replace or remove the file"
        ) from None
    image = np.repeat(between(values, low, high)[..., None], channels, axis=-1)
    pages = volume.shape[_slice_axis(volume)]
    return Decoded(image, PictureFacts(*values.shape, 8, 255, pages, 1))


def _nibabel(name: str):
    """Returns nibabel.

    Raises:
      UserError: it is not installed.
    """
    try:
        import nibabel
    except ImportError:
        raise UserError(f"{name} is a NIfTI volume, which needs nibabel: {INSTALL}") from None
    return nibabel


def _slice_axis(volume: "Nifti1Image") -> int:
    """Returns the stored axis along which slices lie: the only thin one, or that from the feet up.

    Raises:
      _RefusedError: the volume has not three axes.
    """
    if volume.ndim != 3:
        raise _RefusedError(f"has {volume.ndim} axes {volume.shape}: save one volume with three")
    thin = [axis for axis, size in enumerate(volume.shape) if size == 1]
    if len(thin) == 1:
        return thin[0]
    return [int(towards) for towards, _ in _directions(volume)].index(_AXIAL)


def _directions(volume: "Nifti1Image") -> np.ndarray:
    """Returns of each stored axis which of right, front and head it runs along, and 1 or -1."""
    import nibabel

    return nibabel.io_orientation(volume.affine)


def _slice(volume: "Nifti1Image", page: int | None) -> Float[np.ndarray, "height width"]:
    """Returns the values of a slice, as it is shown.

    Raises:
      _RefusedError: it is not there, or its values are no real numbers.
    """
    axis = _slice_axis(volume)
    count = volume.shape[axis]
    if page is None and count > 1:
        raise _RefusedError(
            f"has {count} slices: choose one of 0 to {count - 1}, or all, by config.data.pages"
        )
    page = page or 0
    if page >= count:
        raise _RefusedError(f"has {count} slices, and no slice {page}, counted from 0")
    if volume.get_data_dtype().kind not in "iuf":
        raise _RefusedError("has values that are no real numbers: save it with those")
    directions = _directions(volume)
    place = page if directions[axis, 1] > 0 else count - 1 - page
    index = tuple(place if each == axis else slice(None) for each in range(3))
    values = np.asarray(volume.dataobj[index], np.float64)  # Reads no more than the slice.
    (first, up), (second, front) = (directions[each] for each in range(3) if each != axis)
    # Towards right, front and head as far as each is there; then those run up and to the left.
    values = values[:: int(up), :: int(front)]
    values = values if first < second else values.T
    return values[::-1, ::-1].T


def _range(
    volume: "Nifti1Image", values: Float[np.ndarray, "height width"], window: str
) -> tuple[float, float]:
    """Returns which values become black and white.

    Raises:
      _RefusedError: there is no such window of a volume, or no number in the slice.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise _RefusedError("has a slice without any number: leave it out")
    low, high = (float(volume.header[name]) for name in ("cal_min", "cal_max"))
    if window == OWN and high > low:
        return low, high
    if window in (OWN, PERCENTILES):
        return tuple(np.percentile(finite, CUT_PERCENTILES))
    if window == USED:
        return finite.min(), finite.max()
    raise _RefusedError(
        f"has no window {window!r}, as its values have no whole range: choose another "
        "config.data.window"
    )
