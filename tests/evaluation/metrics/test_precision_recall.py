"""Precision, recall, density and coverage against loops that follow the papers' words."""

import numpy as np
import pytest

from gaug_jax.evaluation.metrics import precision_recall as module
from gaug_jax.evaluation.metrics.precision_recall import precision_recall


def by_hand(real, fake, k):
    def to_all(point, others):
        return np.sqrt(np.sum((others - point) ** 2, axis=1))

    def radius(points, index):
        return np.sort(np.delete(to_all(points[index], points), index))[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    fake_radii = [radius(fake, j) for j in range(len(fake))]
    inside = np.array([to_all(real[i], fake) < real_radii[i] for i in range(len(real))])
    recalled = [np.any(to_all(real[i], fake) < fake_radii) for i in range(len(real))]
    return (
        np.mean(inside.any(axis=0)),
        np.mean(recalled),
        inside.sum(axis=0).mean() / k,
        np.mean(inside.any(axis=1)),
    )


@pytest.mark.parametrize(("m", "n", "k"), [(30, 40, 5), (50, 20, 3), (6, 6, 5), (20, 200, 1)])
def test_they_are_the_papers(m, n, k):
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(m, 4)), random.normal(0.7, 1.2, size=(n, 4))
    assert precision_recall(real, fake, k) == pytest.approx(by_hand(real, fake, k), rel=1e-12)


def test_chunks_change_nothing(monkeypatch):
    random = np.random.default_rng(1)
    real, fake = random.normal(size=(33, 5)), random.normal(size=(27, 5))
    whole = precision_recall(real, fake)
    monkeypatch.setattr(module, "_CHUNK", 60)
    assert precision_recall(real, fake) == whole


def test_far_from_the_origin_nothing_is_lost():
    random = np.random.default_rng(2)
    real, fake = random.normal(size=(30, 4)), random.normal(0.7, 1.2, size=(40, 4))
    assert precision_recall(real + 1e6, fake + 1e6) == pytest.approx(
        precision_recall(real, fake), rel=1e-12
    )


def test_one_set_against_itself():
    features = np.random.default_rng(3).normal(size=(40, 3))
    found = precision_recall(features, features)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    # Each image lies in its own ball and in those of which it is one of the first k - 1.
    assert found.density == pytest.approx(1.0)


def test_sets_that_do_not_meet():
    random = np.random.default_rng(4)
    real, fake = random.normal(size=(20, 3)), random.normal(100.0, 1.0, size=(20, 3))
    assert precision_recall(real, fake) == (0.0, 0.0, 0.0, 0.0)


def test_a_generator_that_repeats_one_real_image():
    # Inside for sure, but its own balls have no room, and a ball that ends there is not reached.
    real = np.random.default_rng(5).normal(size=(20, 3))
    found = precision_recall(real, np.repeat(real[:1], 30, axis=0))
    assert found.precision == 1.0
    assert found.recall == 0.0
    assert 0.0 < found.coverage < 0.6


def test_constant_features_have_balls_of_no_size():
    # Strictly smaller: nothing is inside a ball of radius 0.
    assert precision_recall(np.ones((8, 3)), np.ones((9, 3))) == (0.0, 0.0, 0.0, 0.0)


def test_refusals():
    random = np.random.default_rng(6)
    with pytest.raises(ValueError, match="5 images are too few: 6 are the least"):
        precision_recall(random.normal(size=(5, 3)), random.normal(size=(9, 3)))
    with pytest.raises(ValueError, match="of 3 and of 2 dimensions"):
        precision_recall(random.normal(size=(9, 3)), random.normal(size=(9, 2)))
    with pytest.raises(ValueError, match="NaN"):
        precision_recall(np.full((9, 3), np.nan), random.normal(size=(9, 3)))
