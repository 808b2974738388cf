"""What all estimates of a study have in common: their replicates, their patients, their range."""

import functools

import numpy as np
from jaxtyping import Int

from gaug_jax.evaluation.metrics.intervals import Resamples, resample

# Replicates of the endpoint and its differences, and of the other figures.
REPLICATES, FEWER = 1000, 200
_SEED = 0
# Each 8 bytes for every replicate and image.
_REMEMBERED = 4


def resampled(
    groups: Int[np.ndarray, " images"],
    replicates: int,
    strata: Int[np.ndarray, " images"] | None = None,
) -> Resamples:
    """Returns resampled patients: the same for every arm and figure of the same images.

    Args:
      groups: patient of each image.
      replicates: of the bootstrap.
      strata: of the images, where patients are drawn within each.

    Raises:
      UndefinedFigureError: there are not two patients, or a stratum of one.
    """
    return _resampled(_held(groups), _held(strata), replicates)


def _held(values: Int[np.ndarray, " images"] | None) -> tuple[int, ...] | None:
    """Returns values that a memory can be asked for."""
    return None if values is None else tuple(values.tolist())


@functools.lru_cache(_REMEMBERED)
def _resampled(
    groups: tuple[int, ...], strata: tuple[int, ...] | None, replicates: int
) -> Resamples:
    """Returns resampled patients, of values that are remembered."""
    rng = np.random.default_rng(_SEED)
    return resample(np.array(groups), rng, replicates, None if strata is None else np.array(strata))


def within_0_and_1(found: dict[str, float] | None) -> dict[str, float] | None:
    """Returns an estimate whose interval ends where the figure does."""
    if found is None:
        return None
    return {**found, "low": max(0.0, found["low"]), "high": min(1.0, found["high"])}
