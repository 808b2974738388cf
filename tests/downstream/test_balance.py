"""Levelling against every other sharing, one image after another, and by hand."""

import itertools

import numpy as np
import pytest

from gaug_jax.downstream.balance import levelling


def one_by_one(total, present):
    """Gives each image to the smallest class, the first among equals."""
    sizes = np.array(present)
    for _ in range(total):
        sizes[np.argmin(sizes)] += 1
    return sizes - present


@pytest.mark.parametrize(
    ("total", "present", "expected"),
    [
        (0, [7, 2, 1], [0, 0, 0]),
        (1, [7, 2, 1], [0, 0, 1]),
        (2, [7, 2, 1], [0, 1, 1]),
        (11, [7, 2, 1], [0, 5, 6]),
        (13, [7, 2, 1], [1, 6, 6]),
        (3, [4, 4], [2, 1]),
        (5, [3], [5]),
        (4, [0, 9, 0], [2, 0, 2]),
    ],
)
def test_by_hand(total, present, expected):
    assert levelling(total, np.array(present)).tolist() == expected


@pytest.mark.parametrize("seed", range(30))
def test_it_is_one_image_after_another_to_the_smallest_class(seed):
    random = np.random.default_rng(seed)
    present = random.integers(0, 40, random.integers(1, 12))
    before = np.zeros(len(present), int)
    for total in (0, 1, int(random.integers(2, 100)), int(random.integers(100, 900))):
        found = levelling(total, present)
        np.testing.assert_array_equal(found, one_by_one(total, present))
        assert found.sum() == total and (found >= before).all()
        before = found
        if total >= np.sum(present.max() - present):
            # In closed form: enough for all, so that sizes are the mean, up or down.
            mean = (present.sum() + total) / len(present)
            assert set(present + found) <= {int(np.floor(mean)), int(np.ceil(mean))}


def test_no_other_sharing_is_nearer_to_equal():
    present = np.array([5, 1, 2])
    for total in range(9):
        others = [
            np.array(each)
            for each in itertools.product(range(total + 1), repeat=3)
            if sum(each) == total
        ]
        least = min(np.sum((present + each) ** 2) for each in others)
        assert np.sum((present + levelling(total, present)) ** 2) == least
