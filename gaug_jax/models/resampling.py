"""Images and features of a lower or a higher resolution, and the filters around that."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channels"]


def shrunk(images: Images, resolution: int) -> Images:
    """Returns square images of a resolution that divides theirs: means over squares."""
    batch, size, _, channels = images.shape
    if size == resolution:
        return images
    share = size // resolution
    squares = images.reshape(batch, resolution, share, resolution, share, channels)
    return jnp.mean(squares, axis=(2, 4))


def enlarged(images: Images, size: int) -> Images:
    """Returns square images of a size that theirs divides: every pixel a square."""
    share = size // images.shape[1]
    if share == 1:
        return images
    return jnp.repeat(jnp.repeat(images, share, axis=1), share, axis=2)


def blurred(images: Images) -> Images:
    """Returns images filtered by [1, 2, 1] / 4 along rows and columns, zeros around them.

    After `enlarged` or before `shrunk` by 2 it makes of their [1, 1] the filter [1, 3, 3, 1].
    """
    for axis in (1, 2):
        widths = [(1, 1) if each == axis else (0, 0) for each in range(4)]
        padded = jnp.pad(images, widths)
        size = images.shape[axis]
        left, middle, right = (
            lax.slice_in_dim(padded, first, first + size, axis=axis) for first in range(3)
        )
        images = (left + 2 * middle + right) / 4
    return images
