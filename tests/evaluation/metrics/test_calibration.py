"""Calibration beside scikit-learn's, on sets whose answer is known, and where there is little."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from sklearn.linear_model import LogisticRegression

from gaug_jax.evaluation.metrics import calibration
from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.evaluation.metrics.calibration import Calibration, fit_calibration

NO_PRIOR = (math.inf, math.inf)


def drawn(count, classes, temperature=1.0, biases=0.0, seed=0):
    """Probabilities of a classifier, and labels that follow those which its calibration gives."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2.0, size=(count, classes))
    true = scipy.special.softmax(logits / temperature + biases, axis=1)
    labels = (true.cumsum(axis=1) < random.uniform(size=(count, 1))).sum(axis=1)
    return scipy.special.softmax(logits, axis=1), labels


def plain_auroc(values, labels):
    return scores.auroc(values, labels, np.ones((1, len(labels))))[0]


@pytest.mark.parametrize("seed", range(3))
def test_two_classes_without_a_prior_are_scikit_learns_regression_on_the_log_odds(seed):
    probabilities, labels = drawn(200, 2, 2.0, np.array([0.0, 1.0]), seed)
    found = fit_calibration(probabilities, labels, *NO_PRIOR)
    odds = scipy.special.logit(probabilities[:, 1])[:, None]
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds, labels)
    assert 1 / found.temperature == pytest.approx(other.coef_[0, 0], rel=1e-4)
    assert found.biases[1] - found.biases[0] == pytest.approx(other.intercept_[0], abs=1e-4)
    np.testing.assert_allclose(
        np.exp(found.log_probabilities(probabilities)), other.predict_proba(odds), atol=1e-4
    )


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_gradient_is_that_of_the_value(classes):
    probabilities, labels = drawn(40, classes)
    logs = np.log(probabilities)
    precisions = np.linspace(0.5, 2.0, 1 + classes)
    point = np.random.default_rng(1).normal(size=1 + classes)

    def value(parameters):
        return calibration._negative_log_posterior(parameters, logs, labels, precisions)[0]

    exact = calibration._negative_log_posterior(point, logs, labels, precisions)[1]
    np.testing.assert_allclose(scipy.optimize.approx_fprime(point, value, 1e-6), exact, rtol=1e-4)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_temperature_and_the_biases_of_a_classifier_that_is_too_sure_come_back(classes):
    biases = np.linspace(-0.5, 0.5, classes)
    probabilities, labels = drawn(20_000, classes, 3.0, biases)
    found = fit_calibration(probabilities, labels)
    assert found.temperature == pytest.approx(3.0, rel=0.05)
    np.testing.assert_allclose(found.biases, biases, atol=0.06)
    assert found.biases.sum() == pytest.approx(0.0, abs=1e-12)


def test_what_is_calibrated_stays_as_it_is():
    probabilities, labels = drawn(20_000, 3)
    found = fit_calibration(probabilities, labels)
    assert found.temperature == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(found.biases, 0.0, atol=0.05)
    identity = Calibration(1.0, np.zeros(3)).log_probabilities(probabilities)
    np.testing.assert_allclose(np.exp(identity), probabilities, atol=1e-12)


def test_calibrated_probabilities_are_calibrated():
    probabilities, labels = drawn(20_000, 3, 3.0, np.array([0.7, 0.0, -0.7]))
    found = fit_calibration(probabilities[:10_000], labels[:10_000])
    calibrated = np.exp(found.log_probabilities(probabilities[10_000:]))
    once, held_out = np.ones((1, 10_000)), labels[10_000:]
    assert scores.expected_calibration_error(probabilities[10_000:], held_out, once)[0] > 0.1
    assert scores.expected_calibration_error(calibrated, held_out, once)[0] < 0.02
    np.testing.assert_allclose(calibrated.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.3, 3.0, 30.0])
def test_of_two_classes_ranks_stay_to_the_bit_and_the_likelier_one_may_change(seed, scale):
    """In float32, as predictions are kept; at the largest scale many are 0 and 1 exactly."""
    random = np.random.default_rng(seed)
    logits = (random.normal(scale=scale, size=(400, 2)) * [0, 1]).astype(np.float32)
    probabilities = scipy.special.softmax(logits, axis=1)
    labels = (random.normal(size=400) > 0.8).astype(int)
    found = fit_calibration(probabilities[:100], labels[:100])
    for each in (found, Calibration(0.1, np.array([-3.0, 3.0])), Calibration(40.0, np.zeros(2))):
        calibrated = each.log_probabilities(probabilities)
        assert plain_auroc(calibrated, labels) == plain_auroc(probabilities, labels)
        order = np.argsort(probabilities[:, 1], kind="stable")
        before, after = np.diff(probabilities[order, 1]), np.diff(calibrated[order, 1])
        np.testing.assert_array_equal(before > 0, after > 0)
    moved = Calibration(1.0, np.array([4.0, -4.0])).log_probabilities(probabilities)
    assert (moved.argmax(axis=1) != probabilities.argmax(axis=1)).any()


def test_few_and_separable_images_move_little():
    sure = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = fit_calibration(sure, np.array([0, 1, 0]))
    assert 0.5 < found.temperature < 1.0 and abs(found.biases).max() < 0.2
    many = np.repeat(sure, 100, axis=0)
    found = fit_calibration(many, np.repeat([0, 1, 0], 100))
    assert 0.05 < found.temperature < 0.5
    assert np.isfinite(found.log_probabilities(many)).all()
    unbounded = fit_calibration(many, np.repeat([0, 1, 0], 100), *NO_PRIOR)
    assert unbounded.temperature > 0 and np.isfinite(unbounded.biases).all()


def test_scores_that_are_the_wrong_way_round_keep_a_positive_temperature():
    probabilities, labels = drawn(200, 2)
    found = fit_calibration(probabilities, 1 - labels)
    assert found.temperature > 3 and np.isfinite(found.temperature)


def test_one_class_alone_and_no_image_give_the_identity():
    probabilities, labels = drawn(30, 3)
    for kept in (labels == 1, np.zeros(30, bool)):
        found = fit_calibration(probabilities[kept], labels[kept])
        assert found.temperature == 1.0 and not found.biases.any()


def test_an_absent_class_has_no_bias_and_no_say():
    probabilities, labels = drawn(300, 3, 2.0, np.array([0.5, -0.5, 0.0]))
    kept = labels != 2
    found = fit_calibration(probabilities[kept], labels[kept])
    assert found.biases[2] == 0.0
    two = probabilities[kept, :2] / probabilities[kept, :2].sum(axis=1, keepdims=True)
    alone = fit_calibration(two, labels[kept])
    assert found.temperature == pytest.approx(alone.temperature, rel=1e-4)
    np.testing.assert_allclose(found.biases[:2], alone.biases, atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_of_0_and_1_are_clipped(classes):
    labels = np.arange(60) % classes
    probabilities = np.eye(classes, dtype=np.float32)[labels]
    probabilities[:6] = np.roll(probabilities[:6], 1, axis=1)  # Sure, and wrong.
    found = fit_calibration(probabilities, labels)
    assert 3 < found.temperature < 100
    calibrated = found.log_probabilities(probabilities)
    assert np.isfinite(calibrated).all()
    assert (calibrated.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_images_without_a_probability_are_left_out():
    probabilities, labels = drawn(50, 2)
    broken = np.concatenate([probabilities, np.full((5, 2), np.nan)])
    found = fit_calibration(broken, np.concatenate([labels, np.zeros(5, int)]))
    expected = fit_calibration(probabilities, labels)
    assert found.temperature == expected.temperature
    np.testing.assert_array_equal(found.biases, expected.biases)
