"""The Inception score (Salimans et al. 2016), on any logits, in float64."""

import numpy as np
from jaxtyping import Num
from scipy.special import log_softmax

from gaug_jax.evaluation.metrics.frechet import checked_features


def inception_score(
    logits: Num[np.ndarray, "images classes"],
    rng: np.random.Generator | None = None,
    splits: int = 10,
) -> tuple[float, float]:
    """Returns mean and standard deviation, over the splits, of exp(E KL(p(y|x) || p(y))).

    From 1 (every image says the same) to the number of classes.

    Args:
      logits: before the softmax.
      rng: shuffles the images first, since neighbours are often of one class; None
        leaves them in their order.
      splits: parts of equal size, each scored on its own; fewer where there are fewer images.

    Raises:
      ValueError: no images, or a number is not finite.
    """
    logits = checked_features(logits, 1)
    if rng is not None:
        logits = rng.permutation(logits)
    splits = min(splits, len(logits))
    edges = [number * len(logits) // splits for number in range(splits + 1)]
    parts = [logits[first:last] for first, last in zip(edges[:-1], edges[1:], strict=True)]
    scores = [_score(log_softmax(part, axis=1)) for part in parts]
    return float(np.mean(scores)), float(np.std(scores))


def _score(log_probabilities: Num[np.ndarray, "images classes"]) -> float:
    """Returns the score of one split."""
    probabilities = np.exp(log_probabilities)
    marginal = probabilities.mean(axis=0)
    # A class of probability 0 everywhere adds nothing.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1.0))
    divergences = np.sum(probabilities * (log_probabilities - log_marginal), axis=1)
    return float(np.exp(divergences.mean()))
