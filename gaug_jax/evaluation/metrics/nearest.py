"""Distances to the nearest of other rows, made in chunks."""

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.evaluation.metrics.precision_recall import distance_chunks

Features = Float[np.ndarray, "images features"]
Distances = Float[np.ndarray, " images"]


def nearest(rows: Features, others: Features) -> tuple[Distances, Int[np.ndarray, " images"]]:
    """Returns the distance to the nearest of the others, and which that is."""
    distances, places = np.empty(len(rows)), np.empty(len(rows), int)
    for chunk, squared in distance_chunks(rows, others):
        places[chunk] = squared.argmin(axis=1)
        distances[chunk] = np.sqrt(squared.min(axis=1))
    return distances, places


def nearest_fellow(rows: Features) -> Distances:
    """Returns the distance of each row to the nearest other one; infinite of a single row."""
    distances = np.empty(len(rows))
    for chunk, squared in distance_chunks(rows, rows):
        squared[np.arange(len(squared)), np.arange(chunk.start, chunk.stop)] = np.inf
        distances[chunk] = np.sqrt(squared.min(axis=1))
    return distances


def nearest_stranger(rows: Features, groups: Int[np.ndarray, " images"]) -> Distances:
    """Returns the distance of each row to the nearest one of another group; infinite of one group.

    Args:
      rows: features.
      groups: patient or writer of each.
    """
    distances = np.empty(len(rows))
    for chunk, squared in distance_chunks(rows, rows):
        squared[groups[chunk, None] == groups[None, :]] = np.inf
        distances[chunk] = np.sqrt(squared.min(axis=1))
    return distances
