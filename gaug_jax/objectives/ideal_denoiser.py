"""The best denoiser of a finite set of images, in closed form (EDM, Karras et al. 2022, B.3).

What a network of unlimited size would learn of them, and so what a trained one is compared with:
whoever draws images by this denoiser draws the set's own.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def ideal_denoiser(
    points: Float[Array, "points height width channels"],
    noisy: Float[Array, "batch height width channels"],
    sigma: Float[Array, " batch"],
) -> Float[Array, "batch height width channels"]:
    """Returns the mean of the points, each weighted by how likely the noisy image came of it.

    Equation 57: weights are the softmax over points of -|x - y|^2 / (2 sigma^2).

    Args:
      points: the set, every one as likely as the others.
      noisy: a point with noise, each.
      sigma: standard deviation of each image's noise, above 0.
    """
    differences = noisy[:, None] - points[None]
    distances = jnp.sum(jnp.square(differences), axis=(2, 3, 4))
    # From the nearest on, before the division: what it may reach at small sigma is large.
    beyond = distances - jnp.min(distances, axis=1, keepdims=True)
    weights = jax.nn.softmax(-beyond / (2.0 * sigma[:, None] ** 2), axis=1)
    return jnp.einsum("bp,phwc->bhwc", weights, points, precision="highest")
