"""Seeded random weights in the layout of the official files, so that anyone can check parity.

Drawn so that activations neither vanish nor grow from layer to layer. NumPy's PCG64
gives the same numbers on every machine.
"""

import functools
import math
import tempfile
from pathlib import Path

import numpy as np

from gaug_jax.weights.checked import Tensors
from gaug_jax.weights.inception import inception_tensor_shapes
from gaug_jax.weights.lpips import lpips_tensor_shapes
from gaug_jax.weights.weight_files import ALEXNET, INCEPTION, LPIPS_LINEAR

from .torch_file_writer import write_tensors


def _drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Returns one tensor, by what its name says it is."""
    if name.endswith("running_var") or name.endswith("bn.weight"):
        values = rng.uniform(0.8, 1.2, shape)
    elif len(shape) == 1:
        values = rng.normal(0.0, 0.1, shape)
    elif name.startswith("lin"):
        values = rng.uniform(0.0, 1.0, shape)
    else:
        values = rng.normal(0.0, math.sqrt(2.0 / math.prod(shape[1:])), shape)
    return values.astype(np.float32)


def random_tensors(shapes: dict[str, tuple[int, ...]], seed: int) -> Tensors:
    """Returns random tensors of the given names and shapes, each with a stream of its own."""
    return {
        name: _drawn(name, shape, np.random.default_rng([seed, number]))
        for number, (name, shape) in enumerate(sorted(shapes.items()))
    }


def write_random_weights(folder: Path, seed: int) -> None:
    """Writes files for Inception, AlexNet and LPIPS's linear weights under their public names."""
    layers, linear = lpips_tensor_shapes()
    for file, shapes in (
        (INCEPTION, inception_tensor_shapes()),
        (ALEXNET, layers),
        (LPIPS_LINEAR, linear),
    ):
        write_tensors(folder / file.names[0], random_tensors(shapes, seed))


@functools.cache
def weights_folder():
    """Returns a folder with a file for each network, written once for each process of tests."""
    folder = Path(tempfile.mkdtemp(prefix="gaug_weights_"))
    write_random_weights(folder, seed=0)
    return folder
