"""Seeded random weights in the layout of the official files, so that anyone can check parity.

    python -m benchmarks.random_weights --folder=weights --seed=0

Drawn so that activations neither vanish nor grow from layer to layer. NumPy's PCG64
gives the same numbers on every machine.
"""

import math
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks.torch_file_writer import write_tensors
from gaug_jax.evaluation.pretrained import Tensors, inception_tensor_shapes, lpips_tensor_shapes
from gaug_jax.evaluation.weight_files import ALEXNET, INCEPTION, LPIPS_LINEAR

_FOLDER = flags.DEFINE_string("folder", "weights", "Where the files are written.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the weights.")


def _drawn(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Returns one tensor, by what its name says it is."""
    if name.endswith("running_var") or name.endswith("bn.weight"):
        values = generator.uniform(0.8, 1.2, shape)
    elif len(shape) == 1:
        values = generator.normal(0.0, 0.1, shape)
    elif name.startswith("lin"):
        values = generator.uniform(0.0, 1.0, shape)
    else:
        values = generator.normal(0.0, math.sqrt(2.0 / math.prod(shape[1:])), shape)
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


def main(_: list[str]) -> None:
    """Writes the files."""
    write_random_weights(Path(_FOLDER.value), _SEED.value)
    print(f"written to {_FOLDER.value}")


if __name__ == "__main__":
    app.run(main)
