"""Calibration: one temperature, and a bias for each class, fitted to held-out images.

Scores of classifiers that were trained apart are on scales of their own. Before they are compared
with one another each is brought to log-probabilities that held-out images bear out: divided by a
temperature, the same for all classes, and moved by a bias for each. With two classes that is Platt
scaling (Platt 1999) of the log-odds, with more vector scaling (Guo et al. 2017, section 4.2) with
one temperature in the place of one for each class.

Fitted by maximum likelihood under a weak Gaussian prior on the log-temperature and the biases, so
that few or separable images give finite values near the identity. Its deviations, 0.5 and 1, were
chosen by simulation: binormal scores of five classifiers with offsets and scales of their own,
held-out parts of 8, 24 and 48 patients, AUROCs of 0.58 to 0.92. Wider ones, no prior, and Platt's
smoothed targets (which have no say in the slope) make the pooled AUROC worse where scores tell
little or images are few: at an AUROC of 0.76 and 8 patients its root mean squared error is 0.040,
0.045 with deviations of 1 and 1, 0.058 with Platt's targets, 0.064 with no prior. Platt's are
better at 0.92 and 24 patients or more (0.020 to 0.022). A deviation of 0.25 gains a little in the
pooled AUROC and loses log loss where classifiers are far too sure.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.special
from jaxtyping import Float, Int

Probabilities = Float[np.ndarray, "images classes"]
LogProbabilities = Float[np.ndarray, "images classes"]

# Standard deviations of the prior, whose means are 0.
TEMPERATURE_DEVIATION, BIAS_DEVIATION = 0.5, 1.0
# Half the step of float32 below 1: what the fit takes probabilities of 0 and 1 for.
_CLOSEST = 2.0**-25
# Below every float32; what stands for 0 where scores are calibrated.
_LEAST = 1e-45
# The largest log-temperature, either way: reached without a prior alone.
_MOST = 5.0


class Calibration(NamedTuple):
    """What makes log-probabilities of a classifier's.

    Attributes:
      temperature: above 0, the same for all classes; above 1 the classifier was too sure.
      biases: of the classes; they add up to 0.
    """

    temperature: float
    biases: Float[np.ndarray, " classes"]

    def log_probabilities(self, probabilities: Probabilities) -> LogProbabilities:
        """Returns calibrated log-probabilities, in float64.

        With two classes they rise strictly with the second one's probability, so that figures of
        ranks stay as they are, to the bit; the likelier class may be another, by the biases. With
        more classes ranks within a class may change too. Logarithms keep apart what
        probabilities near 1 would not.

        Args:
          probabilities: [0, 1].
        """
        scores = _logarithms(probabilities, _LEAST) / self.temperature + self.biases
        if scores.shape[1] != 2:
            return scipy.special.log_softmax(scores, axis=1)
        odds = scores[:, 1] - scores[:, 0]
        return np.stack([-np.logaddexp(0.0, odds), -np.logaddexp(0.0, -odds)], axis=1)


def fit_calibration(
    probabilities: Probabilities,
    labels: Int[np.ndarray, " images"],
    temperature_deviation: float = TEMPERATURE_DEVIATION,
    bias_deviation: float = BIAS_DEVIATION,
) -> Calibration:
    """Returns the calibration that held-out images make likeliest.

    Probabilities are clipped at 2^-25 (3e-8) from 0 and 1. A class that no image is of has no
    part in the likelihood, which compares those that there are, and a bias of 0; with fewer than
    two classes the calibration is the identity.

    Args:
      probabilities: [0, 1], of images that the classifier was not trained on.
      labels: of them.
      temperature_deviation: of the prior on the log-temperature; `math.inf` for none.
      bias_deviation: of the prior on each bias; with two classes the log-odds are moved by the
        difference of two.

    Example:
      >>> sure = np.tile([[0.99, 0.01], [0.01, 0.99]], (40, 1))
      >>> labels = np.arange(80) % 2
      >>> labels[:20] = 1 - labels[:20]  # A quarter are wrong.
      >>> found = fit_calibration(sure, labels)
      >>> np.exp(found.log_probabilities(sure[:1])).round(2).tolist()
      [[0.8, 0.2]]
    """
    usable = np.isfinite(probabilities).all(axis=1)
    logs, labels = _logarithms(probabilities[usable], _CLOSEST), labels[usable]
    present, places = np.unique(labels, return_inverse=True)
    biases = np.zeros(probabilities.shape[1])
    if len(present) < 2:
        return Calibration(1.0, biases)
    precisions = np.array([temperature_deviation] + [bias_deviation] * len(present)) ** -2.0
    found = scipy.optimize.minimize(
        _negative_log_posterior,
        np.zeros(1 + len(present)),
        (logs[:, present], places, precisions),
        method="L-BFGS-B",
        jac=True,
        bounds=[(-_MOST, _MOST)] + [(None, None)] * len(present),
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500},
    ).x
    biases[present] = found[1:] - found[1:].mean()
    return Calibration(math.exp(found[0]), biases)


def _negative_log_posterior(
    parameters: Float[np.ndarray, " parameters"],
    logs: LogProbabilities,
    labels: Int[np.ndarray, " images"],
    precisions: Float[np.ndarray, " parameters"],
) -> tuple[float, Float[np.ndarray, " parameters"]]:
    """Returns the negative log-posterior of log-temperature and biases, and its gradient.

    Args:
      parameters: the log-temperature, then the biases.
      logs: log-probabilities of the classifier.
      labels: of the images.
      precisions: of the prior, one for each parameter.
    """
    scale = math.exp(-parameters[0])
    scores = scipy.special.log_softmax(scale * logs + parameters[1:], axis=1)
    images = np.arange(len(labels))
    surplus = np.exp(scores)
    surplus[images, labels] -= 1.0
    gradient = np.append(-scale * np.sum(surplus * logs), surplus.sum(axis=0))
    value = 0.5 * np.sum(precisions * parameters**2) - scores[images, labels].sum()
    return float(value), gradient + precisions * parameters


def _logarithms(probabilities: Probabilities, least: float) -> LogProbabilities:
    """Returns logarithms of probabilities, clipped at `least`.

    Of two classes both are the second one's, which ranks are made by: in float32 the first one's
    may differ where the second one's are alike. Below 1 it is clipped at 2^-25 in any case.
    """
    clipped = np.clip(probabilities.astype(np.float64), least, 1.0)
    if probabilities.shape[1] != 2:
        return np.log(clipped)
    second = np.minimum(clipped[:, 1], 1.0 - _CLOSEST)
    return np.stack([np.log1p(-second), np.log(second)], axis=1)
