"""TrivialAugment (Müller and Hutter 2021): one random operation of a random strength per image.

Operations and ranges are those of the paper's table, column RA, and strengths its 31 levels.
Translations reach 10 of 32 pixels, and that share of other sizes, in whole pixels. Unlike the
authors' code, which fills with black, what comes from outside repeats the edge; turns and
shears are bilinear, about the centre.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from gaug_jax.augmentation import intensities
from gaug_jax.augmentation.affine import Image, rotation, shear, transform

LEVELS = 31
_ANGLE, _SHEAR, _SHIFT, _SHIFT_OF = 30.0, 0.3, 10, 32
_LEAST_FACTOR, _MOST_FACTOR = 0.1, 1.9
_LEAST_BITS, _BITS = 4, 8


def _bits(level: Array) -> Array:
    """Returns how many bits posterise keeps, from 8 to 4."""
    return _BITS - (_BITS - _LEAST_BITS) * level // (LEVELS - 1)


def _threshold(level: Array) -> Array:
    """Returns the byte from which on solarise inverts, from 256 (none) to 0, in units of [0, 1].

    It lies half a byte lower, so that rounding never decides.
    """
    return (256 - 256 * level // (LEVELS - 1) - 0.5) / 255.0


def _factor(level: Array) -> Array:
    """Returns the factor of colour, contrast, brightness and sharpness, 1 in the middle."""
    return _LEAST_FACTOR + (_MOST_FACTOR - _LEAST_FACTOR) * level / (LEVELS - 1)


# Of an image in [0, 1] and a level; the first leaves it as it is.
_INTENSITIES: dict[str, Callable[[Image, Array], Image]] = {
    "identity": lambda image, level: image,
    "autocontrast": lambda image, level: intensities.autocontrast(image),
    "equalise": lambda image, level: intensities.equalise(image),
    "solarise": lambda image, level: intensities.solarise(image, _threshold(level)),
    "posterise": lambda image, level: intensities.keep_bits(image, _bits(level)),
    "colour": lambda image, level: intensities.colour(image, _factor(level)),
    "contrast": lambda image, level: intensities.contrast(image, _factor(level)),
    "brightness": lambda image, level: intensities.brightness(image, _factor(level)),
    "sharpness": lambda image, level: intensities.sharpness(image, _factor(level)),
}
_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
OPERATIONS = (*_INTENSITIES, *_GEOMETRY)


def trivialaugment(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
) -> tuple[Array, Array]:
    """Returns each image, in [-1, 1], after one operation; labels as they are."""
    keys = jax.random.split(key, len(images))
    return jax.vmap(lambda key, image: operated(image, *drawn(key)))(keys, images), labels


def drawn(key: Array) -> tuple[Int[Array, ""], Int[Array, ""], Int[Array, ""]]:
    """Returns place in `OPERATIONS`, level (0 to 30) and sign (-1 or 1), each uniform."""
    kind_key, level_key, sign_key = jax.random.split(key, 3)
    kind = jax.random.randint(kind_key, (), 0, len(OPERATIONS))
    level = jax.random.randint(level_key, (), 0, LEVELS)
    return kind, level, 2 * jax.random.randint(sign_key, (), 0, 2) - 1


def operated(
    image: Image, kind: Int[Array, ""], level: Int[Array, ""], sign: Int[Array, ""]
) -> Image:
    """Returns an image in [-1, 1] after an operation.

    Args:
      image: in [-1, 1].
      kind: place of the operation in `OPERATIONS`.
      level: its strength, from 0 to 30.
      sign: direction of turns, shears and translations; others have none.
    """
    of_values = jnp.where(kind < len(_INTENSITIES), kind, 0)
    unit = (image + 1.0) / 2.0
    changed = 2.0 * lax.switch(of_values, list(_INTENSITIES.values()), unit, level) - 1.0
    moved = transform(image, *_affine(kind, sign * level, image.shape))
    result = jnp.where(of_values > 0, changed, moved)
    return jnp.where(kind == 0, image, result).clip(-1.0, 1.0)


def _affine(kind: Array, level: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Returns matrix and shift of the chosen operation of a level from -30 to 30."""
    chosen = jnp.where(kind == len(_INTENSITIES) + jnp.arange(len(_GEOMETRY)), level, 0)
    angle, shear_columns, shear_rows = chosen[:3] / (LEVELS - 1)
    turn = rotation(jnp.deg2rad(_ANGLE * angle))
    pixels = jnp.abs(chosen[:2:-1]) * _SHIFT * jnp.array(shape[:2]) // (_SHIFT_OF * (LEVELS - 1))
    shift = jnp.sign(chosen[:2:-1]) * pixels
    return turn @ shear(_SHEAR * shear_rows, _SHEAR * shear_columns), shift.astype(jnp.float32)
