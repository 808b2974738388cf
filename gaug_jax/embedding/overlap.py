"""How far real and generated images overlap, as numbers: what a picture may hide or invent."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

Features = Float[np.ndarray, "images features"]
_NEIGHBOURS = 10
_FOLDS = 5


class Proportion(NamedTuple):
    """A share in [0, 1] with its 95% interval."""

    value: float
    low: float
    high: float


def neighbour_mixing(real: Features, generated: Features) -> float:
    """Returns how often the ten nearest neighbours of an image are of the other origin.

    As a multiple of what chance gives: 1 where the two cannot be told apart, 0 where no
    image has a neighbour of the other origin (the statistic of Schilling 1986, turned round).

    Raises:
      ValueError: an origin has no images.
    """
    from sklearn.neighbors import NearestNeighbors

    if not (len(real) and len(generated)):
        raise ValueError("mixing needs images of both origins")
    features = np.concatenate([real, generated])
    generated_ones = np.arange(len(features)) >= len(real)
    count = min(_NEIGHBOURS, len(features) - 1)
    found = NearestNeighbors(n_neighbors=count).fit(features).kneighbors(return_distance=False)
    others = generated_ones[found] != generated_ones[:, None]
    sizes = np.where(generated_ones, len(real), len(generated))
    return float(np.mean(others.mean(axis=1) / (sizes / (len(features) - 1))))


def two_sample_accuracy(
    real: Features, generated: Features, groups: Int[np.ndarray, " reals"], seed: int
) -> Proportion:
    """Returns how often a classifier tells whether an image is generated (C2ST).

    Logistic regression in five folds, real images of one group in one fold, and as many of
    each origin (Lopez-Paz and Oquab 2017): 0.5 where they cannot be told apart, 1 where every
    image can. Wilson's interval over the out-of-fold answers.

    Args:
      real: features of real images.
      generated: features of generated images.
      groups: patient or writer of each real image.
      seed: of the images that are left out of the larger origin, and of the folds.

    Raises:
      ValueError: an origin has fewer images or groups than there are folds.
    """
    from scipy.stats import binomtest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = min(len(real), len(generated))
    if count < _FOLDS or len(np.unique(groups)) < _FOLDS:
        raise ValueError(f"a two-sample test needs {_FOLDS} images and groups of each origin")
    generator = np.random.default_rng(seed)
    reals, generated_ones = (
        np.sort(generator.permutation(len(each))[:count]) for each in (real, generated)
    )
    features = np.concatenate([real[reals], generated[generated_ones]])
    origins = np.repeat([0, 1], count)
    own = np.max(groups) + 1 + np.arange(count)  # Every generated image is on its own.
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    said = cross_val_predict(
        classifier, features, origins, cv=folds, groups=np.concatenate([groups[reals], own])
    )
    test = binomtest(int(np.sum(said == origins)), 2 * count)
    interval = test.proportion_ci(0.95, method="wilson")
    return Proportion(float(np.mean(said == origins)), float(interval.low), float(interval.high))
