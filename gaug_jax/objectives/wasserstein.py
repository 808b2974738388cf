"""The Wasserstein objective (Arjovsky et al. 2017, equation 3)."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def discriminator_loss(
    real: Float[Array, " batch"], fake: Float[Array, " batch"]
) -> Float[Array, ""]:
    """Returns mean critic(G(z)) - mean critic(x), which the critic minimises."""
    return jnp.mean(fake) - jnp.mean(real)


def generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns -mean critic(G(z))."""
    return -jnp.mean(fake)
