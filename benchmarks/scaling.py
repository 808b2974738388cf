"""How cost grows: time of a step, and memory of a run.

    python -m benchmarks.scaling --json=result.json
    python -m benchmarks.scaling --only=batch,memory

Each line of the table changes one thing of a base: minimax, 64x64, one channel, width 32 (--width),
batch 32, one class (a generator for each where there are more), one device. `devices` are forced
CPU devices that share the batch. `images` trains `main` on so many random 64x64 grey images and
reports its largest resident set.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks import rounds

_VALUES = {
    "batch": (8, 16, 32, 64, 128),
    "image_size": (16, 32, 64, 128),
    "width": (16, 32, 64),
    "classes": (1, 2, 5, 10),
    "devices": (1, 2, 4),
    "images": (10_000, 40_000, 160_000),
}
_ONLY = flags.DEFINE_list("only", list(_VALUES), f"Of {', '.join(_VALUES)}.")
_WIDTH = flags.DEFINE_integer("width", 32, "Width of the base.")
_UNITS = flags.DEFINE_integer("units", 2, "Steps in a turn.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Turns of each point.", lower_bound=1)
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def milliseconds_per_step(name: str, value: int) -> float:
    """Returns the median time of a step with one thing changed."""
    chosen = {"channels": 1, "width": _WIDTH.value, name: value}
    num_devices = chosen.pop("devices", 1)
    forced = f"--xla_force_host_platform_device_count={num_devices}"
    os.environ["XLA_FLAGS"] = forced
    command = ["benchmarks.ours", *(f"--{key}={number}" for key, number in chosen.items())]
    result = rounds.alternate(
        {"ours": command}, units=_UNITS.value, rounds=_ROUNDS.value, threads=2
    )
    return result["ours_ms"]


def megabytes_of_run(num_images: int) -> float:
    """Returns the largest resident set of `main` on so many images."""
    with tempfile.TemporaryDirectory() as place:
        random = np.random.default_rng(0)
        small = random.integers(0, 256, (num_images, 8, 8, 1), np.uint8)
        images = small.repeat(8, axis=1).repeat(8, axis=2)
        np.savez(Path(place) / "images.npz", images=images, labels=np.zeros(num_images, int))
        del images, small
        fields = {
            "data.source": "npz",
            "data.path": Path(place) / "images.npz",
            "data.num_folds": 0,
            "data.test_fraction": 0.0,
            "data.validation_fraction": 0.0,
            "model.width": 8,
            "train.steps": 40,
        }
        overrides = [f"--config.{name}={value}" for name, value in fields.items()]
        main = [sys.executable, "-m", "gaug_jax.main", "--config=configs/base.py", *overrides]
        # In a process of its own, which asks for the largest of its only child.
        script = (
            "import json, resource, subprocess, sys; "
            "subprocess.run(json.loads(sys.argv[1]), check=True); "
            "print('@', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        environment = {**os.environ, "GAUG_CACHE": place, "XLA_FLAGS": ""}
        output = subprocess.run(
            [sys.executable, "-c", script, json.dumps([*main, f"--workdir={place}/run"])],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        ).stdout
    return round(int(re.search(r"^@ (\d+)$", output, re.MULTILINE)[1]) * 1024 / 1e6, 1)


def main(arguments: list[str]) -> None:
    """Measures every point that is asked for."""
    rows = []
    for name in _ONLY.value:
        for value in _VALUES[name]:
            if name == "images":
                row = {name: value, "megabytes": megabytes_of_run(value)}
            else:
                row = {name: value, "milliseconds_per_step": milliseconds_per_step(name, value)}
            print(row, flush=True)
            rows.append(row)
    rounds.write_result({"rows": rows}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
