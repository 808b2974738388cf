"""Filters of generated images on small cases made by hand."""

import numpy as np
import pytest

from gaug_jax.synthesis import filters


def images_of(values):
    """Images of 2x2 with one value each, as features."""
    return filters.in_pixels(np.repeat(np.array(values, np.uint8), 4).reshape(-1, 2, 2, 1))


def test_pixels_as_features_lie_between_0_and_1():
    np.testing.assert_array_equal(images_of([0, 51, 255]), np.repeat([[0.0], [0.2], [1.0]], 4, 1))


def test_copies_are_those_nearer_to_a_training_image_than_it_is_to_its_fellow():
    train = images_of([0, 100, 200])
    scores = filters.copy_distances(images_of([100, 110, 150, 250]), train)
    np.testing.assert_allclose(scores, [0.0, 0.1, 0.5, 0.5], atol=1e-12)


def test_copies_where_training_images_are_twins_or_alone():
    twins = filters.copy_distances(images_of([0, 50]), images_of([0, 0, 100]))
    np.testing.assert_allclose(twins, [0.0, 0.5])
    assert filters.copy_distances(images_of([0, 50]), images_of([7])).tolist() == [np.inf] * 2
    same = filters.copy_distances(images_of([0, 255]), images_of([0, 0]))
    assert np.isfinite(same).all() and same[0] == 0


def test_density_is_the_closeness_of_the_fifth_neighbour_of_the_class():
    train = np.array([[0.0], [1], [2], [3], [4], [5], [100]])
    train_labels = np.array([0] * 6 + [1])
    scores = filters.densities(
        np.array([[0.0], [10.0], [90.0]]), np.array([0, 0, 1]), train, train_labels
    )
    # Of class 1 there is one image only, which then counts.
    np.testing.assert_allclose(scores, [-4.0, -9.0, -10.0])


def test_agreement_is_the_probability_of_the_wanted_class():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    scores, shares = filters.agreements(probabilities, np.array([0, 0, 1]), ("a", "b"))
    np.testing.assert_allclose(scores, [0.9, 0.4, 0.8])
    assert shares == {"a": 0.5, "b": 1.0}


def test_each_class_keeps_its_share_and_images_keep_their_order():
    labels = np.array([0, 1, 0, 1, 0, 0])
    scores = {"density": np.array([3.0, 9, 1, 8, 4, 2])}
    assert filters.kept("density", scores, labels, 0.5).tolist() == [0, 1, 4]
    assert filters.kept("density", scores, labels, 0.01).tolist() == [1, 4]
    assert filters.kept("none", {}, labels, 0.5).tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="beauty"):
        filters.kept("beauty", scores, labels, 0.5)
