"""Affine transforms of one image about its centre, bilinear, the edge repeated (by dm-pix)."""

import dm_pix
import jax.numpy as jnp
from jaxtyping import Array, Float

Image = Float[Array, "height width channels"]


def rotation(angle: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Returns the matrix that turns by an angle in radians."""
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cosine, -sine], [sine, cosine]])


def transform(image: Image, matrix: Float[Array, "2 2"], shift: Float[Array, "2"]) -> Image:
    """Returns the image whose pixel at p is the given one's at matrix (p - c) + c - shift.

    Args:
      image: any range.
      matrix: from new places to old ones, about the centre c.
      shift: by which the image moves, in pixels down and right.
    """
    centre = (jnp.array(image.shape[:2]) - 1) / 2
    offset = centre - matrix @ centre - shift
    whole = jnp.eye(3).at[:2, :2].set(matrix).at[2, 2].set(1.0)
    return dm_pix.affine_transform(
        image, whole, offset=jnp.append(offset, 0.0), order=1, mode="nearest"
    )
