"""Fits of one arm on one split and training size, by the study's architecture."""

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from gaug_jax.classifiers.spec import LINEAR
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.arms import ARMS
from gaug_jax.downstream.linear_arm import best_penalty, fit_linear_arm
from gaug_jax.downstream.network_arm import best_learning_rate, fit_network_arm
from gaug_jax.downstream.runs import Budget, Fitted, Parts, majority, worth
from gaug_jax.downstream.tuning import tune


def fit_arm(
    name: str, parts: Parts, synthetic: Labelled | None, budget: Budget, seed: int
) -> Fitted:
    """Returns an arm's fits, tuned without a look at the test part or the external set.

    Args:
      name: of the arm, but for one whose classifier its generator brings.
      parts: of the split and training size.
      synthetic: generated images of the arm, or None.
      budget: the same for all arms.
      seed: of what the arm draws beside its fits.

    Raises:
      UserError: the package of a pretrained network's weights is not there.
    """
    arm = ARMS[name]
    if arm.mode == "majority":
        return majority(parts, len(budget.spec.class_names), budget.seeds)
    linear = arm.mode == "pixels" or budget.spec.architecture in LINEAR
    fit = fit_linear_arm if linear else fit_network_arm
    return fit(arm, parts, synthetic, budget, seed)


def cross_validated(parts: Parts, budget: Budget) -> float:
    """Returns what an architecture reaches on real images that it was not fitted to.

    By cross-validation of the training part, at the value of its grid that is best there.

    Args:
      parts: of the split and training size.
      budget: of the architecture.

    Raises:
      UserError: the package of a pretrained network's weights is not there.
    """
    kind = budget.spec.architecture
    if kind in LINEAR:
        return best_penalty("none", kind, parts, budget).endpoint
    return best_learning_rate(parts, budget).endpoint


class Searched(NamedTuple):
    """What the search for the number of optimiser steps came to.

    Attributes:
      steps: the best on the validation part.
      at_limit: whether the search ended before a worse number on either side was seen.
      tried: mean endpoint on the validation part by number of steps.
    """

    steps: int
    at_limit: bool
    tried: dict[str, float]

    def words(self) -> str:
        """Returns the search in words."""
        tried = ", ".join(f"{steps}: {value:.3f}" for steps, value in self.tried.items())
        ended = "; the search ended at its limit" if self.at_limit else ""
        return f"{self.steps} steps, by the validation part ({tried}){ended}"


def with_steps(budget: Budget, steps: int) -> Budget:
    """Returns a budget with another number of steps."""
    return dataclasses.replace(budget, spec=dataclasses.replace(budget.spec, steps=steps))


def search_steps(budget: Budget, parts: Parts, arms: Iterable[str], widenings: int) -> Searched:
    """Returns the number of steps that is best for arms without generated images.

    It is doubled or halved while that is better on the validation part, of the mean over `real`
    and, where the study has it, `classical`: one classifier of each value of the grid.

    Args:
      budget: of a network; its steps are the first that are tried.
      parts: of the split and training size.
      arms: of the study.
      widenings: how often the number may change.
    """
    names = ["real", *({"classical"} & set(arms))]
    short = dataclasses.replace(budget, seeds=budget.seeds[:1], widenings=0)
    tried: dict[str, float] = {}

    def fit(numbers: list[float]) -> dict[float, tuple[float, float]]:
        return {number: worth_of(max(1, round(number))) for number in numbers}

    def worth_of(steps: int) -> tuple[float, float]:
        said = [fit_arm(name, parts, None, with_steps(short, steps), 0) for name in names]
        found = [worth(each.validation, parts.validation.labels, budget.endpoint) for each in said]
        tried[str(steps)] = float(np.mean([endpoint for endpoint, _ in found]))
        return tried[str(steps)], float(np.mean([loss for _, loss in found]))

    found = tune([budget.spec.steps], fit, lambda each: each, factor=2.0, widenings=widenings)
    return Searched(max(1, round(found.value)), found.at_limit, tried)
