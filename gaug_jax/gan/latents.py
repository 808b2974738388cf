"""What images are drawn from."""

import jax
from jaxtyping import Array, Float

from gaug_jax.gan.spec import Spec


def draw_latents(keys: Array, spec: Spec) -> Float[Array, "batch latent"]:
    """Returns a standard normal latent for each key."""
    return jax.vmap(lambda key: jax.random.normal(key, (spec.latent_length,)))(keys)
