"""Scores of a discriminator that has several for each image."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def of_images(scores: Float[Array, "batch ..."]) -> Float[Array, " batch"]:
    """Returns one score for each image: the mean of its scores."""
    return jnp.mean(scores.reshape(len(scores), -1), axis=1)
