"""The discriminator's private gradient: clipped for each image, summed, and noised (DP-SGD).

Abadi et al., "Deep Learning with Differential Privacy" (2016), algorithm 1, with batches of
independently drawn images (feeds/poisson.py).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Bool, PyTree

from gaug_jax.gan.spec import Spec

# Images whose gradients are in memory at once.
_AT_ONCE = 8


def private_gradient(
    gradient_of: Callable[[PyTree], tuple[PyTree, PyTree]],
    examples: PyTree,
    included: Bool[Array, " slots"],
    key: Array,
    spec: Spec,
) -> tuple[PyTree, PyTree]:
    """Returns the noised mean gradient, the same on all devices, and the mean of what is beside.

    Args:
      gradient_of: from one example to its gradient and numbers beside it (not noised).
      examples: every leaf has one entry for each slot of this device.
      included: which slots hold an image of this batch; the others count nothing.
      key: of the noise, the same on every device.
      spec: of the step; its `private` says how.

    Returns:
      The sum of the clipped gradients and of the noise, divided by the mean size of a batch;
      and the mean over the included examples of the rest.
    """

    def of_some(carry: PyTree, inputs: tuple[PyTree, Array]) -> tuple[PyTree, None]:
        some, counted = inputs
        gradients, beside = jax.vmap(gradient_of)(some)
        # A gradient that is not finite would move the sum without bound.
        counted = counted & jnp.isfinite(jax.vmap(optax.tree.norm)(gradients))
        weighted = jax.tree.map(
            lambda leaf: jnp.where(_columns(counted, leaf), leaf, 0), (gradients, beside)
        )
        clipped, _ = optax.per_example_global_norm_clip(weighted[0], spec.objective.clip_norm)
        sums = (clipped, jax.tree.map(lambda leaf: leaf.sum(axis=0), weighted[1]))
        return jax.tree.map(jnp.add, carry, sums), None

    groups = jax.tree.map(lambda leaf: leaf.reshape(-1, _AT_ONCE, *leaf.shape[1:]), examples)
    counted = included.reshape(-1, _AT_ONCE)
    first = jax.tree.map(lambda leaf: leaf[0, 0], groups)
    zeros = jax.tree.map(
        lambda shape: jnp.zeros(shape.shape, shape.dtype), jax.eval_shape(gradient_of, first)
    )
    sums, _ = lax.scan(of_some, zeros, (groups, counted))
    total = included.sum()
    if spec.axis_name:
        sums, total = lax.psum((sums, total), spec.axis_name)
    gradients = jax.tree.map(lambda leaf: leaf / spec.train.batch_size, _noised(sums[0], key, spec))
    return gradients, jax.tree.map(lambda leaf: leaf / jnp.maximum(total, 1), sums[1])


def _columns(counted: Array, leaf: Array) -> Array:
    """Returns flags in the shape that a leaf can be chosen by."""
    return counted.reshape(-1, *(1,) * (leaf.ndim - 1))


def _noised(sums: PyTree, key: Array, spec: Spec) -> PyTree:
    """Returns sums of gradients with normal noise of the wanted deviation in every number."""
    deviation = spec.objective.noise_multiplier * spec.objective.clip_norm
    leaves, structure = jax.tree.flatten(sums)
    keys = jax.random.split(key, len(leaves))
    noised = [
        leaf + deviation * jax.random.normal(each, leaf.shape, leaf.dtype)
        for leaf, each in zip(leaves, keys, strict=True)
    ]
    return jax.tree.unflatten(structure, noised)
