"""How strongly to augment, by how much the discriminator overfits (Karras et al. 2020, ADA).

On images that it knows by heart a discriminator is sure: the mean sign of its scores of
real images goes to 1. Above a target the probability of every transform rises, below it
falls, so fast that it would cross [0, 1] in a given number of images.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

# The paper looks at four batches before each change.
_MEMORY = 0.75


def mean_sign(
    before: Float[Array, ""], real_scores_sign: Float[Array, ""], first: Array
) -> Float[Array, ""]:
    """Returns the moving average of the sign of scores of real images, over about four batches.

    Args:
      before: the average so far.
      real_scores_sign: mean sign of this batch, in [-1, 1] (r_t of equation 1).
      first: whether there is no average yet.
    """
    kept = jnp.where(first, 0.0, _MEMORY)
    return kept * before + (1.0 - kept) * real_scores_sign


def next_probability(
    probability: Float[Array, ""],
    sign: Float[Array, ""],
    *,
    target: float,
    most: float,
    images: int,
    adaptation_images: float,
) -> Float[Array, ""]:
    """Returns the probability after a batch, in [0, most].

    Args:
      probability: before it.
      sign: moving average of the sign of scores of real images.
      target: of that average (0.6 in the paper).
      most: the largest probability.
      images: of the batch.
      adaptation_images: in which the probability would go from 0 to 1 (500,000 in the paper).
    """
    change = jnp.sign(sign - target) * images / adaptation_images
    return jnp.clip(probability + change, 0.0, most)
