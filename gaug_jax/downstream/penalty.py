"""The penalty of a linear model, by cross-validation of the training part."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.data.labelled import Labelled
from gaug_jax.data.splits import allocate_groups
from gaug_jax.downstream.runs import Budget, worth
from gaug_jax.downstream.tuning import tune

# Between a penalty and the next.
_FACTOR = 10.0**0.5
_FOLDS = 5

# From the images that are fitted to and a penalty to what the model says of others.
Say = Callable[[np.ndarray], Float[np.ndarray, "images classes"]]
Maker = Callable[[Labelled], Callable[[float], Say]]


class Penalty(NamedTuple):
    """A chosen penalty.

    Attributes:
      value: of the squared weights beside the mean loss.
      at_limit: whether the grid ended before a worse one on either side was seen.
    """

    value: float
    at_limit: bool


def choose_penalty(
    real: Labelled, groups: Int[np.ndarray, " images"], make: Maker, budget: Budget
) -> Penalty:
    """Returns the penalty whose models say best what they were not fitted to.

    The training part is divided into five by group; each fifth is judged by models of the rest,
    and what all say is pooled. A validation part of some forty films is too small for this: on
    the chest films it chose penalties that cost 0.03 of the AUROC (docs/results.md).

    Args:
      real: the training part.
      groups: patient of each image.
      make: from the images of four fifths to a fit by penalty.
      budget: with the grid, how often it may widen, and the endpoint.
    """
    folds = allocate_groups(
        real.labels, groups, np.full(_FOLDS, 1 / _FOLDS), np.random.default_rng(_FOLDS)
    )
    held_out = [folds == fold for fold in range(_FOLDS) if 0 < (folds == fold).sum() < len(folds)]
    fits = [make(Labelled(real.images[~out], real.labels[~out])) for out in held_out]

    def fit(penalties: list[float]) -> dict[float, np.ndarray]:
        return {penalty: said(penalty) for penalty in penalties}

    def said(penalty: float) -> np.ndarray:
        classes = len(budget.spec.class_names)
        pooled = np.full((len(folds), classes), 1.0 / classes)
        for out, fitted in zip(held_out, fits, strict=True):
            pooled[out] = fitted(penalty)(real.images[out])
        return pooled

    found = tune(
        budget.penalties,
        fit,
        lambda pooled: worth(pooled[None], real.labels, budget.endpoint),
        factor=_FACTOR,
        widenings=budget.widenings,
    )
    return Penalty(found.value, found.at_limit)
