"""The minimax objective on logits (Goodfellow et al. 2014, equation 1)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def discriminator_loss(
    real: Float[Array, " batch"], fake: Float[Array, " batch"]
) -> Float[Array, ""]:
    """Returns -mean log D(x) - mean log(1 - D(G(z))), with D the sigmoid of the logits."""
    return jnp.mean(jax.nn.softplus(-real)) + jnp.mean(jax.nn.softplus(fake))


def generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns the non-saturating -mean log D(G(z)) (section 3 of the paper)."""
    return jnp.mean(jax.nn.softplus(-fake))


def literal_generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns mean log(1 - D(G(z))), the game's own value, whose gradient saturates."""
    return -jnp.mean(jax.nn.softplus(fake))
