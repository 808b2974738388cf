"""LeCam regularisation (Tseng et al. 2021, "Regularizing GANs under limited data")."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def lecam_penalty(
    real: Float[Array, " batch"],
    fake: Float[Array, " batch"],
    mean_real: Float[Array, ""],
    mean_fake: Float[Array, ""],
) -> Float[Array, ""]:
    """Returns mean (D(x) - mean_fake)^2 + mean (D(G(z)) - mean_real)^2 (equation 6).

    Args:
      real: scores of real images.
      fake: scores of generated images.
      mean_real: moving average of the scores of real images; no gradient passes through it.
      mean_fake: likewise of generated ones.
    """
    return jnp.mean(jnp.square(real - mean_fake)) + jnp.mean(jnp.square(fake - mean_real))
