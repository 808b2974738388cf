"""Fits of a network for one arm: every seed at every learning rate, in one program."""

import dataclasses

import numpy as np

from gaug_jax.classifiers.fit import class_probabilities, fit_classifiers, training_images
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.arms import Arm, arm_material
from gaug_jax.downstream.cross_validation import Judged, Say, cross_validate
from gaug_jax.downstream.runs import Budget, Fitted, Parts, Probabilities, said_of, worth
from gaug_jax.downstream.tuning import tune

# Between a learning rate and the next.
_FACTOR = 3.0


def fit_network_arm(
    arm: Arm, parts: Parts, synthetic: Labelled | None, budget: Budget, seed: int
) -> Fitted:
    """Returns an arm's fits by the learning rate that is best on the validation part.

    Args:
      arm: which.
      parts: of the split and training size.
      synthetic: generated images of the arm, or None.
      budget: the same for all arms.
      seed: of what the arm draws beside its fits.
    """
    spec = dataclasses.replace(
        budget.spec,
        augmentation=arm.augmentation,
        pseudo_label_weight=budget.pseudo_label_weight if arm.mode == "unlabelled" else 0.0,
    )
    material = arm_material(arm, parts.train, synthetic, np.random.default_rng([seed, 1]))
    data = training_images(
        *material.images, len(spec.class_names), first=material.first, then=material.then,
        switch=spec.steps // 2 if material.first else 0, unlabelled=material.unlabelled,
        balanced=budget.balanced, at_least=budget.most_images,
    )  # fmt: skip

    def fit(rates: list[float]) -> dict[float, tuple[Probabilities, ...]]:
        grid = [(rate, each) for rate in rates for each in budget.seeds]
        of_fits, seeds = (np.array(column) for column in zip(*grid, strict=True))
        variables = fit_classifiers(data, spec, seeds, of_fits, quiet=True)
        said = said_of(parts, lambda images: class_probabilities(variables, images, spec))
        return {
            rate: tuple(None if each is None else each[of_fits == rate] for each in said)
            for rate in rates
        }

    found = tune(
        budget.learning_rates,
        fit,
        lambda said: worth(said[0], parts.validation.labels, budget.endpoint),
        factor=_FACTOR,
        widenings=budget.widenings,
    )
    tuned = {
        "optimizer_steps": spec.steps,
        "learning_rate": found.value,
        "grid_ended": found.at_limit,
    }
    return Fitted(tuned, *found.fits)


def best_learning_rate(parts: Parts, budget: Budget) -> Judged:
    """Returns the learning rate of real images that is best in cross-validation of them.

    Of one classifier of each rate of the grid, which does not widen.

    Args:
      parts: of the split and training size.
      budget: of the network.
    """
    seed = budget.seeds[0]

    def make(rest: Labelled) -> Say:
        data = training_images(
            rest.images, rest.labels, len(budget.spec.class_names), balanced=budget.balanced,
            at_least=budget.most_images,
        )  # fmt: skip

        def say(rates: list[float], images: np.ndarray) -> dict[float, np.ndarray]:
            seeds = np.full(len(rates), seed)
            variables = fit_classifiers(data, budget.spec, seeds, np.array(rates), quiet=True)
            said = class_probabilities(variables, images, budget.spec)
            return dict(zip(rates, said, strict=True))

        return say

    return cross_validate(
        parts.train, parts.groups(), make, budget.learning_rates, budget,
        factor=_FACTOR, widenings=0,
    )  # fmt: skip
