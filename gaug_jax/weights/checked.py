"""Tensors by name: each name and shape that a network needs is checked before one is used."""

import numpy as np
from flax import traverse_util
from jaxtyping import PyTree, Shaped

from gaug_jax.errors import UserError

Tensors = dict[str, Shaped[np.ndarray, "..."]]
Shapes = dict[tuple[str, ...], tuple[int, ...]]

# Written by newer versions of PyTorch into every batch norm; of no use here.
_COUNTER = ".num_batches_tracked"


def shapes_of(arrays: PyTree) -> Shapes:
    """Returns the shape of each array of a nested dictionary by its path.

    Args:
      arrays: or what `jax.eval_shape` gives of them.
    """
    return {path: leaf.shape for path, leaf in traverse_util.flatten_dict(dict(arrays)).items()}


def without_counters(tensors: Tensors) -> Tensors:
    """Returns the tensors but for the counters of batches."""
    return {name: value for name, value in tensors.items() if not name.endswith(_COUNTER)}


def check_tensors(tensors: Tensors, shapes: dict[str, tuple[int, ...]], name: str) -> None:
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
