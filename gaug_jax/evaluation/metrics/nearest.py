"""Distances to the nearest of other rows, made in chunks."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaug_jax.evaluation.metrics.precision_recall import distance_chunks

Features = Float[np.ndarray, "images features"]
Distances = Float[np.ndarray, " images"]
Groups = Int[np.ndarray, " images"]


class GroupDistances(NamedTuple):
    """Distances between rows and others, of which the nearest of each group are kept.

    Attributes:
      to_group: distance of each row to the nearest other one of each group.
      names: the groups, sorted.
      of_others: distance of each of the others to the nearest row.
    """

    to_group: Float[np.ndarray, "rows groups"]
    names: Int[np.ndarray, " groups"]
    of_others: Float[np.ndarray, " others"]

    def nearest(self, groups: Bool[np.ndarray, " groups"] | None = None) -> Distances:
        """Returns the distance of each row to the nearest other one, perhaps of some groups."""
        some = self.to_group if groups is None else self.to_group[:, groups]
        return some.min(axis=1)


def group_distances(rows: Features, others: Features, groups: Groups) -> GroupDistances:
    """Returns the distances of rows to the nearest of each group of others, in one pass.

    Args:
      rows: features, float64.
      others: features, float64.
      groups: patient or writer of each of the others.

    Example:
      >>> others, groups = np.array([[3.0, 4.0], [0.0, 1.0], [6.0, 8.0]]), np.array([7, 7, 9])
      >>> group_distances(np.zeros((1, 2)), others, groups).to_group.tolist()
      [[1.0, 10.0]]
    """
    order = np.argsort(groups, kind="stable")
    names, starts = np.unique(groups[order], return_index=True)
    to_group = np.empty((len(rows), len(names)))
    of_others = np.full(len(others), np.inf)
    for chunk, squared in distance_chunks(rows, others[order]):
        to_group[chunk] = np.minimum.reduceat(squared, starts, axis=1)
        of_others[order] = np.minimum(of_others[order], squared.min(axis=0))
    return GroupDistances(np.sqrt(to_group), names, np.sqrt(of_others))


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


def nearest_stranger(rows: Features, groups: Groups) -> Distances:
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
