"""The rate of `main` beside that of the bare compiled step.

    python -m benchmarks.main_rate --steps=200 --json=result.json

`main` trains the paper's full network on random pictures with its log, grids and checkpoints as
the base config has them, but for two of each in the run; the bare step is `benchmarks.ours`,
measured before and after. `ratio` is main's `images_per_second`, the mean over the rows of its
metrics.jsonl but the first, divided by the bare step's.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import options, rounds
from gaug_jax.files import read_json_lines
from gaug_jax.workfolder import WorkFolder

_STEPS = flags.DEFINE_integer("steps", 200, "Steps of main.", lower_bound=40)
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def write_pictures(folder: Path, count: int, size: int) -> None:
    """Writes so many random pictures of one class."""
    random = np.random.default_rng(0)
    (folder / "any").mkdir(parents=True)
    for index in range(count):
        noise = random.integers(0, 256, (size, size, 3), np.uint8)
        Image.fromarray(noise).save(folder / "any" / f"{index}.png")


def main_command(folder: Path, workdir: Path) -> list[str]:
    """Returns the command of the run."""
    fields = {
        "data.path": folder,
        "data.image_size": options.IMAGE_SIZE.value,
        "data.channels": options.CHANNELS.value,
        "model.width": options.WIDTH.value,
        "model.labels": "none",
        "objective.preset": options.OBJECTIVE.value,
        "train.batch_size": options.BATCH.value,
        "train.steps": _STEPS.value,
        "train.sample_every": 100,
        "train.checkpoint_every": 100,
    }
    overrides = [f"--config.{name}={value}" for name, value in fields.items()]
    command = [sys.executable, "-m", "gaug_jax.main", "--config=configs/folder.py", *overrides]
    return [*command, f"--workdir={workdir}"]


def rate_of_main() -> float:
    """Returns main's images per second: the mean over equal numbers of steps."""
    with tempfile.TemporaryDirectory() as place:
        pictures, folder = Path(place) / "pictures", WorkFolder(Path(place) / "run")
        write_pictures(pictures, 700, options.IMAGE_SIZE.value)
        subprocess.run(main_command(pictures, folder.path), check=True)
        rates = [row["images_per_second"] for row in read_json_lines(folder.metrics)]
    return statistics.harmonic_mean(rates[1:])


def rate_of_step() -> float:
    """Returns the bare step's images per second."""
    worker = rounds.Worker(["benchmarks.ours", *options.command_line()], options.THREADS.value)
    seconds = statistics.median(worker.seconds(10) for _ in range(5)) / 10
    worker.close()
    updates = 5 if options.OBJECTIVE.value == "wgan_gp" else 1
    return options.BATCH.value * updates / seconds


def main(arguments: list[str]) -> None:
    """Runs both."""
    before, main_rate, after = rate_of_step(), rate_of_main(), rate_of_step()
    bare_rate = statistics.mean([before, after])
    result = {
        **options.values(),
        "main_images_per_second": round(main_rate, 2),
        "bare_images_per_second": round(bare_rate, 2),
        "bare_before_and_after": [round(before, 2), round(after, 2)],
        "ratio": round(main_rate / bare_rate, 3),
    }
    rounds.write_result(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
