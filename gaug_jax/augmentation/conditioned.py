"""Augmentation that a network is told of, so that what it draws has none (EDM, Karras et al. 2022,
appendix F.2).

Images that a denoiser is trained on are moved, scaled and turned at random, each with a vector of
how. Asked with a vector of zeros it knows of the images as they were. That paper's table 6, in
smaller amounts: handwriting and films do not turn far, and the edge is repeated around them.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.augmentation.affine import Image, rotation, transform

# Entries of the vector: share of the largest shift down and right, of the largest logarithm of
# the scale, of the largest angle, and 1 for mirrored.
NUM_PARAMETERS = 5

# Largest shift is the size over this, that of translations in `differentiable` too; largest scale
# as a factor, and angle in degrees.
_SIZE_OVER_SHIFT, _SCALE, _ANGLE = 8, 1.2, 10.0

# Folded into an example's key: the transform; and into that one, whether it is made.
_OF_SHIFT, _OF_SCALE, _OF_ANGLE, _OF_MIRROR = range(4)
_CHANCE = 1


def augmented_and_how(
    keys: Array,
    images: Float[Array, "batch height width channels"],
    probability: float,
    *,
    flip: bool = False,
) -> tuple[Float[Array, "batch height width channels"], Float[Array, "batch 5"]]:
    """Returns images after the transforms, and what was done to each.

    Shifts are by whole pixels, so that they alone blur nothing. An image to which nothing was
    done is returned to the bit, and its vector is zeros.

    Args:
      keys: one for each image; an image depends on its own key alone.
      images: any range, and the results are in it.
      probability: with which each of shift, scale, angle and mirroring is made of each image;
        0.12 to 0.15 in the paper.
      flip: mirror left and right too. It harms handwriting, and exchanges left and right in films.
    """
    vectors = jax.vmap(lambda key: _drawn(key, images.shape[1:3], probability, flip))(keys)
    return jax.vmap(_as_told)(images, vectors), vectors


def _drawn(key: Array, size: tuple[int, int], probability: float, flip: bool) -> Float[Array, "5"]:
    """Returns a random vector; zeros for what is not made."""

    def if_made(use: int, draw: Callable[[Array], Array]) -> Array:
        key_of_this = jax.random.fold_in(key, use)
        chance = jax.random.uniform(jax.random.fold_in(key_of_this, _CHANCE))
        return jnp.where(chance < probability, draw(key_of_this), 0.0)

    def shifts(key: Array) -> Float[Array, "2"]:
        largest = _largest_shifts(size)
        return jax.random.randint(key, (2,), -largest, largest + 1) / largest

    def share(key: Array) -> Float[Array, ""]:
        return jax.random.uniform(key, minval=-1.0, maxval=1.0)

    return jnp.stack(
        [
            *if_made(_OF_SHIFT, shifts),
            if_made(_OF_SCALE, share),
            if_made(_OF_ANGLE, share),
            if_made(_OF_MIRROR, lambda _: jnp.float32(flip)),
        ]
    )


def _largest_shifts(size: tuple[int, int]) -> Int[Array, "2"]:
    """Returns the largest shifts down and right, in whole pixels of an image of 8 or more."""
    return jnp.array([extent // _SIZE_OVER_SHIFT for extent in size])


def _as_told(image: Image, vector: Float[Array, "5"]) -> Image:
    """Returns the image mirrored, turned, scaled and moved, as a vector says."""
    shift = jnp.round(vector[:2] * _largest_shifts(image.shape[:2]))
    matrix = rotation(jnp.deg2rad(_ANGLE) * vector[3]) * _SCALE ** -vector[2]
    image = jnp.where(vector[4] > 0, image[:, ::-1], image)
    # Chosen rather than trusted: a resampling may round where it changes nothing.
    moved = transform(image, matrix, shift)
    return jnp.where(jnp.any(vector[:4] != 0), moved, image)
