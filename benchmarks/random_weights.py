"""Seeded random weights in the layout of the official files, so that anyone can check parity.

python -m benchmarks.random_weights --folder=weights --seed=0
"""

from pathlib import Path

from absl import app, flags

from tests.support.random_weights import write_random_weights

_FOLDER = flags.DEFINE_string("folder", "weights", "Where the files are written.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the weights.")


def main(_: list[str]) -> None:
    """Writes the files."""
    write_random_weights(Path(_FOLDER.value), _SEED.value)
    print(f"written to {_FOLDER.value}")


if __name__ == "__main__":
    app.run(main)
