"""Tensors of public weight files as parameters of our networks, each name and shape checked."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from jaxtyping import PyTree, Shaped

from gaug_jax.errors import UserError
from gaug_jax.models.inception import IMAGE_SIZE, Inception
from gaug_jax.models.lpips import LEAST_SIZE, LPIPS

Tensors = dict[str, Shaped[np.ndarray, "..."]]
Shapes = dict[tuple[str, str], tuple[int, ...]]

# Added to the variance by the batch norms of the Inception network.
_EPSILON = 1e-3
_NORM = ("weight", "bias", "running_mean", "running_var")
# Written by newer versions of PyTorch into every batch norm; of no use here.
_COUNTER = ".num_batches_tracked"


@functools.cache
def _inception_shapes() -> Shapes:
    """Returns the shape of each of our parameters."""
    image = jnp.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3))
    variables = jax.eval_shape(Inception().init, jax.random.key(0), image)
    flat = traverse_util.flatten_dict(variables["params"])
    return {path: leaf.shape for path, leaf in flat.items()}


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
    used = {key: value for key, value in tensors.items() if not key.endswith(_COUNTER)}
    _check(used, inception_tensor_shapes(), name)
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


@functools.cache
def _lpips_shapes() -> Shapes:
    """Returns the shape of each of our parameters."""
    image = jnp.zeros((1, LEAST_SIZE, LEAST_SIZE, 3))
    variables = jax.eval_shape(LPIPS().init, jax.random.key(0), image, image)
    flat = traverse_util.flatten_dict(variables["params"])
    return {path: leaf.shape for path, leaf in flat.items()}


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
    _check(layers, expected_layers, name)
    _check(linear, expected_linear, name)
    params: dict[str, PyTree] = {}
    for key, value in layers.items():
        unit, kind = key.rsplit(".", 1)
        leaf = value.transpose(2, 3, 1, 0) if kind == "weight" else value
        params.setdefault(unit, {})["kernel" if kind == "weight" else "bias"] = leaf
    for key, value in linear.items():
        params[key.split(".")[0]] = value.reshape(-1)
    return {"params": params}


def _check(tensors: Tensors, shapes: dict[str, tuple[int, ...]], name: str) -> None:
    """Raises `UserError` unless the tensors are those expected, with finite values."""
    for key in sorted(set(shapes) - set(tensors)):
        raise UserError(f"{name} has no tensor {key!r}: it is another network's file")
    for key in sorted(set(tensors) - set(shapes)):
        raise UserError(f"{name} has an unknown tensor {key!r}: it is another network's file")
    for key, shape in shapes.items():
        if tensors[key].shape != shape:
            raise UserError(f"{name}: {key} has shape {tensors[key].shape}, {shape} is expected")
        if tensors[key].dtype.kind != "f" or not np.isfinite(tensors[key]).all():
            raise UserError(f"{name}: {key} holds values that are no finite floating-point numbers")
