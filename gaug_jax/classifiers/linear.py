"""A linear classifier of real images, for what generated ones look like to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.classifiers.fit import class_weights
from gaug_jax.classifiers.frozen import Features, Images, features_of
from gaug_jax.classifiers.logistic import Logistic, fit_logistic, logistic_probabilities


@dataclass(frozen=True)
class LinearSpec:
    """What decides a linear classifier beside its images.

    Attributes:
      class_names: of the probabilities, in their order.
      architecture: one of `LINEAR`.
      penalty: of the squared weights.
      balanced: weigh classes by the inverse of their number.
    """

    class_names: tuple[str, ...]
    architecture: str
    penalty: float
    balanced: bool


class LinearClassifier(NamedTuple):
    """A fitted one.

    Attributes:
      features: from images to what the model is linear in.
      model: of them.
    """

    features: Callable[[Images], Features]
    model: Logistic

    def probabilities(self, images: Images) -> Float[np.ndarray, "images classes"]:
        """Returns the probabilities of each class; of images in [0, 255]."""
        return logistic_probabilities(self.model, self.features(images))


def fit_linear(
    spec: LinearSpec, images: Images, labels: Int[np.ndarray, " images"]
) -> LinearClassifier:
    """Returns the classifier of some images.

    Args:
      spec: of it.
      images: [0, 255].
      labels: class of each.

    Raises:
      UserError: the package of a pretrained network's weights is not there.
    """
    features = features_of(spec.architecture, images)
    count = len(spec.class_names)
    weights = class_weights(labels, count, spec.balanced)[labels]
    model = fit_logistic(features(images), np.eye(count)[labels], weights, spec.penalty)
    return LinearClassifier(features, model)
