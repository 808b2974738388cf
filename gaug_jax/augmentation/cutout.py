"""Cutout (DeVries and Taylor 2017): a grey square of half the size, anywhere in each image."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

_SHARE = 0.5
# Grey, the middle of [-1, 1].
_FILL = 0.0


def cutout(
    key: Array,
    images: Float[Array, "batch height width channels"],
    labels: Float[Array, "batch classes"],
) -> tuple[Array, Array]:
    """Returns each image with a hole; its centre is any pixel, so that it may reach outside."""
    count, height, width = images.shape[:3]
    centres = jax.random.randint(key, (count, 2), 0, jnp.array([height, width]))
    hole = jax.vmap(lambda centre: box(centre, height, width, _SHARE))(centres)
    return jnp.where(hole[..., None], _FILL, images), labels


def box(
    centre: Int[Array, "2"], height: int, width: int, share: float | Float[Array, ""]
) -> Bool[Array, "height width"]:
    """Returns the pixels of a box around a centre, a share of the height and of the width.

    It begins half its size (rounded down) above and left of the centre, and is cut at the
    image's edge.
    """
    inside = []
    for axis, size in enumerate((height, width)):
        extent = jnp.floor(share * size).astype(int)
        start = centre[axis] - extent // 2
        places = jnp.arange(size)
        inside.append((places >= start) & (places < start + extent))
    return inside[0][:, None] & inside[1][None, :]
