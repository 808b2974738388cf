"""Memory of evaluating folders of pictures, against their number.

    python -m benchmarks.fidelity_memory --json=result.json

Features are the means of 8x8 blocks (64 numbers an image), so that they weigh next to nothing.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import rounds

_COUNTS = flags.DEFINE_multi_integer("count", [1_000, 10_000], "Pictures of each folder.")
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def block_means(images: np.ndarray) -> np.ndarray:
    """Returns the mean of each of 8x8 blocks of 64x64 images."""
    return images.reshape(len(images), 8, 8, 8, 8, -1).mean(axis=(2, 4, 5)).reshape(-1, 64)


def write_pictures(folder: Path, count: int, seed: int) -> None:
    """Writes random pictures of 64x64."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for number in range(count):
        picture = generator.integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{number:06d}.png")


def peak_megabytes(folder: Path, count: int) -> float:
    """Returns the most memory that an evaluation of two folders had."""
    for seed, name in enumerate(("real", "fake")):
        write_pictures(folder / name, count, seed)
    arguments = [f"--real={folder / 'real'}", f"--fake={folder / 'fake'}",
                 f"--out={folder / 'out.json'}",
                 "--features=benchmarks.fidelity_memory.block_means"]  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "gaug_jax.evaluate", *arguments], check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    # The largest child so far: counts are given from small to large.
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def main(_: list[str]) -> None:
    """Measures."""
    result = {}
    for count in sorted(_COUNTS.value):
        with tempfile.TemporaryDirectory() as folder:
            result[f"{count}_pictures_megabytes"] = peak_megabytes(Path(folder) / "sets", count)
    rounds.write_result(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
