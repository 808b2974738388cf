"""Everything that is measured on a GPU, in one command; `make test-gpu` runs it.

    python -m benchmarks.on_gpu --output=runs/gpu

Writes a JSON file for each: minimax and WGAN-GP in float32 (with TF32) and bfloat16 beside PyTorch
eager and torch.compile, sampling, ten generators beside one, and the rate of `main`.
"""

import subprocess
import sys
from pathlib import Path

from absl import app, flags

_OUTPUT = flags.DEFINE_string("output", "runs/gpu", "Folder for the results.")
_TURN = ["--steps=200", "--compile"]
_RUNS = {
    "minimax": ["train_step", "--objective=minimax", *_TURN],
    "wgan_gp": ["train_step", "--objective=wgan_gp", *_TURN],
    "minimax_bfloat16": ["train_step", "--objective=minimax", "--precision=bfloat16", *_TURN],
    "wgan_gp_bfloat16": ["train_step", "--objective=wgan_gp", "--precision=bfloat16", *_TURN],
    "sampling": ["train_step", "--work=sample", "--num=100000"],
    "generators": ["scaling", "--only=classes", "--width=64", "--units=100"],
    "main_rate": ["main_rate", "--steps=6400"],
    "cold_start": ["cold_start"],
}


def main(arguments: list[str]) -> None:
    """Runs all of them; one that fails does not keep the others from running."""
    output = Path(_OUTPUT.value)
    output.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, (module, *options) in _RUNS.items():
        command = [sys.executable, "-m", f"benchmarks.{module}", *options]
        status = subprocess.run([*command, f"--json={output / name}.json"]).returncode
        failed += [name] if status else []
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    app.run(main)
