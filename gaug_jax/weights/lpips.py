"""Tensors of the public LPIPS files as parameters of our network."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from gaug_jax.models.lpips import LEAST_SIZE, LPIPS
from gaug_jax.weights.checked import Shapes, Tensors, check_tensors, shapes_of


@functools.cache
def _lpips_shapes() -> Shapes:
    """Returns the shape of each of our parameters."""
    image = jnp.zeros((1, LEAST_SIZE, LEAST_SIZE, 3))
    variables = jax.eval_shape(LPIPS().init, jax.random.key(0), image, image)
    return shapes_of(variables["params"])


def lpips_tensor_shapes() -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Returns names and shapes of the tensors of AlexNet's layers, and of the linear weights."""
    layers, linear = {}, {}
    for path, shape in _lpips_shapes().items():
        if path[-1] == "kernel":
            layers[f"{path[0]}.weight"] = (shape[3], shape[2], *shape[:2])
        elif path[-1] == "bias":
            layers[f"{path[0]}.bias"] = shape
        else:
            linear[f"{path[0]}.model.1.weight"] = (1, shape[0], 1, 1)
    return layers, linear


def lpips_parameters(alexnet: Tensors, linear: Tensors, name: str) -> PyTree:
    """Returns the parameters of `LPIPS`.

    Args:
      alexnet: of torchvision's file; its classifier is left out.
      linear: of the lpips package's file, version 0.1.
      name: how errors call the files.

    Raises:
      UserError: a tensor is absent, unknown or of another shape.
    """
    layers = {key: value for key, value in alexnet.items() if not key.startswith("classifier.")}
    expected_layers, expected_linear = lpips_tensor_shapes()
    check_tensors(layers, expected_layers, name)
    check_tensors(linear, expected_linear, name)
    params: dict[str, PyTree] = {}
    for key, value in layers.items():
        unit, kind = key.rsplit(".", 1)
        leaf = value.transpose(2, 3, 1, 0) if kind == "weight" else value
        params.setdefault(unit, {})["kernel" if kind == "weight" else "bias"] = leaf
    for key, value in linear.items():
        params[key.split(".")[0]] = value.reshape(-1)
    return {"params": params}
