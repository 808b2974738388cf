"""Cross-validation of the training part, for choices that a small validation part gets wrong."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.data.labelled import Labelled
from gaug_jax.data.splits import allocate_groups
from gaug_jax.downstream.runs import Budget, mean_endpoint, worth
from gaug_jax.downstream.tuning import tune

_FOLDS = 5

# From some values and images to what the model of each value says of the images.
Say = Callable[[list[float], np.ndarray], dict[float, Float[np.ndarray, "images classes"]]]
# From the images that are fitted to.
Maker = Callable[[Labelled], Say]


class Judged(NamedTuple):
    """The best value of a grid.

    Attributes:
      value: of it.
      at_limit: whether the grid ended before a worse one on either side was seen.
      endpoint: what it reaches on images that were not fitted to.
    """

    value: float
    at_limit: bool
    endpoint: float


def cross_validate(
    real: Labelled,
    groups: Int[np.ndarray, " images"],
    make: Maker,
    grid: Sequence[float],
    budget: Budget,
    *,
    factor: float,
    widenings: int,
) -> Judged:
    """Returns the value whose models say best what they were not fitted to.

    The training part is divided into five by group; each fifth is judged by models of the rest,
    and what all say is pooled.

    Args:
      real: the training part.
      groups: patient of each image.
      make: fits to the images of four fifths.
      grid: values above 0 to begin with.
      budget: with the classes and the endpoint.
      factor: between a value and the next where the grid widens.
      widenings: how often it may.
    """
    folds = allocate_groups(
        real.labels, groups, np.full(_FOLDS, 1 / _FOLDS), np.random.default_rng(_FOLDS)
    )
    held_out = [folds == fold for fold in range(_FOLDS) if 0 < (folds == fold).sum() < len(folds)]
    fits = [make(Labelled(real.images[~out], real.labels[~out])) for out in held_out]
    classes = len(budget.spec.class_names)

    def said(values: list[float]) -> dict[float, np.ndarray]:
        pooled = {value: np.full((len(folds), classes), 1.0 / classes) for value in values}
        for out, say in zip(held_out, fits, strict=True):
            for value, of_fold in say(values, real.images[out]).items():
                pooled[value][out] = of_fold
        return pooled

    found = tune(
        grid,
        said,
        lambda pooled: worth(pooled[None], real.labels, budget.endpoint),
        factor=factor,
        widenings=widenings,
    )
    endpoint = mean_endpoint(found.fits[None], real.labels, budget.endpoint)
    return Judged(found.value, found.at_limit, endpoint)
