"""Stage 1 as a whole: from the config's data section to images, labels and parts."""

import dataclasses
import logging
from typing import Any

import numpy as np
from jaxtyping import Int32, Shaped, UInt8

from gaug_jax.data.labelled import Labelled
from gaug_jax.data.load import LoadedData, load
from gaug_jax.data.manifest import UsedImages, make_manifest, report_lines
from gaug_jax.data.record import Record
from gaug_jax.data.splits import PARTS, TEST, SplitPlan, split
from gaug_jax.settings import DataSettings

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

    def part(self, name: str) -> Labelled:
        """Returns the images and labels of a part, in the data set's order."""
        indices = self.indices(name)
        return Labelled(self.images[indices], self.labels[indices])

    def indices(self, name: str) -> Shaped[np.ndarray, " images"]:
        """Returns where the images of a part are."""
        if name not in PARTS:
            raise ValueError(f"part {name!r} is not one of {', '.join(PARTS)}")
        return np.flatnonzero(self.parts == name)


def prepare(
    settings: DataSettings, loaded: LoadedData | None = None, *, report: bool = True
) -> PreparedData:
    """Reads, preprocesses and splits a data set.

    Args:
      settings: of the data.
      loaded: its images, where they were loaded before: splits and training sizes of one data
        set share them.
      report: whether the manifest's lines are logged.

    Raises:
      UserError: as of `load`, or the parts asked for cannot be had.
    """
    if loaded is None:
        loaded = load(settings)
    official = _official(loaded.records, settings)
    used = UsedImages(
        records=loaded.records,
        labels=loaded.labels,
        groups=loaded.groups,
        parts=split(loaded.labels, loaded.groups, _plan(settings), loaded.class_names, official),
        class_names=loaded.class_names,
        class_changes=loaded.class_changes,
        duplicates=loaded.duplicates,
        official=official is not None,
    )
    manifest = make_manifest(settings, loaded, used)
    for line in report_lines(manifest) if report else ():
        _LOG.warning("%s: %s", loaded.source.source, line)
    return PreparedData(
        images=loaded.images,
        labels=loaded.labels,
        groups=loaded.groups,
        parts=used.parts,
        names=tuple(record.name for record in loaded.records),
        class_names=loaded.class_names,
        groups_known=used.groups_known,
        manifest=manifest,
    )


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


def _official(
    records: list[Record], settings: DataSettings
) -> Shaped[np.ndarray, " images"] | None:
    """Returns the publisher's parts, where they are to be kept and have a test part."""
    parts = np.array([record.part or "" for record in records])
    return parts if settings.official_test and (parts == TEST).any() else None
