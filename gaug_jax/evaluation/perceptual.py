"""LPIPS of pairs of images, with the public weights."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from gaug_jax.images import to_unit
from gaug_jax.models.lpips import LEAST_SIZE, LPIPS
from gaug_jax.weights.lpips import lpips_parameters
from gaug_jax.weights.weight_files import ALEXNET, LPIPS_LINEAR, read_weights

_BATCH = 64

Images = UInt8[np.ndarray, "pairs height width channels"]


class PerceptualDistance(NamedTuple):
    """LPIPS, ready to be used.

    Attributes:
      function: from two arrays of images in [0, 255] to the distance of each pair.
      official: False where unofficial weights were allowed and used.
    """

    function: Callable[[Images, Images], Float[np.ndarray, " pairs"]]
    official: bool


def make_perceptual_distance(
    path: str | None = None, *, allow_unofficial: bool = False, download: bool = False
) -> PerceptualDistance:
    """Returns LPIPS (version 0.1, AlexNet).

    Args:
      path: a folder with both weight files; None looks for them.
      allow_unofficial: take other files of the right names and shapes.
      download: fetch what is not found (244 MB).

    Raises:
      UserError: a file is not there or not right.
    """
    alexnet, linear = (
        read_weights(file, path, allow_unofficial=allow_unofficial, download=download)
        for file in (ALEXNET, LPIPS_LINEAR)
    )
    params = lpips_parameters(alexnet.tensors, linear.tensors, path or ALEXNET.names[0])
    apply = jax.jit(LPIPS().apply)

    def function(first: Images, second: Images) -> Float[np.ndarray, " pairs"]:
        if min(first.shape[1:3]) < LEAST_SIZE:
            raise ValueError(
                f"images of {first.shape[1:3]} are too small: {LEAST_SIZE} is the least"
            )
        batches = [
            apply(params, *(_padded(images[start : start + _BATCH]) for images in (first, second)))
            for start in range(0, len(first), _BATCH)
        ]
        return np.concatenate([np.asarray(batch) for batch in batches])[: len(first)]

    return PerceptualDistance(function, alexnet.official and linear.official)


def _padded(images: Images) -> Float[jnp.ndarray, "batch height width 3"]:
    """Returns a whole batch in [-1, 1], RGB; the last image fills it up."""
    images = np.concatenate([images, np.repeat(images[-1:], _BATCH - len(images), axis=0)])
    return jnp.broadcast_to(to_unit(images), (*images.shape[:3], 3))
