"""Authenticity: the share of generated images that are not copies of a training image.

Alaa, van Breugel, Saveliev, van der Schaar: "How Faithful is your Synthetic Data?" (2022),
equation 7 with the nearest neighbour: a generated image is authentic where it is farther from
its nearest training image than that one is from its nearest fellow.
"""

import numpy as np
from jaxtyping import Bool, Float

from gaug_jax.evaluation.metrics.nearest import nearest, nearest_fellow

Features = Float[np.ndarray, "images features"]


def authentic(generated: Features, train: Features) -> Bool[np.ndarray, " images"]:
    """Returns which generated images are authentic.

    Args:
      generated: features, float64.
      train: features of the training images.

    Raises:
      ValueError: there are fewer than two training images.
    """
    if len(train) < 2:
        raise ValueError("authenticity needs two training images or more")
    distances, places = nearest(generated, train)
    return distances > nearest_fellow(train)[places]


def authenticity(generated: Features, train: Features) -> float:
    """Returns the share of authentic images, in [0, 1]."""
    return float(authentic(generated, train).mean())
