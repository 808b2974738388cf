"""Features of images by networks and projections that are not fitted to the labels."""

import collections
import functools
import hashlib
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float, PyTree, UInt8

from gaug_jax.images import resize_square
from gaug_jax.models.efficientnet import EfficientNetOutputs, network_input
from gaug_jax.models.pretrained_classifier import LEAST_HEIGHT
from gaug_jax.weights.efficientnet import frozen_efficientnet

Images = UInt8[np.ndarray, "images height width channels"]
Features = Float[np.ndarray, "images features"]

_COMPONENTS = 50
# Rows and columns of `linear_map`, those of an image of 64x64.
_POSITIONS = 4
_BATCH = 64
# Of 1280 or 1792 float32 each: 200 to 300 MB.
_MOST_REMEMBERED = 40_000


class Remembered:
    """A function from images to features that computes each image once, by its content.

    Args:
      function: from a batch of a fixed size to features.
      batch_size: of the batch; the last one is filled up.
      most: images whose features are kept; the oldest are forgotten.
    """

    def __init__(
        self,
        function: Callable[[Images], Features],
        batch_size: int = _BATCH,
        most: int = _MOST_REMEMBERED,
    ) -> None:
        self._function, self._batch_size, self._most = function, batch_size, most
        self._rows: collections.OrderedDict[bytes, np.ndarray] = collections.OrderedDict()

    def __call__(self, images: Images) -> Features:
        """Returns the features of images, in their order.

        Args:
          images: at least one, [0, 255].
        """
        prefix = str(images.shape[1:]).encode()
        keys = [hashlib.blake2b(prefix + image.tobytes(), digest_size=16).digest()
                for image in images]  # fmt: skip
        known = {key: self._rows[key] for key in keys if key in self._rows}
        absent = {key: place for place, key in enumerate(keys) if key not in known}
        places = list(absent.values())
        for first in range(0, len(places), self._batch_size):
            chosen = places[first : first + self._batch_size]
            batch = images[chosen + chosen[-1:] * (self._batch_size - len(chosen))]
            made = np.asarray(self._function(batch), np.float32)[: len(chosen)]
            known |= {keys[place]: row for place, row in zip(chosen, made, strict=True)}
        self._rows |= {key: known[key] for key in absent}
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
        return np.stack([known[key] for key in keys])


def features_of(architecture: str, images: Images) -> Callable[[Images], Features]:
    """Returns the features of an architecture that is fitted to images.

    Args:
      architecture: one of `LINEAR`.
      images: that the components of `pixels` are of; the others do not depend on any.

    Raises:
      UserError: the package with the weights is not installed or not the published one.
    """
    if architecture == "pixels":
        return pixel_components(images)
    return pretrained_features(architecture)


@functools.cache
def pretrained_features(of: str) -> Remembered:
    """Returns features of EfficientNet-Lite0 with its published weights (ImageNet).

    Args:
      of: architecture that is fitted to them: `linear` for the 1280 means over positions of the
        head; `linear_map` for the 112 features at a stride of 16, at each of 4x4 positions (the
        means of larger maps), which keep where something is: on 10 Bangla numerals of each kind
        they tell 93% of the test images, the former 76% (docs/results.md).

    Raises:
      UserError: the package with the weights is not installed or not the published one.
    """
    frozen = frozen_efficientnet()
    variables = jax.device_put({"params": frozen.params})
    taken = {"linear": lambda outputs: outputs.features, "linear_map": _map}[of]

    @jax.jit
    def compute(variables: PyTree, images: Array) -> Array:
        return taken(frozen.network.apply(variables, network_input(images), train=False))

    return Remembered(lambda images: compute(variables, _large_enough(images)))


def _map(outputs: EfficientNetOutputs) -> Array:
    """Returns the features at a stride of 16, brought to 4x4 positions by means."""
    features = outputs.depths[2]
    count, rows, columns, width = features.shape
    if min(rows, columns) > _POSITIONS:
        cell = (rows // _POSITIONS, columns // _POSITIONS)
        features = features[:, : cell[0] * _POSITIONS, : cell[1] * _POSITIONS]
        shape = (count, _POSITIONS, cell[0], _POSITIONS, cell[1], width)
        features = features.reshape(shape).mean(axis=(2, 4))
    return features.reshape(count, -1)


def _large_enough(images: Images) -> Images:
    """Returns images of less than 64x64 resized to that (bicubic), others as they are."""
    if images.shape[1] >= LEAST_HEIGHT:
        return images
    return np.stack([resize_square(image, LEAST_HEIGHT, "stretch") for image in images])


def pixel_components(images: Images) -> Callable[[Images], Features]:
    """Returns the projection on the first 50 principal components of images' pixels in [0, 1].

    Args:
      images: that the components are of, at least two; fewer than 51 have fewer components.
    """
    from sklearn.decomposition import PCA

    def pixels(images: Images) -> Features:
        return images.reshape(len(images), -1).astype(np.float32) / 255.0

    flat = pixels(images)
    count = min(_COMPONENTS, len(flat) - 1, flat.shape[1])
    components = PCA(count, svd_solver="full").fit(flat)
    return lambda images: components.transform(pixels(images))
