"""Affine transforms of one image about its centre, bilinear, the edge repeated."""

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float

Image = Float[Array, "height width channels"]


def rotation(angle: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Returns the matrix that turns by an angle in radians."""
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cosine, -sine], [sine, cosine]])


def shear(rows: Float[Array, ""], columns: Float[Array, ""]) -> Float[Array, "2 2"]:
    """Returns the matrix that adds a share of the column to the row, and of the row to it."""
    return jnp.array([[1.0, rows], [columns, 1.0]])


def transform(image: Image, matrix: Float[Array, "2 2"], shift: Float[Array, "2"]) -> Image:
    """Returns the image whose pixel at p is the given one's at matrix (p - c) + c - shift.

    Args:
      image: any range.
      matrix: from new places to old ones, about the centre c.
      shift: by which the image moves, in pixels down and right.
    """
    centre = ((jnp.array(image.shape[:2]) - 1) / 2)[:, None, None]
    places = jnp.stack(jnp.meshgrid(*map(jnp.arange, image.shape[:2]), indexing="ij"))
    old = jnp.tensordot(matrix, places - centre, 1) + centre - shift[:, None, None]
    # Plane by plane: dm-pix takes the channels for a third axis, at twice the cost.
    resample = lambda plane: map_coordinates(plane, list(old), order=1, mode="nearest")  # noqa: E731
    return jax.vmap(resample, in_axes=2, out_axes=2)(image)
