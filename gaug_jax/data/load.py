"""All usable images of a source with their classes and groups, before they are split."""

import dataclasses
import re
from typing import Any

import numpy as np
from jaxtyping import Int32, UInt8

from gaug_jax.data.duplicates import Duplicates, connected, find_duplicates
from gaug_jax.data.licences import allowed
from gaug_jax.data.paths import listed
from gaug_jax.data.picture_notes import picture_notes
from gaug_jax.data.picture_summary import picture_summary
from gaug_jax.data.preprocess import Preprocessed, preprocess
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

MERGED_CLASS = "other"


@dataclasses.dataclass(frozen=True)
class LoadedData:
    """The images of a source that are used, whatever part each will be in.

    Attributes:
      source: what the source says of itself and of all its pictures.
      images: [0, 255], square.
      pictures: what they are, by `picture_summary`.
      records: where each image came from.
      labels: class of each image.
      class_names: in natural order (2 before 10).
      class_changes: sizes of the classes `dropped` and `merged`.
      groups: what must stay together; duplicates share one.
      duplicates: among the images.
      unreadable: name and reason of each picture that could not be read.
      left_out: names of pictures that `data.licenses` leaves out.
    """

    source: SourceData
    images: UInt8[np.ndarray, "images height width channels"]
    pictures: dict[str, Any]
    records: list[Record]
    labels: Int32[np.ndarray, " images"]
    class_names: tuple[str, ...]
    class_changes: dict[str, dict[str, int]]
    groups: Int32[np.ndarray, " images"]
    duplicates: Duplicates
    unreadable: dict[str, str]
    left_out: list[str]


def load(settings: DataSettings) -> LoadedData:
    """Reads and preprocesses a data set.

    Args:
      settings: those of the split have no influence.

    Raises:
      UserError: the source or its data is not usable, or pictures are absent or cannot be read
        and `allow_missing` is not set.
    """
    source, left_out = _licensed(read_source(settings), settings)
    made = preprocess(source, settings)
    notes = picture_notes(made.facts, settings)
    source = dataclasses.replace(source, notes=(*source.notes, *notes))
    _check_readable(source, made, settings)
    found = [source.records[index].label for index in made.kept]
    numbers, class_names, class_changes = _choose_classes(found, settings)
    chosen = np.flatnonzero(numbers >= 0)
    images = made.images if len(chosen) == len(made.images) else made.images[chosen]
    records = [source.records[made.kept[index]] for index in chosen]
    duplicates = find_duplicates(images)
    return LoadedData(
        source=source,
        images=images,
        pictures=picture_summary(records, made.facts[chosen], images),
        records=records,
        labels=numbers[chosen],
        class_names=class_names,
        class_changes=class_changes,
        groups=_merged_groups(records, duplicates),
        duplicates=duplicates,
        unreadable=made.unreadable,
        left_out=left_out,
    )


def _licensed(data: SourceData, settings: DataSettings) -> tuple[SourceData, list[str]]:
    """Returns the source without what its licences leave out, and the names of that."""
    used = allowed(data, settings.licenses)
    pairs = list(zip(data.records, used, strict=True))
    kept = tuple(record for record, each in pairs if each)
    return dataclasses.replace(data, records=kept), [each.name for each, use in pairs if not use]


def _check_readable(data: SourceData, made: Preprocessed, settings: DataSettings) -> None:
    """Raises `UserError` where pictures are absent or cannot be read, unless that is allowed."""
    if settings.allow_missing and len(made.images):
        return
    complaints, first = [], ""
    if data.missing:
        complaints.append(f"{len(data.missing)} pictures are absent: {listed(data.missing)}")
    if made.unreadable:
        names = list(made.unreadable)
        complaints.append(f"{len(names)} pictures cannot be read: {listed(names)}")
        first = f" ({made.unreadable[names[0]]})"
    if not len(made.images):
        raise UserError(
            f"config.data.source={data.source!r}: {'; '.join(complaints)}; none is left{first}"
        )
    if complaints:
        raise UserError(
            f"{'; '.join(complaints)}; restore them, or go on without them by "
            f"--config.data.allow_missing=True{first}"
        )


def natural_order(name: str) -> tuple:
    """Returns a key that sorts numbers in names by their value: 2 before 10."""
    pieces = re.split(r"(\d+)", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)


def _choose_classes(
    labels: list[str], settings: DataSettings
) -> tuple[Int32[np.ndarray, " images"], tuple[str, ...], dict[str, dict[str, int]]]:
    """Returns each image's class (-1: dropped), the classes, and what became of small ones.

    Raises:
      UserError: no class is large enough.
    """
    names, counts = np.unique(labels, return_counts=True)
    sizes = dict(zip(names.tolist(), counts.tolist(), strict=True))
    small = {name: size for name, size in sizes.items() if size < settings.min_class_size}
    changes: dict[str, dict[str, int]] = {"dropped": {}, "merged": {}}
    renamed: dict[str, str | None] = {name: name for name in sizes}
    if small:
        merge = settings.small_classes == "merge"
        changes["merged" if merge else "dropped"] = small
        renamed |= dict.fromkeys(small, MERGED_CLASS if merge else None)
    classes = sorted({name for name in renamed.values() if name is not None}, key=natural_order)
    if not classes:
        raise UserError(
            f"config.data.min_class_size={settings.min_class_size} leaves no class: the largest "
            f"has {max(sizes.values())} images"
        )
    index = {name: number for number, name in enumerate(classes)}
    numbers = np.array([index.get(renamed[label], -1) for label in labels], np.int32)
    return numbers, tuple(classes), changes


def _merged_groups(records: list[Record], duplicates: Duplicates) -> Int32[np.ndarray, " images"]:
    """Returns the groups after duplicates have joined them; an unknown group is its own."""
    first_of: dict[str, int] = {}
    same = [
        (first_of.setdefault(record.group, index), index)
        for index, record in enumerate(records)
        if record.group is not None
    ]
    same = np.array(same, np.int64).reshape(-1, 2)
    return connected(len(records), same, duplicates.exact, duplicates.near)
