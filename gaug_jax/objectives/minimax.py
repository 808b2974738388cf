"""The minimax objective on logits (Goodfellow et al. 2014, equation 1)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def discriminator_loss(
    real: Float[Array, " batch"], fake: Float[Array, " batch"], label_smoothing: float = 0.0
) -> Float[Array, ""]:
    """Returns -mean log D(x) - mean log(1 - D(G(z))), with D the sigmoid of the logits.

    Args:
      real: logits of real images.
      fake: logits of generated images.
      label_smoothing: s, by which the target of real images alone is less than 1
        (Salimans et al. 2016, section 3.4): -(1 - s) log D(x) - s log(1 - D(x)).
    """
    smoothed = jax.nn.softplus(-real) + label_smoothing * real
    return jnp.mean(smoothed) + jnp.mean(jax.nn.softplus(fake))


def generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns the non-saturating -mean log D(G(z)) (section 3 of the paper)."""
    return jnp.mean(jax.nn.softplus(-fake))


def literal_generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns mean log(1 - D(G(z))), the game's own value, whose gradient saturates."""
    return -jnp.mean(jax.nn.softplus(fake))
