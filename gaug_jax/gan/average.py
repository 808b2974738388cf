"""The moving average of a generator, which images are drawn from."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from gaug_jax.gan.networks import Network
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import MovingAverage


def updated_average(
    ema: MovingAverage, generator: Network, step: Int[Array, ""], spec: Spec
) -> MovingAverage:
    """Moves the average by one step; its memory grows with the images seen (StyleGAN2-ADA)."""
    images_seen = (step + 1).astype(jnp.float32) * spec.train.batch_size
    half_life = jnp.minimum(spec.train.ema_half_life, images_seen * spec.train.ema_ramp_up)
    kept = 0.5 ** (spec.train.batch_size / half_life)
    current = MovingAverage(generator.params, generator.batch_stats)
    return jax.tree.map(lambda old, new: new + (old - new) * kept, ema, current)
