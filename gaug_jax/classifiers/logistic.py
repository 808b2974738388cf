"""Multinomial logistic regression on features, with soft labels, weights and a ridge penalty.

The penalty is on the weights and not on the bias, and is relative to the mean loss:
mean loss + penalty / 2 * |weights|^2. With hard labels it is scikit-learn's `LogisticRegression`
of the scaled features with C = 1 / (penalty * total weight), and twice that for two classes, where
scikit-learn has one column of weights.
"""

import contextlib
import functools
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
import threadpoolctl
from jaxtyping import Float

_MOST_ITERATIONS = 1000
# Of the gradient's largest element, and of a step's gain as a share of the loss.
_GRADIENT_TOLERANCE, _GAIN_TOLERANCE = 1e-6, 1e-12
# So many rows tell the curvature of the loss well enough.
_ROWS_OF_CURVATURE = 4096


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
    return Regression(features, targets, weights, around=around).model(penalty, start)


class Regression:
    """What is the same for all penalties: the features, scaled and in a basis of their rows.

    Args:
      features: as of `fit_logistic`, like the others.
      targets: of them.
      weights: of them.
      around: a model to shrink towards.
    """

    def __init__(
        self,
        features: Float[np.ndarray, "images features"],
        targets: Float[np.ndarray, "images classes"],
        weights: Float[np.ndarray, " images"],
        *,
        around: Logistic | None = None,
    ) -> None:
        self._targets, self._around = targets, around
        self._shares = np.asarray(weights, np.float64) / np.sum(weights)
        self._mean, self._scale = (
            (around.mean, around.scale) if around else _scaling(features, self._shares)
        )
        with _one_thread():
            scaled = (features - self._mean) / self._scale
            size = scaled.shape[1], targets.shape[1]
            self._centre = around.weights if around else np.zeros(size)
            self._offset = scaled @ self._centre
            self._reduced, self._basis = _in_row_space(scaled)
            self._covariance = _covariance(self._reduced, self._shares)

    def model(self, penalty: float, start: Logistic | None = None) -> Logistic:
        """Returns the model of a penalty; arguments are those of `fit_logistic`."""
        begin = start or self._around
        first = np.zeros((self._reduced.shape[1] + 1, self._targets.shape[1]))
        factor = self._curvature_factor(penalty)
        options = {
            "maxiter": _MOST_ITERATIONS, "gtol": _GRADIENT_TOLERANCE, "ftol": _GAIN_TOLERANCE,
        }  # fmt: skip
        with _one_thread():
            if begin is not None:
                moved = _coordinates(begin.weights - self._centre, self._basis)
                first = np.concatenate([moved, begin.bias[None]])
            found = scipy.optimize.minimize(
                lambda flat: self._loss_of(flat.reshape(first.shape), penalty, factor),
                (factor.T @ first).ravel(),
                jac=True,
                method="L-BFGS-B",
                options=options,
            ).x.reshape(first.shape)
            found = _solved(factor, found, transposed=True)
            moved = found[:-1] if self._basis is None else self._basis @ found[:-1]
        return Logistic(self._mean, self._scale, self._centre + moved, found[-1])

    def _curvature_factor(self, penalty: float) -> Float[np.ndarray, "rank+1 rank+1"]:
        """Returns the lower Cholesky factor L of the loss's curvature where all classes are alike.

        L-BFGS looks for L' W instead of weights and bias W: there the loss curves alike in all
        directions, but for how sure the model becomes, and a few tens of steps are enough where it
        took hundreds.
        """
        classes, rank = self._targets.shape[1], len(self._covariance)
        curvature = np.zeros((rank + 1, rank + 1))
        curvature[:-1, :-1] = self._covariance / classes
        curvature[np.arange(rank), np.arange(rank)] += penalty
        curvature[-1, -1] = 1.0 / classes
        return np.linalg.cholesky(curvature)

    def _loss_of(
        self,
        moved: Float[np.ndarray, "rank+1 classes"],
        penalty: float,
        factor: Float[np.ndarray, "rank+1 rank+1"],
    ) -> tuple[float, Float[np.ndarray, " slopes"]]:
        """Returns the loss and its slope, of weights and bias after `_curvature_factor`."""
        value, slope = self._loss(_solved(factor, moved, transposed=True), penalty)
        return value, _solved(factor, slope, transposed=False).ravel()

    def _loss(
        self, matrix: Float[np.ndarray, "rank+1 classes"], penalty: float
    ) -> tuple[float, Float[np.ndarray, "rank+1 classes"]]:
        """Returns the penalised mean loss and its slope, of weights in the basis above a bias."""
        logits = self._offset + self._reduced @ matrix[:-1] + matrix[-1]
        log_sums = scipy.special.logsumexp(logits, axis=1)
        value = self._shares @ (log_sums - np.sum(self._targets * logits, axis=1))
        value += 0.5 * penalty * np.sum(matrix[:-1] ** 2)
        errors = (np.exp(logits - log_sums[:, None]) - self._targets) * self._shares[:, None]
        of_weights = self._reduced.T @ errors + penalty * matrix[:-1]
        return float(value), np.concatenate([of_weights, errors.sum(axis=0)[None]])


def _solved(
    factor: Float[np.ndarray, "rank rank"],
    right: Float[np.ndarray, "rank classes"],
    *,
    transposed: bool,
) -> Float[np.ndarray, "rank classes"]:
    """Returns X of L X = right, or of L' X = right."""
    return scipy.linalg.solve_triangular(
        factor, right, lower=True, trans=int(transposed), check_finite=False
    )


@functools.cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    """Returns what holds the threads of linear algebra; to find it takes milliseconds."""
    return threadpoolctl.ThreadpoolController()


def _one_thread() -> contextlib.AbstractContextManager:
    """Has linear algebra use one thread: of such matrices several wait for one another."""
    return _libraries().limit(limits=1, user_api="blas")


def _in_row_space(
    scaled: Float[np.ndarray, "images features"],
) -> tuple[Float[np.ndarray, "images rank"], Float[np.ndarray, "features rank"] | None]:
    """Returns features in an orthonormal basis of their rows, and the basis.

    The best weights lie in that space, which has few dimensions where images are few; the penalty
    is the same in it. Of more images than features it is all of the space: the basis is None.
    """
    if len(scaled) >= scaled.shape[1]:
        return scaled, None
    basis, coordinates = np.linalg.qr(scaled.T)
    return np.ascontiguousarray(coordinates.T), basis


def _covariance(
    reduced: Float[np.ndarray, "images rank"], shares: Float[np.ndarray, " images"]
) -> Float[np.ndarray, "rank rank"]:
    """Returns the mean of the rows' outer products, about 0: of some of them where they are many.

    It decides how fast the best weights are found, and not which they are.
    """
    every = max(1, len(reduced) // max(_ROWS_OF_CURVATURE, 2 * reduced.shape[1]))
    some, its_shares = reduced[::every], shares[::every]
    total = its_shares.sum()
    # Weights of 0 alone would leave nothing.
    its_shares = its_shares / total if total > 0 else np.full(len(some), 1.0 / len(some))
    return some.T @ (its_shares[:, None] * some)


def _coordinates(
    weights: Float[np.ndarray, "features classes"],
    basis: Float[np.ndarray, "features rank"] | None,
) -> Float[np.ndarray, "rank classes"]:
    """Returns the part of weights that lies in a basis, in it."""
    return weights if basis is None else basis.T @ weights


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
