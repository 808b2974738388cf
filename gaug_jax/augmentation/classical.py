"""The ordinary augmentation: small shifts, rotations, scales, contrast and brightness.

No flips unless they are asked for: they harm handwriting and exchange left and right in
chest films.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.augmentation.affine import Image, rotation, transform

# Shift as a share of the size, angle in degrees, scale and contrast as factors, brightness of
# images in [-1, 1].
_SHIFT, _ANGLE, _SCALE, _CONTRAST, _BRIGHTNESS = 0.08, 10.0, 0.1, 0.2, 0.2


def classical(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
    *,
    flip: bool = False,
) -> tuple[Array, Array]:
    """Returns each image moved, turned, scaled and lit at random; labels as they are.

    Args:
      key: of the draws.
      images: in [-1, 1]; the result is clipped to that.
      labels: of each image.
      flip: mirror left and right every other time.
    """
    keys = jax.random.split(key, len(images))
    return jax.vmap(lambda key, image: _one(key, image, flip))(keys, images), labels


def _one(key: Array, image: Image, flip: bool) -> Image:
    """Returns one image."""
    shift_key, *keys = jax.random.split(key, 6)
    angle, scale, contrast, brightness, mirrored = (
        jax.random.uniform(each, minval=-1.0, maxval=1.0) for each in keys
    )
    shift = jax.random.uniform(shift_key, (2,), minval=-_SHIFT, maxval=_SHIFT)
    matrix = rotation(jnp.deg2rad(_ANGLE * angle)) / (1.0 + _SCALE * scale)
    moved = transform(image, matrix, shift * jnp.array(image.shape[:2]))
    if flip:
        moved = lax.select(mirrored > 0, moved[:, ::-1], moved)
    mean = moved.mean()
    lit = (moved - mean) * (1.0 + _CONTRAST * contrast) + mean + _BRIGHTNESS * brightness
    return lit.clip(-1.0, 1.0)
