"""The overlap as numbers: chance, complete separation, and between."""

import numpy as np
import pytest

from gaug_jax.embedding.overlap import neighbour_mixing, two_sample_accuracy


def clouds(apart, count=200, seed=0):
    generator = np.random.default_rng(seed)
    real, generated = generator.normal(size=(2, count, 8))
    generated[:, 0] += apart
    return real, generated


def test_mixing_is_one_by_chance_and_zero_apart():
    assert neighbour_mixing(*clouds(0.0)) == pytest.approx(1.0, abs=0.05)
    assert neighbour_mixing(*clouds(50.0)) == 0.0
    assert 0.1 < neighbour_mixing(*clouds(3.0)) < 0.9


def test_mixing_does_not_depend_on_how_many_of_each_there_are():
    real, generated = clouds(0.0, 400)
    assert neighbour_mixing(real, generated[:40]) == pytest.approx(1.0, abs=0.1)


def test_mixing_by_hand():
    # Neighbours on a line: with two images of each all three others are neighbours, of which
    # two are of the other origin, as chance gives.
    real, generated = np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]])
    assert neighbour_mixing(real, generated) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="both origins"):
        neighbour_mixing(real, generated[:0])


def test_a_classifier_tells_what_is_apart_and_no_more():
    groups = np.arange(200)
    told = two_sample_accuracy(*clouds(50.0), groups, seed=0)
    assert told.value == 1.0 and told.low > 0.98 and told.high == 1.0
    same = two_sample_accuracy(*clouds(0.0), groups, seed=0)
    assert same.low < 0.5 < same.high
    # Two unit normals at distance 2: the best classifier is right with probability Phi(1).
    between = two_sample_accuracy(*clouds(2.0, 2000), np.arange(2000), seed=0)
    assert between.value == pytest.approx(0.841, abs=0.015)
    assert between.high - between.low == pytest.approx(2 * 1.96 * (0.841 * 0.159 / 4000) ** 0.5,
                                                       rel=0.05)  # fmt: skip


def test_images_of_one_patient_do_not_help():
    # Every patient has a feature of its own: what a classifier learns of it must not count.
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    real = generator.normal(size=(200, 30))
    real[:, :20] += 8.0 * np.eye(20)[groups]
    generated = generator.normal(size=(200, 30))
    generated[:, :20] += 8.0 * np.eye(20)[generator.permutation(groups)]
    assert two_sample_accuracy(real, generated, groups, seed=0).value < 0.6


def test_too_few_for_folds():
    real, generated = clouds(0.0, 20)
    with pytest.raises(ValueError, match="5 images and groups"):
        two_sample_accuracy(real, generated, np.zeros(20, int), seed=0)
    with pytest.raises(ValueError, match="5 images and groups"):
        two_sample_accuracy(real, generated[:4], np.arange(20), seed=0)
