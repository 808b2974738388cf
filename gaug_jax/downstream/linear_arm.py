"""Fits of a linear model on features for one arm.

Augmentation and generated images enter through their features: each image is there as it is and,
in arms that augment, as a number of augmented copies, which together weigh as much as one image.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaug_jax.classifiers.copies import augmented_copies
from gaug_jax.classifiers.fit import class_weights
from gaug_jax.classifiers.frozen import Features, Images, features_of
from gaug_jax.classifiers.logistic import Logistic, Regression, logistic_probabilities
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.arms import Arm, Material, arm_material
from gaug_jax.downstream.cross_validation import Judged, Say, cross_validate
from gaug_jax.downstream.runs import Budget, Fitted, Parts, Probabilities, said_of

# Between a penalty and the next.
_FACTOR = 10.0**0.5
# Penalties of splits and policies that are kept, so that arms with the same share the search.
_KEPT = 64
# The search needs no more copies of an image to find the order of size of a penalty.
_COPIES_OF_SEARCH = 2


def fit_linear_arm(
    arm: Arm, parts: Parts, synthetic: Labelled | None, budget: Budget, seed: int
) -> Fitted:
    """Returns an arm's fits, one for each classifier seed: they differ in augmented copies alone.

    The penalty is the best one for real images with the arm's augmentation, so that no generated
    image takes part in its choice.

    Args:
      arm: which; of `pixels` the features are principal components whatever the architecture.
      parts: of the split and training size.
      synthetic: generated images of the arm, or None.
      budget: the same for all arms.
      seed: of what the arm draws beside its fits.
    """
    kind = "pixels" if arm.mode == "pixels" else budget.spec.architecture
    penalty = best_penalty(arm.augmentation, kind, parts, budget)
    features = features_of(kind, parts.train.images)
    material = arm_material(arm, parts.train, synthetic, np.random.default_rng([seed, 1]))
    distinct = budget.seeds if arm.augmentation != "none" else budget.seeds[:1]
    models = [
        _Fits(_Rowed(features, arm.augmentation, budget, each), material).model(penalty.value)
        for each in distinct
    ]

    def say(images: Images) -> Probabilities:
        seen = features(images)
        each = np.stack([logistic_probabilities(model, seen) for model in models])
        return np.tile(each, (len(budget.seeds) // len(models), 1, 1))

    tuned = {"penalty": penalty.value, "grid_ended": penalty.at_limit}
    return Fitted(tuned, *said_of(parts, say))


@functools.lru_cache(_KEPT)
def best_penalty(policy: str, kind: str, parts: Parts, budget: Budget) -> Judged:
    """Returns the penalty of real images with an augmentation, by the first classifier seed.

    It is chosen by cross-validation of the training part: a validation part of some forty films
    chose penalties that cost 0.03 of the AUROC (docs/results.md).

    Args:
      policy: of the augmentation.
      kind: what the features are of, one of `LINEAR`.
      parts: of the split and training size.
      budget: with the grid, how often it may widen, and the endpoint.
    """
    fewer = dataclasses.replace(budget, copies=min(budget.copies, _COPIES_OF_SEARCH))

    def make(rest: Labelled) -> Say:
        features = features_of(kind, rest.images)
        rowed = _Rowed(features, policy, fewer, budget.seeds[0])
        fits = _Fits(rowed, Material(rest, None, (0, len(rest.labels))))

        def say(penalties: list[float], images: Images) -> dict[float, np.ndarray]:
            seen = features(images)
            models = {penalty: fits.model(penalty) for penalty in penalties}
            return {each: logistic_probabilities(model, seen) for each, model in models.items()}

        return say

    return cross_validate(
        parts.train, parts.groups(), make, budget.penalties, budget,
        factor=_FACTOR, widenings=budget.widenings,
    )  # fmt: skip


class _Rows(NamedTuple):
    """What a model is fitted to."""

    features: Float[np.ndarray, "rows features"]
    targets: Float[np.ndarray, "rows classes"]
    weights: Float[np.ndarray, " rows"]


class _Rowed:
    """From images to the rows of a fit, by one classifier seed's augmented copies."""

    def __init__(
        self, features: Callable[[Images], Features], policy: str, budget: Budget, seed: int
    ) -> None:
        self._features, self._policy, self._budget, self._seed = features, policy, budget, seed

    def rows(self, part: Labelled) -> _Rows:
        """Returns the rows of images and their copies."""
        budget, count = self._budget, len(part.labels)
        num_classes = len(budget.spec.class_names)
        targets = np.eye(num_classes)[part.labels]
        images, shares = [part.images], [targets]
        for number in range(budget.copies if self._policy != "none" else 0):
            made, mixed = augmented_copies(
                part.images, targets, self._policy, self._seed, number, flip=budget.spec.flip
            )
            images.append(made)
            shares.append(mixed.astype(np.float64))
        all_shares = np.concatenate(shares)
        weights = all_shares @ class_weights(part.labels, num_classes, budget.balanced)
        seen = np.concatenate([self._features(each) for each in images])
        return _Rows(seen, all_shares, weights / len(images) / count)

    def pseudo_labelled(self, part: Labelled, model: Logistic) -> _Rows:
        """Returns images with the classes that a model gives them, of the weight of that loss."""
        seen = self._features(part.images)
        classes = logistic_probabilities(model, seen).argmax(axis=1)
        targets = np.eye(len(model.bias))[classes]
        each = self._budget.pseudo_label_weight / len(classes)
        return _Rows(seen, targets, np.full(len(classes), each))


class _Fits:
    """Models of one classifier seed by their penalty, each beginning where the last one ended."""

    def __init__(self, rowed: _Rowed, material: Material) -> None:
        def between(bounds: tuple[int, int]) -> Labelled:
            return Labelled(*(each[slice(*bounds)] for each in material.images))

        self._rowed = rowed
        self._then = rowed.rows(between(material.then))
        self._first = rowed.rows(between(material.first)) if material.first else None
        self._plain = None if material.first else Regression(*self._then)
        unlabelled = between(material.unlabelled)
        self._unlabelled = unlabelled if len(unlabelled.labels) else None
        self._last: Logistic | None = None

    def model(self, penalty: float) -> Logistic:
        """Returns the model of a penalty.

        Where an arm begins with other images, the model shrinks towards theirs; where it has
        images without labels, it is fitted once more with the classes that it gives them.
        """
        regression = self._plain
        if self._first:
            around = Regression(*self._first).model(penalty)
            regression = Regression(*self._then, around=around)
        model = regression.model(penalty, self._last)
        self._last = model
        if not self._unlabelled:
            return model
        more = self._rowed.pseudo_labelled(self._unlabelled, model)
        rows = (np.concatenate(both) for both in zip(self._then, more, strict=True))
        return Regression(*rows).model(penalty)
