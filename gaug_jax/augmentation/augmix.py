"""AugMix (Hendrycks et al. 2020): three chains of one to three operations, mixed.

Its operations are autocontrast, equalise, posterise, solarise, rotate, shear and
translate, none of which the corruptions of its benchmark use; its loss of consistency
between copies is left out, so that every arm of a study costs one pass.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.augmentation.affine import Image, rotation, shear, transform
from gaug_jax.augmentation.intensities import autocontrast, equalise, solarise

_CHAINS, _DEPTH, _SEVERITY = 3, 3, 0.3
# Of which the severity takes its share: degrees, a shear, and a share of the size.
_ANGLE, _SHEAR, _SHIFT = 30.0, 0.3, 0.33
_INTENSITIES = 4
_OPERATIONS = _INTENSITIES + 5


def augmix(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
) -> tuple[Array, Array]:
    """Returns each image mixed with its chains, by weights of Dirichlet(1) and Beta(1, 1)."""
    return jax.vmap(_one)(jax.random.split(key, len(images)), images), labels


def _one(key: Array, image: Image) -> Image:
    """Returns one image, in [-1, 1]."""
    chain_key, depth_key, weight_key, share_key = jax.random.split(key, 4)
    weights = jax.random.dirichlet(weight_key, jnp.ones(_CHAINS))
    depths = jax.random.randint(depth_key, (_CHAINS,), 1, _DEPTH + 1)
    ends = jax.vmap(lambda key, depth: _chain(key, image, depth))(
        jax.random.split(chain_key, _CHAINS), depths
    )
    share = jax.random.uniform(share_key)
    return (1.0 - share) * image + share * jnp.tensordot(weights, ends, 1)


def _chain(key: Array, image: Image, depth: Array) -> Image:
    """Returns the image after so many random operations."""

    def operate(number: int, carry: tuple[Image, Array, Array]) -> tuple[Image, Array, Array]:
        image, matrix, shift = carry
        kind_key, size_key = jax.random.split(jax.random.fold_in(key, number))
        kind = jax.random.randint(kind_key, (), 0, _OPERATIONS)
        kind = jnp.where(number < depth, kind, _OPERATIONS)  # Beyond the last: nothing.
        size = _SEVERITY * jax.random.uniform(size_key, minval=-1.0, maxval=1.0)
        turn, move = _affine(kind, size, image.shape)
        return _lit(image, kind, size), matrix @ turn, shift + move

    # Intensities change pixel by pixel, so affine operations can wait: one resampling is made
    # for all of a chain, which is most of the cost.
    start = (image, jnp.eye(2), jnp.zeros(2))
    return transform(*lax.fori_loop(0, _DEPTH, operate, start))


def _lit(image: Image, kind: Array, size: Array) -> Image:
    """Returns the image after the chosen change of intensities, or as it is."""
    unit = (image + 1.0) / 2.0
    inverted = solarise(unit, 1.0 - jnp.abs(size))  # The brightest values.
    changed = jnp.stack([autocontrast(unit), equalise(unit), _posterise(unit, size), inverted])
    return jnp.where(kind < _INTENSITIES, 2.0 * changed[kind.clip(0, 3)] - 1.0, image)


def _affine(kind: Array, size: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Returns matrix and shift of the chosen operation; those of none for intensities."""
    chosen = jnp.where(kind == _INTENSITIES + jnp.arange(5), size, 0.0)
    angle, shear_rows, shear_columns, shift_rows, shift_columns = chosen
    turn = rotation(jnp.deg2rad(_ANGLE * angle))
    shift = _SHIFT * jnp.array([shift_rows * shape[0], shift_columns * shape[1]])
    return turn @ shear(_SHEAR * shear_rows, _SHEAR * shear_columns), shift


def _posterise(image: Image, size: Array) -> Image:
    """Returns an image in [0, 1] with 16 levels, or fewer the larger the size."""
    levels = 2.0 ** jnp.round(4.0 * (1.0 - jnp.abs(size))) - 1.0
    return jnp.floor(image * levels + 0.5) / levels
