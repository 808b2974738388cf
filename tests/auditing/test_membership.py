"""Candidates of membership attacks: their scores, their labels, and halves by groups."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gaug_jax.auditing.membership import (
    against_held_out,
    between_halves,
    closeness,
    half_of_groups,
)


def groups_of(count, images=60, seed=0):
    """Returns groups of several sizes, with gaps between their numbers, each with an image."""
    rng = np.random.default_rng(seed)
    more = rng.integers(0, count, images - count)
    return 7 * rng.permutation(np.concatenate([np.arange(count), more])) + 2


def test_closeness_is_minus_the_distance_to_the_nearest():
    rng = np.random.default_rng(0)
    candidates, generated = rng.normal(size=(20, 4)), rng.normal(size=(30, 4))
    expected = -cdist(candidates, generated).min(axis=1)
    np.testing.assert_allclose(closeness(candidates, generated), expected, rtol=1e-9)


def test_a_copy_is_the_likeliest_member():
    candidates = np.array([[0.0, 0], [3, 4], [10, 0]])
    found = closeness(candidates, np.array([[3.0, 4], [10, 1]]))
    np.testing.assert_array_equal(found, [-5, 0, -1])


def test_members_come_first_and_are_said_to_be_members():
    members = (np.array([0.5, 0.25, 0.75]), np.array([9, 9, 4]))
    held_out = (np.array([0.1, 0.2]), np.array([1, 3]))
    found = against_held_out(members, held_out)
    assert found.scores.tolist() == [0.5, 0.25, 0.75, 0.1, 0.2]
    assert found.member.tolist() == [True, True, True, False, False]
    assert found.groups.tolist() == [9, 9, 4, 1, 3]


@pytest.mark.parametrize("count", [2, 3, 8, 9, 40])
def test_halves_never_divide_a_group_and_are_of_half_the_groups(count):
    groups = groups_of(count)
    for seed in range(20):
        chosen = half_of_groups(groups, np.random.default_rng(seed))
        assert chosen.dtype == bool and chosen.shape == groups.shape
        one, other = set(groups[chosen].tolist()), set(groups[~chosen].tolist())
        assert not one & other
        # Of an odd number of groups the one that is left over is in the other half.
        assert (len(one), len(other)) == (count // 2, count - count // 2)


def test_every_group_is_in_each_half_about_as_often():
    groups = groups_of(9)
    drawn = [half_of_groups(groups, np.random.default_rng(seed)) for seed in range(900)]
    for group in np.unique(groups):
        share = np.mean([chosen[groups == group][0] for chosen in drawn])
        # Four of nine; five standard errors of 900 draws.
        assert share == pytest.approx(4 / 9, abs=5 * np.sqrt(20 / 81 / 900))


def test_the_same_generator_gives_the_same_half():
    groups = groups_of(12)
    one, same = (half_of_groups(groups, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, same)


def test_the_control_is_one_half_against_the_other_with_the_scores_as_they_are():
    groups = groups_of(10)
    scores = np.random.default_rng(1).normal(size=len(groups))
    found = between_halves((scores, groups), np.random.default_rng(5))
    np.testing.assert_array_equal(found.scores, scores)
    np.testing.assert_array_equal(found.groups, groups)
    np.testing.assert_array_equal(found.member, half_of_groups(groups, np.random.default_rng(5)))
    assert 0 < found.member.sum() < len(groups)
