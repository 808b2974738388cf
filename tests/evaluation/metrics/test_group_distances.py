"""Distances to the nearest of each group, against all pairs made by SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gaug_jax.evaluation.metrics import precision_recall
from gaug_jax.evaluation.metrics.nearest import group_distances


def made(rows=23, others=17, groups=5, seed=0):
    """Features, and groups with gaps between their numbers, in no order; each has an image."""
    rng = np.random.default_rng(seed)
    names = 10 * rng.permutation(np.arange(others) % groups) + 3
    return rng.normal(size=(rows, 4)), rng.normal(size=(others, 4)), names


def in_chunks_of(monkeypatch, rows, others):
    monkeypatch.setattr(precision_recall, "_CHUNK", rows * len(others))


def assert_those_of_all_pairs(found, rows, others, groups):
    pairs = cdist(rows, others)
    names = sorted(set(groups.tolist()))
    assert found.names.tolist() == names
    by_group = [pairs[:, groups == name].min(axis=1) for name in names]
    np.testing.assert_allclose(found.to_group, np.stack(by_group, axis=1), rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.of_others, pairs.min(axis=0), rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.nearest(), pairs.min(axis=1), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("chunk", [1, 4, 23, 100])
def test_they_are_those_of_all_pairs_whatever_the_chunk(monkeypatch, chunk):
    # 23 rows: chunks of 4 leave a last one of 3.
    rows, others, groups = made()
    in_chunks_of(monkeypatch, chunk, others)
    assert_those_of_all_pairs(group_distances(rows, others, groups), rows, others, groups)


def test_a_chunk_smaller_than_one_row_still_goes_on(monkeypatch):
    rows, others, groups = made()
    monkeypatch.setattr(precision_recall, "_CHUNK", 1)
    assert_those_of_all_pairs(group_distances(rows, others, groups), rows, others, groups)


def test_one_group_is_the_nearest_of_all():
    rows, others, groups = made(groups=1)
    found = group_distances(rows, others, groups)
    assert found.names.tolist() == [3]
    np.testing.assert_array_equal(found.to_group[:, 0], found.nearest())
    assert_those_of_all_pairs(found, rows, others, groups)


def test_each_of_the_others_may_be_a_group_of_its_own():
    rows, others, groups = made(groups=17)
    found = group_distances(rows, others, groups)
    np.testing.assert_allclose(found.to_group, cdist(rows, others)[:, np.argsort(groups)])


def test_the_nearest_of_some_groups(monkeypatch):
    rows, others, groups = made()
    in_chunks_of(monkeypatch, 4, others)
    found = group_distances(rows, others, groups)
    some = np.array([False, True, False, True, False])
    wanted = cdist(rows, others[np.isin(groups, found.names[some])]).min(axis=1)
    np.testing.assert_allclose(found.nearest(some), wanted)


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_ties_are_exact(monkeypatch, chunk):
    # Whole numbers have whole squares: 0, 0 is 5 from two groups, and is there itself in a third.
    rows = np.array([[0.0, 0], [3, 4], [0, 0]])
    others = np.array([[3.0, 4], [-4, 3], [0, 0], [5, 0]])
    in_chunks_of(monkeypatch, chunk, others)
    found = group_distances(rows, others, np.array([1, 2, 0, 1]))
    np.testing.assert_array_equal(found.to_group, [[0, 5, 5], [5, 0, np.sqrt(50)], [0, 5, 5]])
    np.testing.assert_array_equal(found.of_others, [0, 5, 0, np.sqrt(20)])
    np.testing.assert_array_equal(found.nearest(np.array([False, True, True])), [5, 0, 5])
