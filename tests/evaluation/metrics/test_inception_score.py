"""The Inception score at its closed forms."""

import numpy as np
import pytest

from gaug_jax.evaluation.metrics.inception_score import inception_score


def test_images_that_all_say_the_same_score_one():
    logits = np.tile(np.random.default_rng(0).normal(size=7), (40, 1))
    assert inception_score(logits) == pytest.approx((1.0, 0.0), abs=1e-12)


def test_sure_and_even_over_classes_scores_their_number():
    logits = np.tile(1e4 * np.eye(8), (20, 1))
    assert inception_score(logits, splits=10) == pytest.approx((8.0, 0.0), rel=1e-12)


def test_uneven_and_sure_scores_the_exponent_of_the_entropy():
    # Three quarters of one class: exp(H) of (0.75, 0.25).
    logits = 1e4 * np.eye(2)[[0, 0, 0, 1] * 5]
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert inception_score(logits, splits=5)[0] == pytest.approx(expected, rel=1e-12)


def test_it_is_the_papers_formula():
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, size=(53, 6))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = []
    for number in range(4):
        part = probabilities[number * 53 // 4 : (number + 1) * 53 // 4]
        divergence = np.sum(part * np.log(part / part.mean(axis=0)), axis=1)
        scores.append(np.exp(divergence.mean()))
    expected = (np.mean(scores), np.std(scores))
    assert inception_score(logits, splits=4) == pytest.approx(expected, rel=1e-12)


def test_the_shuffle_is_the_generators():
    logits = 5.0 * np.eye(4)[np.repeat(np.arange(4), 25)]
    sorted_by_class = inception_score(logits)[0]
    shuffled = inception_score(logits, np.random.default_rng(0))[0]
    assert shuffled > 1.5 * sorted_by_class
    assert inception_score(logits, np.random.default_rng(0))[0] == shuffled


def test_few_images_have_fewer_splits():
    assert inception_score(np.eye(3)) == pytest.approx((1.0, 0.0))
    with pytest.raises(ValueError, match="0 images are too few"):
        inception_score(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="NaN"):
        inception_score(np.full((4, 3), np.inf))
