"""Tensors of the public Inception file as parameters of our network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from gaug_jax.models.inception import IMAGE_SIZE, Inception
from gaug_jax.weights.checked import (
    Shapes,
    Tensors,
    check_tensors,
    shapes_of,
    without_counters,
)

# Added to the variance by the batch norms of the Inception network.
_EPSILON = 1e-3
_NORM = ("weight", "bias", "running_mean", "running_var")


@functools.cache
def _inception_shapes() -> Shapes:
    """Returns the shape of each of our parameters."""
    image = jnp.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3))
    variables = jax.eval_shape(Inception().init, jax.random.key(0), image)
    return shapes_of(variables["params"])


def inception_tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Returns names and shapes of the tensors of the official Inception file."""
    shapes = {}
    for path, shape in _inception_shapes().items():
        if path[-1] == "kernel":
            name = path[0]
            shapes[f"{name}.conv.weight"] = (shape[3], shape[2], *shape[:2])
            shapes |= {f"{name}.bn.{part}": (shape[3],) for part in _NORM}
        elif path[0] == "fc.kernel":
            shapes["fc.weight"] = shape[::-1]
        elif path[0] == "fc.bias":
            shapes["fc.bias"] = shape
    return shapes


def inception_parameters(tensors: Tensors, name: str) -> PyTree:
    """Returns the parameters of `Inception`, the batch norms folded in (in float64).

    Args:
      tensors: of the official file.
      name: how errors call the file.

    Raises:
      UserError: a tensor is absent, unknown or of another shape.
    """
    used = without_counters(tensors)
    check_tensors(used, inception_tensor_shapes(), name)
    params = {
        "fc.kernel": np.asarray(used["fc.weight"].T, np.float32),
        "fc.bias": np.asarray(used["fc.bias"], np.float32),
    }
    for path in _inception_shapes():
        if path[-1] == "kernel":
            params[path[0]] = _folded(used, path[0])
    return {"params": params}


def _folded(tensors: Tensors, unit: str) -> dict[str, np.ndarray]:
    """Returns kernel and bias that do what convolution and batch norm do."""
    scale, shift, mean, variance = (
        tensors[f"{unit}.bn.{part}"].astype(np.float64) for part in _NORM
    )
    scale = scale / np.sqrt(variance + _EPSILON)
    kernel = tensors[f"{unit}.conv.weight"].astype(np.float64).transpose(2, 3, 1, 0) * scale
    return {"kernel": kernel.astype(np.float32), "bias": (shift - mean * scale).astype(np.float32)}
