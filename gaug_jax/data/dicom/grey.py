"""Stored values of a grey film to what a screen shows: PS3.3 C.11, in float64.

The order is the standard's: Modality LUT (C.11.1), VOI LUT or window (C.11.2), and then the
inversion of MONOCHROME1 (C.7.6.3.1.2). pydicom's `apply_windowing` agrees with the formulas
here; its results lie in the range of its input, not in [0, 1].
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from gaug_jax.data.dicom.opening import RefusedError
from gaug_jax.data.dicom.tables import table_of, unit_to_bytes
from gaug_jax.picture_files import CUT_PERCENTILES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Values = Float[np.ndarray, "height width"]
Range = tuple[float, float]


def shown(
    dataset: "Dataset",
    stored: Int[np.ndarray, "height width"],
    window: str,
    voi: int,
    frame: int,
    little_endian: bool,
) -> UInt8[np.ndarray, "height width"]:
    """Returns what a screen shows of a film, [0, 255].

    Padding (C.7.5.1.1.2) is black: it is not a part of the image, and is neither windowed nor
    inverted.

    Args:
      dataset: with the film's tags.
      stored: the film's pixels as they are stored.
      window: `dicom`, `full`, `used` or `percentiles`, as `read_dicom` has them.
      voi: which of several VOI LUTs or windows.
      frame: number of the frame, from 0.
      little_endian: whether tables of bytes are.

    Raises:
      RefusedError: a window is not as the standard has it, or `voi` is not there.
      ValueError: a table or the rescaling is not as the standard has it.
    """
    padding = _padding(dataset, stored)
    values, whole = _modality(dataset, stored, frame, little_endian)
    unit = None
    if window == "dicom":
        unit = _voi(_of_frame(dataset, "FrameVOILUTSequence", frame), values, voi, little_endian)
    if unit is None:
        low, high = whole if window == "full" else _range(values[~padding], window)
        unit = (values - low) / (high - low) if high > low else np.zeros_like(values)
    if _inverted(dataset):
        unit = 1 - unit
    unit[padding] = 0
    return unit_to_bytes(unit)


def _range(values: Float[np.ndarray, " pixels"], window: str) -> Range:
    """Returns the values that become black and white: percentiles, or the extremes.

    The extremes serve too where both percentiles are the same value.
    """
    if not values.size:
        return 0.0, 0.0
    if window != "used":
        low, high = np.percentile(values, CUT_PERCENTILES)
        if high > low:
            return float(low), float(high)
    return float(values.min()), float(values.max())


def _inverted(dataset: "Dataset") -> bool:
    """Returns whether the least value is shown white (C.7.6.3.1.2, C.11.6).

    A film of MONOCHROME1 has the presentation LUT shape INVERSE too (C.8.11.3.1.2): both say
    the same thing, and it is done once.
    """
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    return dataset.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE"


def _stored_range(dataset: "Dataset") -> tuple[int, int]:
    """Returns the least and the greatest value that can be stored."""
    bits = int(dataset.BitsStored)
    if dataset.PixelRepresentation == 1:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _padding(
    dataset: "Dataset", stored: Int[np.ndarray, "height width"]
) -> Bool[np.ndarray, "height width"]:
    """Returns which pixels are padding: the padding value, or from it to its range limit."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [int(value), int(value if limit is None else limit)]
    if dataset.PixelRepresentation == 1:
        # Many writers give the tag of signed films the unsigned VR: 63536 is -2000.
        half = 2 ** (int(dataset.BitsAllocated) - 1)
        ends = [end - 2 * half if end >= half else end for end in ends]
    return (stored >= min(ends)) & (stored <= max(ends))


def _of_frame(dataset: "Dataset", sequence: str, frame: int) -> "Dataset":
    """Returns where a frame has the tags of a functional group: its own, the shared, the image's.

    Enhanced images have them in groups (C.7.6.16), others in the data set itself.
    """
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1]
    groups += list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
    for group in groups:
        if group.get(sequence):
            return group[sequence].value[0]
    return dataset


def _modality(
    dataset: "Dataset", stored: Int[np.ndarray, "height width"], frame: int, little_endian: bool
) -> tuple[Values, Range]:
    """Returns the values after the Modality LUT (C.11.1), and the range that they may have."""
    if dataset.get("ModalityLUTSequence"):
        table = table_of(dataset.ModalityLUTSequence[0], little_endian)
        return table.look_up(stored).astype(np.float64), (0.0, 2.0**table.bits - 1)
    tags = _of_frame(dataset, "PixelValueTransformationSequence", frame)
    slope, intercept = (
        default if tags.get(name) is None else float(tags[name].value)
        for name, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
    )
    if slope == 0:
        raise ValueError("its Rescale Slope is 0")
    low, high = sorted(slope * end + intercept for end in _stored_range(dataset))
    return slope * stored.astype(np.float64) + intercept, (low, high)


def _voi(tags: "Dataset", values: Values, voi: int, little_endian: bool) -> Values | None:
    """Returns values in [0, 1] by a VOI LUT or window (C.11.2), or None where there is none.

    Tables go first: where a film has both, they are the look that its maker chose, and a
    window cannot follow their curve.
    """
    luts = list(tags.get("VOILUTSequence") or [])
    centres, widths = (_numbers(tags.get(name)) for name in ("WindowCenter", "WindowWidth"))
    windows = list(zip(centres, widths, strict=False))
    count = len(luts or windows)
    if voi and not 0 <= voi < count:
        raise RefusedError(f"has {count} windows, counted from 0: voi={voi} is none of them")
    if luts:
        table = table_of(luts[voi], little_endian)
        return table.look_up(values) / (2.0**table.bits - 1)
    if windows:
        return window_function(values, *windows[voi], tags.get("VOILUTFunction") or "LINEAR")
    return None


def _numbers(value) -> list[float]:
    """Returns the numbers of a tag that may be absent, empty, one or several."""
    if value is None:
        return []
    return [float(number) for number in np.atleast_1d(value)]


def window_function(values: Values, centre: float, width: float, function: str) -> Values:
    """Returns values in [0, 1] by a window (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2).

    Args:
      values: after the Modality LUT.
      centre: in their unit.
      width: at least 1 for LINEAR, more than 0 otherwise.
      function: LINEAR, LINEAR_EXACT or SIGMOID.

    Raises:
      RefusedError: the width is not allowed, or the function not known.
    """
    function = function.strip().upper()
    if width < 1 if function == "LINEAR" else width <= 0:
        raise RefusedError(f"has a window of width {width:g}: take window='percentiles'")
    if function == "SIGMOID":
        # exp overflows to infinity far below the window, where the result is 0, as it should be.
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    elif function != "LINEAR_EXACT":
        raise RefusedError(f"has the VOI LUT Function {function}: take window='percentiles'")
    if width == 0:
        return (values > centre).astype(np.float64)
    return np.clip((values - centre) / width + 0.5, 0, 1)
