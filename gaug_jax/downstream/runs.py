"""One arm on one split and training size: what its fits say, and the rows of them."""

import dataclasses
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from gaug_jax.classifiers.fit import class_probabilities
from gaug_jax.classifiers.fitted import FittedClassifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.regions import part_in_region
from gaug_jax.evaluation.metrics import classification as scores

Probabilities = Float[np.ndarray, "fits images classes"]


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """The real images of one split and training size.

    Attributes:
      train: the training part.
      validation: the validation part.
      test: the test part.
      external: a second test set, or None.
      train_groups: patient of each training image; None where each is by itself.
    """

    train: Labelled
    validation: Labelled
    test: Labelled
    external: Labelled | None
    train_groups: Int[np.ndarray, " images"] | None = None

    def groups(self) -> Int[np.ndarray, " images"]:
        """Returns the patient of each training image."""
        if self.train_groups is None:
            return np.arange(len(self.train.labels))
        return self.train_groups

    def without_test(self) -> "Parts":
        """Returns parts for a choice: the validation part stands in for the test part."""
        return dataclasses.replace(self, test=self.validation, external=None)

    def in_region(self, region: str) -> "Parts":
        """Returns what a classifier of a region sees of each part."""
        parts = (self.train, self.validation, self.test, self.external)
        return Parts(*(part_in_region(part, region) for part in parts), self.train_groups)


class Fitted(NamedTuple):
    """What the chosen fits say, one for each classifier seed.

    Attributes:
      tuned: what was chosen on the validation part, by the names of its columns in `runs.jsonl`.
      validation: probabilities there.
      test: probabilities of the test part, by fits with what was chosen.
      external: probabilities of the external set, or None.
    """

    tuned: dict[str, Any]
    validation: Probabilities
    test: Probabilities
    external: Probabilities | None


@dataclasses.dataclass(frozen=True)
class Budget:
    """What is the same for every arm.

    Attributes:
      spec: of the classifiers, but for the augmentation; its architecture may be a linear one.
      seeds: of the classifiers.
      learning_rates: the grid that every arm of a network begins with.
      penalties: that of a linear model.
      widenings: how often a grid may widen.
      copies: augmented copies of each image that a linear model is fitted to.
      balanced: weigh classes by the inverse of their number.
      endpoint: figure of one split that values of a grid are chosen by.
      pseudo_label_weight: of the loss on unlabelled images.
      most_images: of any arm's fits, so that all share their programs.
    """

    spec: ClassifierSpec
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    penalties: tuple[float, ...]
    widenings: int
    copies: int
    balanced: bool
    endpoint: str
    pseudo_label_weight: float
    most_images: int = 1


def said_of(parts: Parts, say: Any) -> tuple[Probabilities, Probabilities, Probabilities | None]:
    """Returns what fits say of the validation part, the test part and the external set.

    Args:
      parts: of the split and training size.
      say: from images to probabilities of each fit.
    """
    external = None if parts.external is None else say(parts.external.images)
    return say(parts.validation.images), say(parts.test.images), external


def majority(parts: Parts, num_classes: int, seeds: tuple[int, ...]) -> Fitted:
    """Returns the training part's commonest class, whatever the image.

    Args:
      parts: of the split and training size.
      num_classes: of the labels.
      seeds: of the classifiers, which all say the same.
    """
    counts = np.bincount(parts.train.labels, minlength=num_classes)
    always = np.eye(num_classes)[counts.argmax()]
    return Fitted({}, *said_of(parts, lambda images: np.tile(always, (len(seeds), len(images), 1))))


def joint_arm(
    classifier: FittedClassifier,
    learning_rate: float,
    order: Int[np.ndarray, " classes"],
    parts: Parts,
) -> Fitted:
    """Returns what a classifier that was trained along with its generator says.

    Args:
      classifier: as it was fitted.
      learning_rate: that it was fitted with.
      order: of its classes in the study.
      parts: of the split and training size.
    """
    stacked = jax.tree.map(lambda leaf: leaf[None], classifier.variables)

    def say(images: np.ndarray) -> Probabilities:
        return class_probabilities(stacked, images, classifier.spec)[:, :, order]

    tuned = {"optimizer_steps": classifier.spec.steps, "learning_rate": learning_rate}
    return Fitted(tuned, *said_of(parts, say))


def worth(
    validation: Probabilities, labels: Int[np.ndarray, " images"], endpoint: str
) -> tuple[float, float]:
    """Returns what the best value of a grid has the most of: first the mean endpoint.

    Among equals, and where the endpoint is not defined, the least log loss.

    Args:
      validation: what the fits of one value say of the validation part.
      labels: of its images.
      endpoint: of the study.
    """
    loss = np.mean([scores.log_loss(each, labels) for each in validation])
    return mean_endpoint(validation, labels, endpoint), -float(loss)


def mean_endpoint(fits: Probabilities, labels: Int[np.ndarray, " images"], endpoint: str) -> float:
    """Returns the mean of a figure over fits; -1 where it is not defined."""
    once = np.ones((1, len(labels)))
    value = np.mean([scores.FIGURES[endpoint](each, labels, once)[0] for each in fits])
    return float(value) if np.isfinite(value) else -1.0


def threshold_at_90_specificity(
    validation: Float[np.ndarray, "images 2"], labels: Int[np.ndarray, " images"]
) -> float:
    """Returns the least score above nine tenths of the validation part's negative images."""
    negatives = np.sort(validation[labels == 0, 1])
    if not len(negatives):
        return 1.0
    allowed = int(np.floor(0.1 * len(negatives) + 1e-9))
    return float(np.nextafter(negatives[len(negatives) - 1 - allowed], 2.0))


def deployed(
    test: Float[np.ndarray, "images 2"], labels: Int[np.ndarray, " images"], threshold: float
) -> dict[str, float | None]:
    """Returns sensitivity and specificity that a threshold reaches on the test part."""
    called = test[:, 1] >= threshold
    sides = {
        "deployed_sensitivity": called[labels == 1],
        "deployed_specificity": ~called[labels == 0],
    }
    return {name: float(side.mean()) if len(side) else None for name, side in sides.items()}


def run_rows(
    common: dict[str, Any],
    fitted: Fitted,
    parts: Parts,
    num_classes: int,
    seeds: tuple[int, ...],
) -> list[dict[str, Any]]:
    """Returns a row of `runs.jsonl` for each classifier seed.

    Every figure is of the probabilities as the classifier gives them, its calibration error too,
    which would otherwise say how well it was calibrated afterwards. A row is of one classifier:
    nothing in it is compared with another one's scores.

    Args:
      common: arm, size, ratio, filter, split and generator seed.
      fitted: the fits.
      parts: of the split and training size.
      num_classes: of the labels.
      seeds: of the classifiers.
    """
    rows = []
    for place, seed in enumerate(seeds):
        row = {
            **common,
            "classifier_seed": seed,
            "optimizer_steps": None,
            "learning_rate": None,
            **fitted.tuned,
            "num_train": len(parts.train.labels),
            **scores.plain_figures(fitted.test[place], parts.test.labels),
        }
        validation = scores.plain_figures(fitted.validation[place], parts.validation.labels)
        row |= {f"validation_{name}": value for name, value in validation.items()}
        if num_classes == 2:
            found = threshold_at_90_specificity(fitted.validation[place], parts.validation.labels)
            row |= deployed(fitted.test[place], parts.test.labels, found)
        if fitted.external is not None:
            outside = scores.plain_figures(fitted.external[place], parts.external.labels)
            row |= {f"external_{name}": value for name, value in outside.items()}
        rows.append(row)
    return rows
