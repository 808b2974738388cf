"""The gradient penalty of WGAN-GP (Gulrajani et al. 2017, equation 3)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Critic = Callable[[Float[Array, "batch height width channels"]], Float[Array, " batch"]]


def input_gradients(
    critic: Critic, images: Float[Array, "batch height width channels"]
) -> Float[Array, "batch height width channels"]:
    """Returns each image's own gradient of its score.

    The critic must score every image on its own (no batch norm): the gradient of
    the sum is then the gradient of each score.
    """
    return jax.grad(lambda images: jnp.sum(critic(images)))(images)


def gradient_penalty(
    critic: Critic,
    real: Float[Array, "batch height width channels"],
    fake: Float[Array, "batch height width channels"],
    mixing: Float[Array, " batch"],
) -> Float[Array, ""]:
    """Returns the mean of (|gradient| - 1)^2 between real and generated images.

    Args:
      critic: scores [batch] of images, each on its own.
      real: images in [-1, 1].
      fake: generated images in [-1, 1].
      mixing: each pair's weight of the real image, uniform in [0, 1].
    """
    weight = mixing[:, None, None, None]
    gradients = input_gradients(critic, weight * real + (1.0 - weight) * fake)
    squares = jnp.sum(jnp.square(gradients), axis=(1, 2, 3))
    # The square root has no derivative at zero; the floor keeps the penalty's finite there.
    norms = jnp.sqrt(jnp.maximum(squares, 1e-12))
    return jnp.mean(jnp.square(norms - 1.0))
