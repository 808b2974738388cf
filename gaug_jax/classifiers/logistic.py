"""Multinomial logistic regression on features, with soft labels, weights and a ridge penalty.

The penalty is on the weights and not on the bias, and is relative to the mean loss:
mean loss + penalty / 2 * |weights|^2. With hard labels it is scikit-learn's `LogisticRegression`
of the scaled features with C = 1 / (penalty * total weight), and twice that for two classes, where
scikit-learn has one column of weights.
"""

import functools
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.special
import threadpoolctl
from jaxtyping import Float

_MOST_ITERATIONS = 1000
# Of the gradient's largest element, and of a step's gain as a share of the loss.
_GRADIENT_TOLERANCE, _GAIN_TOLERANCE = 1e-6, 1e-12


class Logistic(NamedTuple):
    """A fitted model; features are centred by `mean` and divided by `scale` before it.

    Attributes:
      mean: of the training features.
      scale: one number for all features, so that their relations stay.
      weights: of the features.
      bias: of the classes.
    """

    mean: Float[np.ndarray, " features"]
    scale: float
    weights: Float[np.ndarray, "features classes"]
    bias: Float[np.ndarray, " classes"]


def fit_logistic(
    features: Float[np.ndarray, "images features"],
    targets: Float[np.ndarray, "images classes"],
    weights: Float[np.ndarray, " images"],
    penalty: float,
    *,
    around: Logistic | None = None,
    start: Logistic | None = None,
) -> Logistic:
    """Returns the model of the least penalised mean loss, found by L-BFGS in float64.

    Args:
      features: of each image.
      targets: its share of each class; rows add up to 1.
      weights: of each image in the mean, not all 0.
      penalty: of the squared weights; above 0, so that there is one best model.
      around: shrink towards this model, in its own scaling of the features, not towards 0.
      start: where the search begins; of the same scaling. It decides the time, not the result.

    Example:
      >>> features = np.array([[-1.0], [-0.5], [0.5], [1.0]])
      >>> targets = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
      >>> model = fit_logistic(features, targets, np.ones(4), penalty=0.1)
      >>> logistic_probabilities(model, features).argmax(axis=1).tolist()
      [0, 0, 1, 1]
    """
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    mean, scale = (around.mean, around.scale) if around else _scaling(features, shares)
    # A thread each: of such matrices several threads wait for one another most of the time.
    with _libraries().limit(limits=1, user_api="blas"):
        return _least_loss(
            (features - mean) / scale, targets, shares, penalty, around, start
        )._replace(mean=mean, scale=scale)


@functools.cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    """Returns what holds the threads of linear algebra; to find it takes milliseconds."""
    return threadpoolctl.ThreadpoolController()


def _least_loss(
    scaled: Float[np.ndarray, "images features"],
    targets: Float[np.ndarray, "images classes"],
    shares: Float[np.ndarray, " images"],
    penalty: float,
    around: Logistic | None,
    start: Logistic | None,
) -> Logistic:
    """Returns the model of scaled features, as of a mean of 0 and a scale of 1."""
    num_features, num_classes = scaled.shape[1], targets.shape[1]
    centre = around.weights if around else np.zeros((num_features, num_classes))
    offset = scaled @ centre
    reduced, basis = _in_row_space(scaled)
    begin = start or around
    first = np.zeros((reduced.shape[1] + 1, num_classes))
    if begin is not None:
        first = np.concatenate([basis @ (begin.weights - centre), begin.bias[None]])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        matrix = flat.reshape(first.shape)
        logits = offset + reduced @ matrix[:-1] + matrix[-1]
        log_sums = scipy.special.logsumexp(logits, axis=1)
        value = shares @ (log_sums - np.sum(targets * logits, axis=1))
        value += 0.5 * penalty * np.sum(matrix[:-1] ** 2)
        errors = (np.exp(logits - log_sums[:, None]) - targets) * shares[:, None]
        of_weights = reduced.T @ errors + penalty * matrix[:-1]
        slope = np.concatenate([of_weights, errors.sum(axis=0)[None]])
        return float(value), slope.ravel()

    options = {"maxiter": _MOST_ITERATIONS, "gtol": _GRADIENT_TOLERANCE, "ftol": _GAIN_TOLERANCE}
    found = scipy.optimize.minimize(
        loss, first.ravel(), jac=True, method="L-BFGS-B", options=options
    ).x.reshape(first.shape)
    weights = centre + basis.T @ found[:-1]
    return Logistic(np.zeros(num_features), 1.0, weights, found[-1])


def _in_row_space(
    scaled: Float[np.ndarray, "images features"],
) -> tuple[Float[np.ndarray, "images rank"], Float[np.ndarray, "rank features"]]:
    """Returns features in a basis of their rows, and the basis.

    The best weights lie in that space, which has few dimensions where images are few; the penalty
    is the same in it. Of more images than features it is all of the space.
    """
    if len(scaled) >= scaled.shape[1]:
        return scaled, np.eye(scaled.shape[1])
    left, sizes, basis = np.linalg.svd(scaled, full_matrices=False)
    return left * sizes, basis


def _scaling(
    features: Float[np.ndarray, "images features"], shares: Float[np.ndarray, " images"]
) -> tuple[Float[np.ndarray, " features"], float]:
    """Returns the mean, and the root of the mean variance of a feature (1 of constant ones)."""
    mean = shares @ features
    spread = float(np.sqrt(np.mean(shares @ (features - mean) ** 2)))
    # Rounding leaves a spread to features that are all the same.
    return mean, spread if spread > 1e-12 * np.abs(mean).max(initial=0.0) else 1.0


def logistic_probabilities(
    model: Logistic, features: Float[np.ndarray, "images features"]
) -> Float[np.ndarray, "images classes"]:
    """Returns the probabilities of each class."""
    logits = (features - model.mean) / model.scale @ model.weights + model.bias
    return scipy.special.softmax(logits, axis=1)
