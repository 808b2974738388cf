"""Operations on the values of one image, which stay where they are: what policies share.

Images are float [height, width, channels] in [0, 1], and so are results. What Pillow does to
bytes is done to their 255ths here, without its rounding.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.augmentation.affine import Image

# Luminance of red, green and blue (ITU-R BT.601), as Pillow makes an image grey.
_LUMINANCE = (0.299, 0.587, 0.114)
# Of the middle of Pillow's 3x3 filter SMOOTH, whose other weights are 1.
_CENTRE = 5.0
_LARGEST_BYTE = 255.0


def autocontrast(image: Image) -> Image:
    """Returns an image in [0, 1] stretched to all of it; one of a single value as it is."""
    low, high = image.min((0, 1)), image.max((0, 1))
    stretched = (image - low) / jnp.where(high > low, high - low, 1.0)
    return jnp.where(high > low, stretched, image)


def equalise(image: Image) -> Image:
    """Returns an image in [0, 1] whose values are spread by their ranks, channel by channel."""
    values = image.reshape(-1, image.shape[-1])
    # The bits of floats from 0 on are in the order of the floats, and sorted six times faster.
    flat = lax.bitcast_convert_type(jnp.abs(values).astype(jnp.float32), jnp.int32)
    ordered = jnp.sort(flat, axis=0)
    below = jax.vmap(lambda o, f: jnp.searchsorted(o, f, side="right"), (1, 1), 1)(ordered, flat)
    lowest = jnp.sum(flat == ordered[0], axis=0)
    spread = (below - lowest) / jnp.maximum(len(flat) - lowest, 1)
    return jnp.where(lowest == len(flat), values, spread).reshape(image.shape)


def solarise(image: Image, threshold: Float[Array, ""]) -> Image:
    """Returns an image in [0, 1] with the values from a threshold on inverted."""
    return jnp.where(image < threshold, image, 1.0 - image)


def keep_bits(image: Image, bits: Array) -> Image:
    """Returns an image in [0, 1] as of bytes whose lower bits are 0.

    Args:
      image: rounded to 255ths before.
      bits: that are kept, from 1 to 8.
    """
    step = 2.0 ** (8 - bits)
    return jnp.floor(jnp.round(image * _LARGEST_BYTE) / step) * step / _LARGEST_BYTE


def grey(image: Image) -> Float[Array, "height width 1"]:
    """Returns the luminance of an image; of a single channel that one."""
    if image.shape[-1] == 1:
        return image
    return (image @ jnp.array(_LUMINANCE, image.dtype))[..., None]


def colour(image: Image, factor: Float[Array, ""]) -> Image:
    """Returns an image in [0, 1] with its colours nearer to grey (below 1), or farther from it."""
    return _away_from(grey(image), image, factor)


def contrast(image: Image, factor: Float[Array, ""]) -> Image:
    """Returns an image in [0, 1] with values nearer to its mean luminance, or farther from it."""
    return _away_from(grey(image).mean(), image, factor)


def brightness(image: Image, factor: Float[Array, ""]) -> Image:
    """Returns an image in [0, 1] darker (below 1) or brighter."""
    return _away_from(0.0, image, factor)


def sharpness(image: Image, factor: Float[Array, ""]) -> Image:
    """Returns an image in [0, 1] smoother (below 1) or sharper, its outermost pixels as they are.

    An image that is smaller than 3x3 has no others.
    """
    height, width = image.shape[:2]
    if min(height, width) < 3:
        return image
    around = sum(
        image[row : height - 2 + row, column : width - 2 + column]
        for row in range(3)
        for column in range(3)
    )
    inner = image[1:-1, 1:-1]
    smooth = (around + (_CENTRE - 1.0) * inner) / (_CENTRE + 8.0)
    return image.at[1:-1, 1:-1].set(_away_from(smooth, inner, factor))


def _away_from(start: Array | float, image: Image, factor: Float[Array, ""]) -> Image:
    """Returns start + factor (image - start), cut at 0 and at 1."""
    return (start + factor * (image - start)).clip(0.0, 1.0)
