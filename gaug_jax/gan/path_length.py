"""StyleGAN2's path length penalty (Karras et al. 2020, section 3.2 and equation 4)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from gaug_jax.gan.across_devices import device_mean
from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.spec import Spec

# Generator updates between those with the penalty, and how fast the mean of lengths moves: the
# authors' code.
EVERY = 4
_SHARE = 0.01


class PathLength(NamedTuple):
    """What the penalty gives a generator update.

    Attributes:
      gradients: by the generator's parameters, weighted; zeros where it is not due.
      mean: moving average of lengths.
      penalty: unweighted; 0 where it is not due.
    """

    gradients: PyTree
    mean: Float[Array, ""]
    penalty: Float[Array, ""]


def path_lengths(
    params: PyTree, keys: Array, labels: Int[Array, " batch"], spec: Spec
) -> Float[Array, " batch"]:
    """Returns how far each image moves with its styles: |J^T y| of a random direction y.

    Args:
      params: of the generator.
      keys: of each image's latent and direction.
      labels: class of each image.
      spec: of the step.
    """
    latents = draw_latents(keys, spec)
    directions = jax.vmap(
        lambda key: jax.random.normal(jax.random.fold_in(key, 1), spec.image_shape)
    )(keys) / jnp.sqrt(spec.image_shape[0] * spec.image_shape[1])

    def along(moved: Array) -> Float[Array, ""]:
        images = spec.generator.apply({"params": params}, latents, labels, train=True, moved=moved)
        return jnp.sum(images * directions)

    nowhere = jnp.zeros((len(keys), spec.generator.num_styles, latents.shape[1]))
    squares = jnp.square(jax.grad(along)(nowhere))
    return jnp.sqrt(jnp.mean(jnp.sum(squares, axis=2), axis=1))


def path_length_penalty(
    params: PyTree,
    mean: Float[Array, ""],
    keys: Array,
    labels: Int[Array, " batch"],
    step: Int[Array, ""],
    spec: Spec,
) -> PathLength:
    """Returns the gradients of the penalty, where this step makes it.

    It is made every fourth step at four times its weight.

    Args:
      params: of the generator.
      mean: moving average of lengths before this step.
      keys: of each image's latent and direction.
      labels: class of each image.
      step: generator updates so far.
      spec: of the step.
    """

    def penalty(params: PyTree) -> tuple[Float[Array, ""], Float[Array, ""]]:
        lengths = path_lengths(params, keys, labels, spec)
        found = lax.stop_gradient(device_mean(jnp.mean(lengths), spec))
        moved = mean + _SHARE * (found - mean)
        return jnp.mean(jnp.square(lengths - moved)), moved

    def made(params: PyTree) -> PathLength:
        (value, moved), gradients = jax.value_and_grad(penalty, has_aux=True)(params)
        weight = EVERY * spec.objective.path_length
        return PathLength(jax.tree.map(lambda leaf: weight * leaf, gradients), moved, value)

    def left_out(params: PyTree) -> PathLength:
        return PathLength(jax.tree.map(jnp.zeros_like, params), mean, jnp.zeros(()))

    due: Bool[Array, ""] = step % EVERY == 0
    return lax.cond(due, made, left_out, params)
