"""Fits of one arm on one split and training size, tuned on the validation part alone."""

import dataclasses
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from gaug_jax.classifiers.fit import class_probabilities, fit_classifiers
from gaug_jax.classifiers.fitted import FittedClassifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.arms import ARMS, arm_images, without_middle
from gaug_jax.evaluation.metrics import classification as scores

Probabilities = Float[np.ndarray, "fits images classes"]


class Parts(NamedTuple):
    """The real images of one split and training size."""

    train: Labelled
    validation: Labelled
    test: Labelled
    external: Labelled | None


class Fitted(NamedTuple):
    """What the chosen fits say, one for each classifier seed.

    Attributes:
      optimizer_steps: of each.
      learning_rate: chosen on the validation part; of a joint classifier its own.
      validation: probabilities there.
      test: probabilities of the test part, by fits with that learning rate.
      external: probabilities of the external set, or None.
    """

    optimizer_steps: int
    learning_rate: float
    validation: Probabilities
    test: Probabilities
    external: Probabilities | None


@dataclasses.dataclass(frozen=True)
class Budget:
    """What is the same for every arm.

    Attributes:
      spec: of the classifiers, but for the augmentation.
      seeds: of the classifiers.
      learning_rates: the grid, tried by every arm.
      balanced: weigh classes by the inverse of their number.
      endpoint: figure of one split that the learning rate is chosen by.
      pseudo_label_weight: of the loss on unlabelled images.
      most_images: of any arm's fits, so that all share their programs.
    """

    spec: ClassifierSpec
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    balanced: bool
    endpoint: str
    pseudo_label_weight: float
    most_images: int = 1


def fit_arm(
    name: str, parts: Parts, synthetic: Labelled | None, budget: Budget, seed: int
) -> Fitted:
    """Returns an arm's fits: every seed at every learning rate, in one program.

    Args:
      name: of the arm.
      parts: of the split and training size.
      synthetic: generated images of the arm, or None.
      budget: the same for all arms.
      seed: of what the arm draws beside its fits.
    """
    arm = ARMS[name]
    spec = dataclasses.replace(
        budget.spec,
        augmentation=arm.augmentation,
        pseudo_label_weight=budget.pseudo_label_weight if arm.mode == "unlabelled" else 0.0,
    )
    data = arm_images(
        arm, parts.train, synthetic, len(spec.class_names), spec.steps,
        np.random.default_rng([seed, 1]), budget.balanced, budget.most_images,
    )  # fmt: skip
    grid = [(rate, each) for rate in budget.learning_rates for each in budget.seeds]
    rates, seeds = (np.array(column) for column in zip(*grid, strict=True))
    variables = fit_classifiers(data, spec, seeds, rates, quiet=True)
    shown = without_middle if arm.mode == "borders" else lambda images: images
    validation = class_probabilities(variables, shown(parts.validation.images), spec)
    chosen = choose_learning_rate(validation, parts.validation.labels, rates, budget.endpoint)
    mine = np.flatnonzero(rates == chosen)
    test = class_probabilities(variables, shown(parts.test.images), spec)[mine]
    external = None
    if parts.external is not None:
        external = class_probabilities(variables, shown(parts.external.images), spec)[mine]
    return Fitted(spec.steps, chosen, validation[mine], test, external)


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

    def said(part: Labelled) -> Probabilities:
        return class_probabilities(stacked, part.images, classifier.spec)[:, :, order]

    external = None if parts.external is None else said(parts.external)
    steps = classifier.spec.steps
    return Fitted(steps, learning_rate, said(parts.validation), said(parts.test), external)


def choose_learning_rate(
    validation: Probabilities,
    labels: Int[np.ndarray, " images"],
    rates: Float[np.ndarray, " fits"],
    endpoint: str,
) -> float:
    """Returns the learning rate with the best mean endpoint on the validation part.

    Among equals, and where the endpoint is not defined, the least log loss.
    """

    def worth(rate: float) -> tuple[float, float]:
        fits = validation[rates == rate]
        loss = np.mean([scores.log_loss(each, labels) for each in fits])
        return mean_endpoint(fits, labels, endpoint), -float(loss)

    return float(max(np.unique(rates), key=worth))


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
    budget: Budget,
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
      budget: the same for all arms.
      seeds: of the classifiers.
    """
    rows = []
    for place, seed in enumerate(seeds):
        row = {
            **common,
            "classifier_seed": seed,
            "optimizer_steps": fitted.optimizer_steps,
            "learning_rate": fitted.learning_rate,
            "num_train": len(parts.train.labels),
            **scores.plain_figures(fitted.test[place], parts.test.labels),
        }
        validation = scores.plain_figures(fitted.validation[place], parts.validation.labels)
        row |= {f"validation_{name}": value for name, value in validation.items()}
        if len(budget.spec.class_names) == 2:
            found = threshold_at_90_specificity(fitted.validation[place], parts.validation.labels)
            row |= deployed(fitted.test[place], parts.test.labels, found)
        if fitted.external is not None:
            outside = scores.plain_figures(fitted.external[place], parts.external.labels)
            row |= {f"external_{name}": value for name, value in outside.items()}
        rows.append(row)
    return rows
