"""The study's images: its classes in their order, and a second test set."""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax import data
from gaug_jax.data.labelled import Labelled
from gaug_jax.data.manifest import parts_sha256
from gaug_jax.data.splits import TRAIN, VALIDATION
from gaug_jax.downstream.leakage import check_duplicates
from gaug_jax.downstream.runs import Fitted
from gaug_jax.errors import UserError
from gaug_jax.settings import Settings
from gaug_jax.settings.checks import one_of


class ExternalSet(NamedTuple):
    """The external test set.

    Attributes:
      images: [0, 255].
      labels: number of each one's class, in the study's order.
      groups: patient of each, where the set says so; otherwise each image is by itself, with its
        near duplicates.
      sha256: of all images with their labels and groups.
    """

    images: UInt8[np.ndarray, "images height width channels"]
    labels: Int[np.ndarray, " images"]
    groups: Int[np.ndarray, " images"]
    sha256: str

    def labelled(self) -> Labelled:
        """Returns the images and their labels."""
        return Labelled(self.images, self.labels)

    def arrays(
        self, fitted: Fitted, train_groups: Int[np.ndarray, " images"]
    ) -> dict[str, np.ndarray]:
        """Returns what a run's predictions hold of the set, by the names of the arrays.

        Args:
          fitted: the fits of the run.
          train_groups: patient of each training image: what two splits have in common of them is
            what their classifiers are alike by.
        """
        return {
            "external_probabilities": fitted.external.astype(np.float32),
            "external_label": self.labels,
            "external_group": self.groups,
            "train_group": np.unique(train_groups),
        }


def class_order(names: tuple[str, ...], positive: str | None) -> np.ndarray:
    """Returns the classes in the study's order: of two, the positive one is the second."""
    order = np.arange(len(names))
    if positive is None:
        return order
    one_of("classify.positive_class", positive, names)
    if len(names) != 2:
        raise UserError("config.classify.positive_class is for two classes: leave it unset")
    return order if names[1] == positive else order[::-1]


def external_images(
    settings: Settings, prepared: data.PreparedData, order: np.ndarray
) -> ExternalSet | None:
    """Returns the external test set in the study's order of classes, or None.

    Raises:
      UserError: it cannot be read, has a class that the data has not, or has images that were
        learnt or chosen from.
    """
    path = settings.classify.external
    if path is None:
        return None
    source = "npz" if path.endswith(".npz") else "folder"
    outside = data.prepare(
        dataclasses.replace(
            settings.data, source=source, path=path, label=None, group=None, num_folds=0,
            official_test=False, train_size=None, test_fraction=0.0, validation_fraction=0.0,
            min_class_size=0,
        )
    )  # fmt: skip
    unknown = sorted(set(outside.class_names) - set(prepared.class_names))
    if unknown:
        raise UserError(
            f"config.classify.external={path!r} has a class {unknown[0]!r} that the data has not: "
            f"its classes are {', '.join(prepared.class_names)}"
        )
    _check_external(prepared, outside, path)
    places = [prepared.class_names.index(name) for name in outside.class_names]
    labels = np.argsort(order)[np.array(places)][outside.labels]
    return ExternalSet(
        outside.images, labels.astype(np.int32), outside.groups, parts_sha256(outside.manifest)
    )


def _check_external(prepared: data.PreparedData, outside: data.PreparedData, path: str) -> None:
    """Raises `UserError` where the external set has images that were learnt or chosen from."""
    seen = np.flatnonzero(np.isin(prepared.parts, (TRAIN, VALIDATION)))
    check_duplicates(
        np.concatenate([prepared.images[seen], outside.images]),
        (*(prepared.names[row] for row in seen), *outside.names),
        np.concatenate([prepared.parts[seen], np.full(len(outside.images), f"external: {path}")]),
    )
