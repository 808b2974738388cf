"""CutMix (Yun et al. 2019): a box of another image, and its share of that one's label."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from gaug_jax.augmentation.cutout import box


def cutmix(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
) -> tuple[Array, Array]:
    """Returns the batch with one box pasted from partners; its area is of Beta(1, 1)."""
    area_key, centre_key, partner_key = jax.random.split(key, 3)
    height, width = images.shape[1:3]
    centre = jax.random.randint(centre_key, (2,), 0, jnp.array([height, width]))
    pasted = box(centre, height, width, jnp.sqrt(jax.random.uniform(area_key)))
    return paste(images, labels, jax.random.permutation(partner_key, len(images)), pasted)


def paste(
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
    partners: Array,
    pasted: Bool[Array, "height width"],
) -> tuple[Array, Array]:
    """Returns images with those pixels from partners, labels by the pixels' share."""
    share = pasted.mean()
    mixed = jnp.where(pasted[..., None], images[partners], images)
    return mixed, (1.0 - share) * labels + share * labels[partners]
