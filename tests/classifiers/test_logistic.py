"""Logistic regression: against scikit-learn, its optimum, and what it does with little data."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gaug_jax.classifiers.logistic import (
    Logistic,
    Regression,
    fit_logistic,
    logistic_probabilities,
)


def blobs(count=60, classes=3, features=5, seed=0):
    """Overlapping clouds on a scale far from 1, and their classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = random.normal(size=(classes, features))
    return 7.0 + 20.0 * (centres[labels] + random.normal(size=(count, features))), labels


def some_weights(count, seed=1):
    return np.random.default_rng(seed).uniform(0.2, 3.0, count)


def hard(labels, classes=3):
    return np.eye(classes)[labels]


def slope(model, features, targets, weights, penalty, around=0.0):
    """The gradient of the mean loss with its penalty, by its formula."""
    shares = weights / weights.sum()
    errors = (logistic_probabilities(model, features) - targets) * shares[:, None]
    scaled = (features - model.mean) / model.scale
    return scaled.T @ errors + penalty * (model.weights - around), errors.sum(axis=0)


@pytest.mark.parametrize("penalty", [0.01, 0.1, 1.0, 10.0])
@pytest.mark.parametrize(("classes", "columns"), [(2, 2.0), (3, 1.0), (5, 1.0)])
@pytest.mark.parametrize(("count", "width"), [(60, 5), (20, 50)])
def test_it_is_scikit_learns_model(penalty, classes, columns, count, width):
    """Of two classes scikit-learn has one column of weights for our two, whose squares add up."""
    features, labels = blobs(count, classes, width)
    weights = some_weights(len(labels))
    model = fit_logistic(features, hard(labels, classes), weights, penalty)
    shares = weights / weights.sum()
    mean = shares @ features
    scale = np.sqrt((shares @ (features - mean) ** 2).mean())
    theirs = LogisticRegression(C=columns / (penalty * weights.sum()), tol=1e-10, max_iter=10**5)
    theirs.fit((features - mean) / scale, labels, sample_weight=weights)
    others, _ = blobs(count, classes, width, seed=9)
    # The search ends at a slope of 1e-6: weights are away by up to that over the penalty.
    np.testing.assert_allclose(
        logistic_probabilities(model, others),
        theirs.predict_proba((others - mean) / scale),
        atol=5e-4,
    )
    if classes > 2:
        np.testing.assert_allclose(model.weights, theirs.coef_.T, atol=5e-4)


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize(("count", "width"), [(60, 5), (9, 30)])
def test_the_gradient_at_the_optimum_is_zero(penalty, count, width):
    features, labels = blobs(count, features=width)
    weights = some_weights(count)
    targets = np.random.default_rng(2).dirichlet(np.ones(3), count)
    for shares in (hard(labels), targets):
        model = fit_logistic(features, shares, weights, penalty)
        of_weights, of_bias = slope(model, features, shares, weights, penalty)
        assert np.abs(of_weights).max() < 1e-5 and np.abs(of_bias).max() < 1e-5


def test_soft_labels_are_rows_of_each_class_with_their_share_of_the_weight():
    features, _ = blobs(20)
    targets = np.random.default_rng(3).dirichlet(np.ones(3), 20)
    weights = some_weights(20)
    soft = fit_logistic(features, targets, weights, 0.1)
    each = fit_logistic(
        np.repeat(features, 3, axis=0),
        np.tile(np.eye(3), (20, 1)),
        (weights[:, None] * targets).ravel(),
        0.1,
    )
    np.testing.assert_allclose(soft.mean, each.mean)
    np.testing.assert_allclose(soft.scale, each.scale)
    np.testing.assert_allclose(soft.weights, each.weights, atol=1e-4)
    np.testing.assert_allclose(soft.bias, each.bias, atol=1e-4)


def test_a_weight_of_two_is_two_rows_and_only_ratios_of_weights_count():
    features, labels = blobs(12)
    twice = np.append(np.arange(12), 3)
    weighted = fit_logistic(features, hard(labels), 1.0 + (np.arange(12) == 3), 0.5)
    doubled = fit_logistic(features[twice], hard(labels[twice]), np.full(13, 50.0), 0.5)
    np.testing.assert_allclose(weighted.weights, doubled.weights, atol=1e-5)
    np.testing.assert_allclose(weighted.scale, doubled.scale)


def test_a_larger_penalty_leaves_smaller_weights():
    features, labels = blobs()
    sizes = [
        np.square(fit_logistic(features, hard(labels), np.ones(60), penalty).weights).sum()
        for penalty in (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
    ]
    assert (np.diff(sizes) < 0).all() and sizes[-1] < 1e-3


def test_the_bias_is_not_penalised():
    features, _ = blobs()
    labels = np.repeat([0, 1, 2], [36, 18, 6])
    model = fit_logistic(features, hard(labels), np.ones(60), 1e6)
    said = logistic_probabilities(model, features)
    np.testing.assert_allclose(said, np.tile([0.6, 0.3, 0.1], (60, 1)), atol=1e-4)


def test_a_class_without_an_image_is_not_said():
    features, labels = blobs(classes=2)
    model = fit_logistic(features, hard(labels, 3), np.ones(60), 0.1)
    assert all(np.isfinite(each).all() for each in model)
    said = logistic_probabilities(model, features)
    assert said[:, 2].max() < 1e-3
    two = fit_logistic(features, hard(labels, 2), np.ones(60), 0.1)
    np.testing.assert_allclose(said[:, :2], logistic_probabilities(two, features), atol=2e-3)


def test_a_feature_that_is_always_the_same_has_no_weight():
    features, labels = blobs()
    features[:, 2] = 3.0
    model = fit_logistic(features, hard(labels), np.ones(60), 0.1)
    assert np.abs(model.weights[2]).max() < 1e-9 < np.abs(model.weights[[0, 1, 3, 4]]).min()


@pytest.mark.parametrize("value", [2.0, 0.1])
def test_features_that_are_all_the_same_leave_the_classes_shares(value):
    """The mean of twelve times 0.1 is another number than 0.1 in the last place."""
    features, labels = np.full((12, 3), value), np.repeat([0, 1], [9, 3])
    model = fit_logistic(features, hard(labels, 2), np.full(12, 0.3), 0.1)
    assert model.scale == 1.0 and np.abs(model.weights).max() < 1e-9
    said = logistic_probabilities(model, np.random.default_rng(0).normal(size=(4, 3)))
    np.testing.assert_allclose(said, np.tile([0.75, 0.25], (4, 1)), atol=1e-5)


def test_one_scale_is_for_all_features():
    features, labels = blobs()
    features[:, 0] *= 100.0
    model = fit_logistic(features, hard(labels), np.ones(60), 0.1)
    np.testing.assert_allclose(model.mean, features.mean(axis=0))
    np.testing.assert_allclose(model.scale, np.sqrt(features.var(axis=0).mean()))


def test_all_in_other_units_is_the_same_model():
    features, labels = blobs()
    said = [
        logistic_probabilities(fit_logistic(each, hard(labels), np.ones(60), 0.1), each)
        for each in (features, 1e4 * features - 5.0)
    ]
    np.testing.assert_allclose(*said, atol=1e-5)


def a_prior():
    features, labels = blobs(seed=4)
    return fit_logistic(features, hard(labels), np.ones(60), 0.01)


def test_a_huge_penalty_around_a_model_gives_its_weights():
    prior = a_prior()
    features, labels = blobs(seed=5)
    model = fit_logistic(features, hard(labels), np.ones(60), 1e6, around=prior)
    np.testing.assert_allclose(model.weights, prior.weights, atol=1e-5)
    np.testing.assert_array_equal(model.mean, prior.mean)
    assert model.scale == prior.scale
    # The bias alone is fitted to the images.
    assert np.abs(slope(model, features, hard(labels), np.ones(60), 0.0)[1]).max() < 1e-5
    assert np.abs(model.bias - prior.bias).max() > 0.01


@pytest.mark.parametrize("penalty", [0.01, 1.0])
@pytest.mark.parametrize("count", [60, 4])
def test_around_a_model_the_gradient_is_zero_too(penalty, count):
    prior = a_prior()
    features, labels = blobs(count, seed=5)
    weights = some_weights(count)
    model = fit_logistic(features, hard(labels), weights, penalty, around=prior)
    of_weights, of_bias = slope(model, features, hard(labels), weights, penalty, prior.weights)
    assert np.abs(of_weights).max() < 1e-5 and np.abs(of_bias).max() < 1e-5


@pytest.mark.parametrize("around", [None, a_prior()])
@pytest.mark.parametrize("count", [60, 4])
def test_what_penalties_share_leaves_each_model_as_it_is_alone(around, count):
    features, labels = blobs(count, seed=6)
    shared = Regression(features, hard(labels), some_weights(count), around=around)
    models = [shared.model(penalty) for penalty in (0.01, 1.0, 0.01)]
    for penalty, model in zip((0.01, 1.0, 0.01), models, strict=True):
        alone = fit_logistic(features, hard(labels), some_weights(count), penalty, around=around)
        for one, other in zip(model, alone, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("around", [None, a_prior()])
@pytest.mark.parametrize("count", [60, 4])
def test_where_the_search_begins_does_not_change_its_end(around, count):
    features, labels = blobs(count, seed=6)
    random = np.random.default_rng(0)
    start = Logistic(None, None, random.normal(size=(5, 3)), random.normal(size=3))
    given = features, hard(labels), np.ones(count), 0.1
    plain = fit_logistic(*given, around=around)
    begun = fit_logistic(*given, around=around, start=start)
    np.testing.assert_allclose(begun.weights, plain.weights, atol=1e-4)
    np.testing.assert_array_equal(begun.mean, plain.mean)
    assert begun.scale == plain.scale
    np.testing.assert_allclose(
        logistic_probabilities(begun, features), logistic_probabilities(plain, features), atol=1e-4
    )


def test_a_search_from_its_own_end_stays_there():
    features, labels = blobs()
    given = features, hard(labels), np.ones(60), 0.1
    model = fit_logistic(*given)
    np.testing.assert_allclose(fit_logistic(*given, start=model).weights, model.weights, atol=1e-6)


def test_probabilities_are_finite_far_away_and_add_up_to_1():
    features, labels = blobs()
    model = fit_logistic(features, hard(labels), np.ones(60), 1e-3)
    said = logistic_probabilities(model, 1e6 * features)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
