"""Differentiable augmentation of what a discriminator sees (Zhao et al. 2020).

Real and generated images get transforms of the same distribution, and the generator's
gradient passes through them, so that a discriminator of few real images cannot learn
them by heart and the generator does not learn the transforms. Constants are that
paper's: brightness +-0.5, contrast 0.5 to 1.5, translation by up to 1/8, a hole of 1/2.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.augmentation.affine import Image
from gaug_jax.augmentation.cutout import box

# Folded into a transform's key for the draw of whether it is made.
_CHANCE = 1


def _brightness(key: Array, image: Image) -> Image:
    """Returns the image lighter or darker by up to half of [-1, 0]."""
    return image + jax.random.uniform(key, minval=-0.5, maxval=0.5)


def _contrast(key: Array, image: Image) -> Image:
    """Returns the image with half to one and a half times its contrast."""
    mean = image.mean()
    return (image - mean) * jax.random.uniform(key, minval=0.5, maxval=1.5) + mean


def _translation(key: Array, image: Image) -> Image:
    """Returns the image moved by up to an eighth, grey where it came from.

    Two products with shifted identities: their transposes are the gradient, where a
    gather's would be a slow scatter.
    """
    most = jnp.array([size // 8 for size in image.shape[:2]])
    shift = jax.random.randint(key, (2,), -most, most + 1)
    rows, columns = (
        (jnp.arange(size)[:, None] - by == jnp.arange(size)).astype(image.dtype)
        for size, by in zip(image.shape[:2], shift, strict=True)
    )
    return jnp.einsum("ph,hwc,qw->pqc", rows, image, columns)


def _cutout(key: Array, image: Image) -> Image:
    """Returns the image with a grey hole of half the size, anywhere."""
    height, width = image.shape[:2]
    centre = jax.random.randint(key, (2,), 0, jnp.array([height, width]))
    return image * (1.0 - box(centre, height, width, 0.5)[..., None].astype(image.dtype))


TRANSFORMS = {
    "brightness": _brightness,
    "contrast": _contrast,
    "translation": _translation,
    "cutout": _cutout,
}


def parse_policy(policy: str) -> tuple[str, ...]:
    """Returns the transforms of a policy such as `brightness,translation`; none of `none`.

    Raises:
      ValueError: one of them is unknown.
    """
    names = tuple(name.strip() for name in policy.split(",")) if policy != "none" else ()
    for name in names:
        if name not in TRANSFORMS:
            raise ValueError(f"{name!r} is not one of none, {', '.join(TRANSFORMS)}")
    return names


def augment(
    keys: Array,
    images: Float[Array, "batch height width channels"],
    names: tuple[str, ...],
    probability: Float[Array, ""] | None = None,
) -> Float[Array, "batch height width channels"]:
    """Returns images after the transforms, in their order.

    Args:
      keys: one for each image.
      images: in [-1, 1]; the result may go beyond.
      names: of the transforms; with none the images are returned as they are.
      probability: with which each transform is made of each image; at 0 the images are
        returned as they are, to the bit. None makes all.
    """

    def one(key: Array, image: Image) -> Image:
        for number, name in enumerate(names):
            key_of_this = jax.random.fold_in(key, number)
            changed = TRANSFORMS[name](key_of_this, image)
            if probability is not None:
                chance = jax.random.uniform(jax.random.fold_in(key_of_this, _CHANCE))
                changed = jnp.where(chance < probability, changed, image)
            image = changed
        return image

    return jax.vmap(one)(keys, images) if names else images
