"""Images and features of a lower or a higher resolution, by means over squares and by copies."""

import jax.numpy as jnp
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
