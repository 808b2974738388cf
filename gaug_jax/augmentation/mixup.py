"""Mixup (Zhang et al. 2018): convex combinations of images and of their labels."""

import jax
from jaxtyping import Array, Float

_ALPHA = 0.2


def mixup(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
) -> tuple[Array, Array]:
    """Returns w x + (1 - w) x', with w of Beta(0.2, 0.2) for the whole batch."""
    weight_key, partner_key = jax.random.split(key)
    weight = jax.random.beta(weight_key, _ALPHA, _ALPHA)
    return blend(images, labels, jax.random.permutation(partner_key, len(images)), weight)


def blend(
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
    partners: Array,
    weight: Float[Array, ""],
) -> tuple[Array, Array]:
    """Returns the combination with given partners (indices) and weight of the first."""
    return tuple(weight * each + (1.0 - weight) * each[partners] for each in (images, labels))
