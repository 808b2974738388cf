"""Precision, recall, density and coverage by nearest neighbours.

Precision and recall as of Kynkaanniemi et al. (2019), density and coverage as of Naeem
et al. (2020), with the conventions of the latter's `prdc`: a ball around every image
reaches to its k-th neighbour of the same set, and a point is inside where its distance is
strictly smaller. Distances are Euclidean, in float64, and made in chunks, so that the
memory does not grow with the square of the images.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Num

from gaug_jax.evaluation.metrics.frechet import checked_features

# Numbers of a chunk of distances.
_CHUNK = 4_000_000


class PrecisionRecall(NamedTuple):
    """The four figures.

    Attributes:
      precision: share of the generated images inside a ball of a real one.
      recall: share of the real images inside a ball of a generated one.
      density: balls of real images around a generated one, divided by k; may be above 1.
      coverage: share of the real images with a generated one in their ball.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def distance_chunks(
    rows: Float64[np.ndarray, "m features"], others: Float64[np.ndarray, "n features"]
) -> Iterator[tuple[slice, Float64[np.ndarray, "chunk n"]]]:
    """Yields squared distances of some rows to all others, and which rows these are."""
    size = max(1, _CHUNK // len(others))
    squares = np.sum(others**2, axis=1)
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        squared = np.sum(chunk**2, axis=1)[:, None] + squares - 2.0 * chunk @ others.T
        yield slice(start, start + len(chunk)), squared.clip(0.0)


def _squared_radii(
    features: Float64[np.ndarray, "images features"], k: int
) -> Float64[np.ndarray, " images"]:
    """Returns the squared distance of each image to its k-th neighbour among the others."""
    radii = np.empty(len(features))
    for rows, squared in distance_chunks(features, features):
        squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = -1.0
        radii[rows] = np.partition(squared, k, axis=1)[:, k]
    return radii


def precision_recall(
    real: Num[np.ndarray, "images features"], fake: Num[np.ndarray, "fakes features"], k: int = 5
) -> PrecisionRecall:
    """Returns precision, recall, density and coverage.

    Args:
      real: more than k images.
      fake: more than k images.
      k: neighbour to which a ball reaches.

    Raises:
      ValueError: a set has k images or fewer, the features do not fit each other, or a
        number is not finite.
    """
    real, fake = checked_features(real, k + 1), checked_features(fake, k + 1)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"features of {real.shape[1]} and of {fake.shape[1]} dimensions")
    # About a common point, so that squares of large means do not swallow the differences.
    centre = real.mean(axis=0)
    real, fake = real - centre, fake - centre
    real_radii, fake_radii = _squared_radii(real, k), _squared_radii(fake, k)
    balls_around_fake = np.zeros(len(fake), int)
    recalled, covered = np.empty(len(real), bool), np.empty(len(real), bool)
    for rows, squared in distance_chunks(real, fake):
        inside = squared < real_radii[rows, None]
        balls_around_fake += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (squared < fake_radii).any(axis=1)
    return PrecisionRecall(
        precision=float(np.mean(balls_around_fake > 0)),
        recall=float(recalled.mean()),
        density=float(balls_around_fake.mean() / k),
        coverage=float(covered.mean()),
    )
