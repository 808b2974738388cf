"""Arrays in an `.npz` file: `images` and `labels`, or MedMNIST's `train_images` and so on."""

from pathlib import Path

import numpy as np

from gaug_jax.data.arrays import checked_images, checked_labels, named_labels, read_arrays
from gaug_jax.data.paths import listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_VERSION = "1"
_GROUPS = "groups"
# How names of arrays begin, and the part that they are.
_PARTS = {"train_": "train", "val_": "validation", "test_": "test"}


def read(settings: DataSettings) -> SourceData:
    """Returns the images of the file `data.path`.

    Arrays: `images` uint8 [images, height, width(, 1 or 3)] and `labels` [images] or
    [images, 1], or the same with `train_`, `val_` and `test_` before each name. Labels are numbers
    of `class_names` where there is such an array. Groups are the array that `data.group` names, or
    `groups` where there is one.

    Raises:
      UserError: the file is absent or damaged, or its arrays are not as above.
    """
    if settings.path is None:
        raise UserError("config.data.path is not set: source npz needs an .npz file")
    path = Path(settings.path).expanduser()
    if path.is_dir():
        raise UserError(f"config.data.path={settings.path!r} is a folder: give an .npz file")
    arrays = read_arrays(path)
    prefixes = {prefix: part for prefix, part in _PARTS.items() if f"{prefix}images" in arrays}
    if "images" in arrays:
        prefixes = {"": None}
    if not prefixes:
        raise UserError(
            f"{path} has no array 'images' or 'train_images', only {listed(sorted(arrays))}: "
            "name them so"
        )
    records = []
    for prefix, part in prefixes.items():
        records += _records(arrays, prefix, part, settings.group, str(path))
    return SourceData("npz", _VERSION, tuple(records))


def _records(
    arrays: dict[str, np.ndarray], prefix: str, part: str | None, group: str | None, path: str
) -> list[Record]:
    """Returns the records of the arrays whose names begin with `prefix`."""
    images = checked_images(arrays[f"{prefix}images"], f"{path}: {prefix}images")
    if f"{prefix}labels" not in arrays:
        raise UserError(f"{path} has no array '{prefix}labels': add one, a label for each image")
    labels = checked_labels(arrays[f"{prefix}labels"], len(images), f"{path}: {prefix}labels")
    labels = named_labels(labels, arrays, f"{path}: class_names")
    groups = _groups(arrays, prefix, group, len(images), path)
    return [
        Record(f"{prefix}{index:06d}", image, label=label, group=group, part=part)
        for index, (image, label, group) in enumerate(zip(images, labels, groups, strict=True))
    ]


def _groups(
    arrays: dict[str, np.ndarray], prefix: str, group: str | None, count: int, path: str
) -> list[str] | list[None]:
    """Returns the group of each image, or None for each where there is no such array."""
    name = f"{prefix}{group or _GROUPS}"
    if name in arrays:
        return checked_labels(arrays[name], count, f"{path}: {name}")
    if group is not None:
        raise UserError(f"config.data.group={group!r}: {path} has no array {name!r}")
    return [None] * count
