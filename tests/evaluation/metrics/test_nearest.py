"""Nearest images, authenticity and C_T, against loops over pairs."""

import numpy as np
import pytest
import scipy.stats

from gaug_jax.evaluation.metrics.authenticity import authentic, authenticity
from gaug_jax.evaluation.metrics.data_copying import data_copying_score, rank_z_score
from gaug_jax.evaluation.metrics.nearest import nearest, nearest_fellow, nearest_stranger


def rows(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 5))


def test_distances_are_those_of_all_pairs():
    one, other = rows(13), rows(17, 1)
    pairs = np.linalg.norm(one[:, None] - other[None], axis=2)
    distances, places = nearest(one, other)
    np.testing.assert_allclose(distances, pairs.min(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(places, pairs.argmin(axis=1))
    own = np.linalg.norm(one[:, None] - one[None], axis=2)
    groups = np.arange(13) // 2
    np.testing.assert_allclose(
        nearest_fellow(one), np.where(np.eye(13, dtype=bool), np.inf, own).min(1), rtol=1e-6
    )
    strangers = np.where(groups[:, None] == groups[None], np.inf, own).min(axis=1)
    np.testing.assert_allclose(nearest_stranger(one, groups), strangers, rtol=1e-6)
    assert nearest_fellow(one[:1]).tolist() == [np.inf]
    assert np.isinf(nearest_stranger(one, np.zeros(13, int))).all()


def test_authentic_images_are_farther_than_fellows():
    train = np.array([[0.0], [1.0], [5.0]])
    generated = np.array([[0.5], [-2.0], [5.0], [9.5]])
    # Distances 0.5, 2, 0 and 4.5; the nearest training images have fellows at 1, 1, 4 and 4.
    assert authentic(generated, train).tolist() == [False, True, False, True]
    assert authenticity(generated, train) == 0.5
    with pytest.raises(ValueError, match="two training images"):
        authentic(generated, train[:1])


@pytest.mark.parametrize("ties", [False, True])
def test_the_z_score_is_that_of_mann_and_whitney(ties):
    one, other = rows(30)[:, 0], rows(40, 1)[:, 0] + 0.3
    if ties:
        one, other = one.round(), other.round()
    statistic = scipy.stats.mannwhitneyu(one, other).statistic
    spread = np.sqrt(30 * 40 * 71 / 12)
    assert rank_z_score(one, other) == pytest.approx((statistic - 600) / spread, rel=1e-12)
    wins = np.sum(one[:, None] > other) + np.sum(one[:, None] == other) / 2
    assert rank_z_score(one, other) == pytest.approx((wins - 600) / spread, rel=1e-12)


def test_c_t_is_the_mean_of_the_cells_by_their_held_out_images():
    generated, held_out, train = rows(50), rows(20, 1), rows(30, 2)
    cells = tuple(np.arange(count) % 2 for count in (50, 20, 30))
    cells[1][:] = np.arange(20) < 5
    scores = []
    for cell in (0, 1):
        mine = [each[members == cell] for each, members in zip((generated, held_out, train), cells,
                                                              strict=True)]  # fmt: skip
        scores.append(rank_z_score(*(nearest(each, mine[2])[0] for each in mine[:2])))
    expected = (15 * scores[0] + 5 * scores[1]) / 20
    assert data_copying_score(generated, held_out, train, cells) == pytest.approx(expected)
    assert data_copying_score(generated, held_out, train, cells, least=26) is None


def test_c_t_of_images_of_the_same_distribution_is_about_standard_normal():
    one_cell = tuple(np.zeros(count, int) for count in (60, 60, 60))
    scores = [
        data_copying_score(*(rows(60, 3 * seed + part) for part in range(3)), one_cell)
        for seed in range(200)
    ]
    # Both sides share the training images, which widens it somewhat.
    assert abs(np.mean(scores)) < 0.3
    assert 0.7 < np.std(scores) < 1.6
