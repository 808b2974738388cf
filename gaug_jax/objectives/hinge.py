"""The hinge objective (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def discriminator_loss(
    real: Float[Array, " batch"], fake: Float[Array, " batch"]
) -> Float[Array, ""]:
    """Returns mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))."""
    return jnp.mean(jax.nn.relu(1.0 - real)) + jnp.mean(jax.nn.relu(1.0 + fake))


def generator_loss(fake: Float[Array, " batch"]) -> Float[Array, ""]:
    """Returns -mean D(G(z))."""
    return -jnp.mean(fake)
