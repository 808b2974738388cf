"""Every figure against scikit-learn, and on degenerate cases."""

import warnings

import numpy as np
import pytest
from sklearn import metrics

from gaug_jax.evaluation.metrics import classification as scores

ONCE = np.ones((1, 1))


def case(count, classes, seed, ties=False):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, classes))
    if ties:
        logits = np.round(logits)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, random.integers(0, classes, count)


def plain(name, probabilities, labels):
    return scores.FIGURES[name](probabilities, labels, np.ones((1, len(labels))))[0]


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_figures_are_scikit_learns(classes, ties, seed):
    probabilities, labels = case(80, classes, seed, ties)
    predicted = probabilities.argmax(axis=1)
    assert plain("accuracy", probabilities, labels) == pytest.approx(
        metrics.accuracy_score(labels, predicted)
    )
    assert plain("macro_f1", probabilities, labels) == pytest.approx(
        metrics.f1_score(labels, predicted, average="macro")
    )
    wanted = probabilities[:, 1] if classes == 2 else probabilities
    assert plain("auroc", probabilities, labels) == pytest.approx(
        metrics.roc_auc_score(labels, wanted, multi_class="ovr")
    )
    assert scores.log_loss(probabilities, labels) == pytest.approx(
        metrics.log_loss(labels, probabilities, labels=range(classes))
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_sensitivity_is_read_off_scikit_learns_curve(ties, seed):
    probabilities, labels = case(60, 2, seed, ties)
    false, true, _ = metrics.roc_curve(labels, probabilities[:, 1], drop_intermediate=False)
    expected = true[false <= 0.1 + 1e-12].max()
    assert plain("sensitivity_at_90_specificity", probabilities, labels) == pytest.approx(expected)


def test_the_mean_over_splits_is_that_of_scikit_learns_areas():
    probabilities, labels = case(90, 2, 0)
    splits = np.arange(90) % 3
    areas = [
        metrics.roc_auc_score(labels[splits == each], probabilities[splits == each, 1])
        for each in range(3)
    ]
    once = np.ones((1, 90))
    found = scores.mean_auroc(probabilities, labels, once, splits)[0]
    assert found == pytest.approx(np.mean(areas))
    # Scores of a split that are all moved change nothing.
    moved = np.log(probabilities) + np.stack([np.zeros(90), 5.0 * splits], axis=1)
    assert scores.mean_auroc(moved, labels, once, splits)[0] == found
    weights = np.random.default_rng(1).integers(0, 3, (4, 90)).astype(float)
    inside = [weights[:, splits == each] for each in range(3)]
    expected = np.mean(
        [
            scores.auroc(probabilities[splits == each], labels[splits == each], inside[each])
            for each in range(3)
        ],
        axis=0,
    )
    np.testing.assert_array_equal(
        scores.mean_auroc(probabilities, labels, weights, splits), expected
    )
    assert np.isnan(scores.mean_auroc(probabilities, labels * (splits > 0), once, splits)[0])


def test_every_endpoint_has_a_figure_of_one_split():
    assert {scores.of_a_split(name) for name in scores.ENDPOINTS} <= set(scores.FIGURES)
    assert scores.of_a_split("auroc_mean_over_splits") == "auroc"
    assert scores.of_a_split("accuracy") == "accuracy"


def test_weights_count_images_as_often():
    probabilities, labels = case(40, 3, 0)
    counts = np.random.default_rng(1).integers(0, 4, (6, 40))
    for name, figure in scores.FIGURES.items():
        weighted = figure(probabilities, labels, counts.astype(float))
        for row, value in zip(counts, weighted, strict=True):
            repeated = np.repeat(np.arange(40), row)
            expected = plain(name, probabilities[repeated], labels[repeated])
            assert value == pytest.approx(expected, abs=1e-12), name


def test_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.35, 0.65]])
    labels = np.array([0, 1, 1, 1])
    # The first two share a bin: confidence 0.9, half right; the others have their own.
    expected = (2 * 0.4 + 0.4 + 0.35) / 4
    assert plain("expected_calibration_error", probabilities, labels) == pytest.approx(expected)


def test_constant_scores():
    probabilities, labels = np.full((10, 2), 0.5), np.arange(10) % 2
    assert plain("auroc", probabilities, labels) == 0.5
    assert plain("sensitivity_at_90_specificity", probabilities, labels) == 0.0
    assert plain("accuracy", probabilities, labels) == 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_an_absent_class(classes):
    probabilities, _ = case(12, classes, 0)
    labels = np.zeros(12, int)
    figures = scores.plain_figures(probabilities, labels)
    assert figures["auroc"] is None and figures["sensitivity_at_90_specificity"] is None
    assert figures["accuracy"] is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        present = sorted(set(labels) | set(probabilities.argmax(axis=1)))
        expected = metrics.f1_score(
            labels, probabilities.argmax(axis=1), average="macro", labels=present
        )
    assert figures["macro_f1"] == pytest.approx(expected)


def test_one_image():
    figures = scores.plain_figures(np.array([[0.2, 0.8]]), np.array([1]))
    assert figures["accuracy"] == 1.0 and figures["auroc"] is None
