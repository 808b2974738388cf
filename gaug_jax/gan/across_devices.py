"""What makes a step on several devices the step on one."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, PyTree

from gaug_jax.gan.spec import Spec


def device_mean(tree: PyTree, spec: Spec) -> PyTree:
    """Returns the mean over the devices that share a step."""
    return lax.pmean(tree, spec.axis_name) if spec.axis_name else tree


def example_keys(key: Array, local_batch: int, spec: Spec) -> Array:
    """Returns one key for each example of this device, by the example's global index.

    However many devices share a batch, example i draws the same numbers.
    """
    first = lax.axis_index(spec.axis_name) * local_batch if spec.axis_name else 0
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(first + jnp.arange(local_batch))
