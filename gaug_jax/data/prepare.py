"""Stage 1 as a whole: from the config's data section to images, labels and parts."""

import dataclasses
import logging
import re
from typing import Any

import numpy as np
from jaxtyping import Int32, Shaped, UInt8

from gaug_jax.data.duplicates import Duplicates, connected, find_duplicates
from gaug_jax.data.licences import allowed
from gaug_jax.data.manifest import Labelled, make_manifest, report_lines
from gaug_jax.data.preprocess import Preprocessed, preprocess
from gaug_jax.data.sources import Record, SourceData, read_source
from gaug_jax.data.sources.paths import listed
from gaug_jax.data.splits import PARTS, TEST, SplitPlan, split
from gaug_jax.settings import DataSettings, UserError

MERGED_CLASS = "other"
_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """A data set that is ready to train on.

    Attributes:
      images: [0, 255], square.
      labels: class of each image.
      groups: what must stay together; duplicates share one.
      parts: `train`, `validation`, `test` or `unused`.
      names: of the images, unique within the source.
      class_names: in natural order (2 before 10).
      groups_known: whether the source says whose each image is.
      manifest: for `data_manifest.json`.
    """

    images: UInt8[np.ndarray, "images height width channels"]
    labels: Int32[np.ndarray, " images"]
    groups: Int32[np.ndarray, " images"]
    parts: Shaped[np.ndarray, " images"]
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    groups_known: bool
    manifest: dict[str, Any]

    def part(
        self, name: str
    ) -> tuple[UInt8[np.ndarray, "images height width channels"], Int32[np.ndarray, " images"]]:
        """Returns the images and labels of a part, in the data set's order."""
        indices = self.indices(name)
        return self.images[indices], self.labels[indices]

    def indices(self, name: str) -> Shaped[np.ndarray, " images"]:
        """Returns where the images of a part are."""
        if name not in PARTS:
            raise ValueError(f"part {name!r} is not one of {', '.join(PARTS)}")
        return np.flatnonzero(self.parts == name)


def prepare(settings: DataSettings) -> PreparedData:
    """Reads, preprocesses and splits a data set.

    Raises:
      UserError: the source or its data is not usable, pictures are absent or cannot be
        read and `allow_missing` is not set, or the parts asked for cannot be had.
    """
    data, left_out = _licensed(read_source(settings), settings)
    made = preprocess(data, settings)
    _check_readable(data, made, settings)
    found = [data.records[index].label for index in made.kept]
    numbers, class_names, class_changes = _choose_classes(found, settings)
    chosen = np.flatnonzero(numbers >= 0)
    images = made.images if len(chosen) == len(made.images) else made.images[chosen]
    labels = numbers[chosen]
    records = [data.records[made.kept[index]] for index in chosen]
    duplicates = find_duplicates(images)
    groups = _merged_groups(records, duplicates)
    official = _official(records, settings)
    used = Labelled(
        records=records,
        labels=labels,
        groups=groups,
        parts=split(labels, groups, _plan(settings), class_names, official),
        class_names=class_names,
        class_changes=class_changes,
        duplicates=duplicates,
        official=official is not None,
    )
    manifest = make_manifest(settings, data, made.unreadable, left_out, used)
    for line in report_lines(manifest):
        _LOG.warning("%s: %s", data.source, line)
    return PreparedData(
        images=images,
        labels=labels,
        groups=groups,
        parts=used.parts,
        names=tuple(record.name for record in records),
        class_names=class_names,
        groups_known=used.groups_known,
        manifest=manifest,
    )


def _licensed(data: SourceData, settings: DataSettings) -> tuple[SourceData, list[str]]:
    """Returns the source without what its licences leave out, and the names of that."""
    used = allowed(data, settings.licenses)
    pairs = list(zip(data.records, used, strict=True))
    kept = tuple(record for record, each in pairs if each)
    return dataclasses.replace(data, records=kept), [each.name for each, use in pairs if not use]


def _plan(settings: DataSettings) -> SplitPlan:
    """Returns the settings of the split."""
    return SplitPlan(
        num_folds=settings.num_folds,
        fold=settings.fold,
        test_fraction=settings.test_fraction,
        validation_fraction=settings.validation_fraction,
        seed=settings.split_seed,
        train_size=settings.train_size,
        train_size_per_class=settings.train_size_per_class,
    )


def _check_readable(data: SourceData, made: Preprocessed, settings: DataSettings) -> None:
    """Raises `UserError` where pictures are absent or cannot be read, unless that is allowed."""
    if settings.allow_missing and len(made.images):
        return
    complaints = []
    if data.missing:
        complaints.append(f"{len(data.missing)} pictures are absent: {listed(data.missing)}")
    if made.unreadable:
        names = list(made.unreadable)
        complaints.append(f"{len(names)} pictures cannot be read: {listed(names)}")
    if not len(made.images):
        raise UserError(
            f"config.data.source={data.source!r}: {'; '.join(complaints)}; none is left"
        )
    if complaints:
        raise UserError(
            f"{'; '.join(complaints)}; restore them, or go on without them by "
            "--config.data.allow_missing=True"
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


def _official(
    records: list[Record], settings: DataSettings
) -> Shaped[np.ndarray, " images"] | None:
    """Returns the publisher's parts, where they are to be kept and have a test part."""
    parts = np.array([record.part or "" for record in records])
    return parts if settings.official_test and (parts == TEST).any() else None
