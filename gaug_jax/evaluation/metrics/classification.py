"""Figures of a classifier's probabilities, each for many weightings of the images at once.

Weights are how often each image counts: a row of ones gives the plain figure (that of
scikit-learn), rows of a bootstrap its replicates. A figure that is not defined, as where
a class is absent, is NaN.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

Probabilities = Float[np.ndarray, "images classes"]
Labels = Int[np.ndarray, " images"]
Weights = Float[np.ndarray, "weightings images"]
Figures = Float[np.ndarray, " weightings"]

# Bins of the calibration error.
_BINS = 15


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Returns a quotient, NaN where nothing counts."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def accuracy(probabilities: Probabilities, labels: Labels, weights: Weights) -> Figures:
    """Returns the share of images whose most likely class is theirs."""
    right = probabilities.argmax(axis=1) == labels
    return _ratio(weights @ right, weights.sum(axis=1))


def macro_f1(probabilities: Probabilities, labels: Labels, weights: Weights) -> Figures:
    """Returns the mean F1 of the classes that are wanted or predicted; 0 for one never right."""
    return np.nanmean(class_f1(probabilities, labels, weights), axis=1)


def class_f1(
    probabilities: Probabilities, labels: Labels, weights: Weights
) -> Float[np.ndarray, "weightings classes"]:
    """Returns F1 of each class; NaN of one that is neither wanted nor predicted."""
    classes = np.arange(probabilities.shape[1])
    wanted = labels[:, None] == classes
    predicted = probabilities.argmax(axis=1)[:, None] == classes
    both = weights @ (wanted & predicted)
    return _ratio(2.0 * both, weights @ wanted + weights @ predicted)


def auroc(probabilities: Probabilities, labels: Labels, weights: Weights) -> Figures:
    """Returns the area under the ROC curve; beyond two classes the mean of one against the rest.

    NaN where a class or all others are absent.
    """
    if probabilities.shape[1] == 2:
        return binary_auroc(probabilities[:, 1], labels == 1, weights)
    areas = [
        binary_auroc(probabilities[:, name], labels == name, weights)
        for name in range(probabilities.shape[1])
    ]
    return np.mean(areas, axis=0)


def mean_auroc(
    probabilities: Probabilities,
    labels: Labels,
    weights: Weights,
    splits: Int[np.ndarray, " images"],
) -> Figures:
    """Returns the mean of the splits' AUROCs; NaN where that of a split is not defined.

    Images are compared within their split alone, so that classifiers of several splits need not
    be calibrated to one another (Airola et al. 2011, the averaged estimate of cross-validation).
    In simulated studies of five splits with 60 patients each its bias is 0.003 at most, that of
    pooled scores on different scales -0.03 to -0.07 as they are, and -0.01 to -0.02 calibrated
    (docs/guide.md).

    Args:
      probabilities: of all splits' test images.
      labels: of them.
      weights: of them.
      splits: in whose test part each image is.
    """
    areas = []
    for split in np.unique(splits):
        inside = splits == split
        areas.append(auroc(probabilities[inside], labels[inside], weights[:, inside]))
    return np.mean(areas, axis=0)


def binary_auroc(
    scores: Float[np.ndarray, " images"], positive: np.ndarray, weights: Weights
) -> Figures:
    """Returns how often a positive image has the larger score than another; ties count half."""
    values, places = np.unique(scores, return_inverse=True)
    positives, negatives = (
        _sum_by_place(weights * each, places, len(values)) for each in (positive, ~positive)
    )
    below = np.cumsum(negatives, axis=1) - negatives
    wins = np.sum(positives * (below + negatives / 2), axis=1)
    return _ratio(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def _sum_by_place(
    values: Float[np.ndarray, "weightings images"], places: np.ndarray, count: int
) -> Float[np.ndarray, "weightings count"]:
    """Returns sums of the columns of each place."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(count))
    return np.add.reduceat(values[:, order], starts, axis=1)


def sensitivity_at_90_specificity(
    probabilities: Probabilities, labels: Labels, weights: Weights
) -> Figures:
    """Returns the largest sensitivity of a threshold with a specificity of 0.9 or more.

    Read off the test curve, so it describes and does not say what a deployed threshold
    would reach. Of two classes the second is the positive one; beyond two it is the mean
    of one against the rest.
    """
    if probabilities.shape[1] == 2:
        return sensitivity_at(probabilities[:, 1], labels == 1, weights)
    classes = range(probabilities.shape[1])
    return np.mean(
        [sensitivity_at(probabilities[:, name], labels == name, weights) for name in classes],
        axis=0,
    )


def sensitivity_at(
    scores: Float[np.ndarray, " images"],
    positive: np.ndarray,
    weights: Weights,
    specificity: float = 0.9,
) -> Figures:
    """Returns the largest sensitivity of a threshold with such a specificity or more.

    Images at or above the threshold are called positive.
    """
    values, places = np.unique(-scores, return_inverse=True)
    called = []
    for side in (positive, ~positive):
        sums = _sum_by_place(weights * side, places, len(values))
        called.append(_ratio(np.cumsum(sums, axis=1), sums.sum(axis=1, keepdims=True)))
    allowed = called[1] <= 1.0 - specificity + 1e-12
    best = np.max(np.where(allowed, called[0], 0.0), axis=1)
    undefined = np.isnan(called[0][:, -1]) | np.isnan(called[1][:, -1])
    return np.where(undefined, np.nan, best)


def expected_calibration_error(
    probabilities: Probabilities, labels: Labels, weights: Weights
) -> Figures:
    """Returns the mean gap between confidence and accuracy, in 15 bins of confidence (Guo 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    members = bins[:, None] == np.arange(_BINS)
    gaps = weights @ (members * (confidence - right)[:, None])
    return _ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


FIGURES: dict[str, Callable[[Probabilities, Labels, Weights], Figures]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "auroc": auroc,
    "sensitivity_at_90_specificity": sensitivity_at_90_specificity,
    "expected_calibration_error": expected_calibration_error,
}
# Figures that are not defined where a class is absent.
OF_EVERY_CLASS = ("auroc", "sensitivity_at_90_specificity")
# Figures by which an image's score is compared with another image's: classifiers of several
# splits are calibrated before their scores are pooled for these.
OF_POOLED_SCORES = ("auroc", "sensitivity_at_90_specificity")
# Means over splits, and the figure of each split that they are of.
OVER_SPLITS = {"auroc_mean_over_splits": "auroc"}
# What a study may be judged by: figures of which more is better.
ENDPOINTS = (*(name for name in FIGURES if name != "expected_calibration_error"), *OVER_SPLITS)


def of_a_split(name: str) -> str:
    """Returns the figure of one split that belongs to a study's figure: itself, or its terms."""
    return OVER_SPLITS.get(name, name)


def plain_figures(probabilities: Probabilities, labels: Labels) -> dict[str, float | None]:
    """Returns every figure of a set of images; None where it is not defined."""
    once = np.ones((1, len(labels)))
    found = {
        name: float(figure(probabilities, labels, once)[0]) for name, figure in FIGURES.items()
    }
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Returns the mean negative logarithm of the right class's probability."""
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(right.clip(1e-12)).mean())
