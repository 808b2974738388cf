"""The R1 penalty on real images (Mescheder et al. 2018, equation 9)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.objectives.gradient_penalty import Critic, input_gradients


def r1_penalty(
    critic: Critic, real: Float[Array, "batch height width channels"]
) -> Float[Array, ""]:
    """Returns half the mean squared gradient norm of the scores of real images in [-1, 1]."""
    squares = jnp.sum(jnp.square(input_gradients(critic, real)), axis=(1, 2, 3))
    return 0.5 * jnp.mean(squares)
