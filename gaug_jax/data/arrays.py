"""Image arrays from `.npz` files, checked before anything is made of them."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from gaug_jax.errors import UserError


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` file; pickles are never executed.

    Raises:
      UserError: the file is absent, damaged or holds pickled objects.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise UserError(f"{path} is no .npz file: save it with numpy.savez")
        with file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: set config.data.path to an .npz file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if "Object arrays" in str(error):
            raise UserError(
                f"{path} holds arrays of Python objects, which are not read: save plain arrays"
            ) from None
        raise UserError(f"{path} cannot be read as .npz ({error}): restore the file") from None


def checked_images(array: np.ndarray, name: str) -> UInt8[np.ndarray, "images height width c"]:
    """Returns images as uint8 [images, height, width, 1 or 3].

    Args:
      array: uint8 [images, height, width] or [images, height, width, 1 or 3].
      name: how errors call it.

    Raises:
      UserError: another dtype or shape, or no image.
    """
    if array.dtype != np.uint8:
        broken = array.dtype.kind == "f" and not np.isfinite(array).all()
        kind = "NaN or infinite values" if broken else f"values of dtype {array.dtype}"
        raise UserError(f"{name} has {kind}: give images as uint8 in 0 .. 255")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or 0 in array.shape:
        raise UserError(
            f"{name} has shape {array.shape}: give [images, height, width] or "
            "[images, height, width, 1 or 3]"
        )
    return array


def checked_labels(array: np.ndarray, count: int, name: str) -> list[str]:
    """Returns labels as text; `[count, 1]` is taken as `[count]`.

    Raises:
      UserError: neither whole numbers nor text, or not one for each of `count` images.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (count,):
        raise UserError(f"{name} has shape {array.shape}: give one for each of {count} images")
    if array.dtype.kind not in "iubUS":
        raise UserError(f"{name} has dtype {array.dtype}: give whole numbers or text")
    return [_text(value) for value in array.tolist()]


def named_labels(labels: list[str], arrays: dict[str, np.ndarray], name: str) -> list[str]:
    """Returns labels by name where a file has the names of its numbers.

    Args:
      labels: of the images.
      arrays: of the file; `class_names` are names in the order of the numbers.
      name: how errors call these names.

    Raises:
      UserError: a label is no number of a name.
    """
    if "class_names" not in arrays:
        return labels
    count = arrays["class_names"].size
    names = checked_labels(arrays["class_names"], count, name)
    numbers = {str(number): each for number, each in enumerate(names)}
    absent = sorted({label for label in labels if label not in numbers})
    if absent:
        raise UserError(
            f"{name} has {count} names and a label is {absent[0]}: give a name for each number "
            "from 0, or leave the names out"
        )
    return [numbers[label] for label in labels]


def _text(value: Any) -> str:
    """Returns a scalar as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
