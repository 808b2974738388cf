"""From the command to the first step, stage by stage, the first time and the second.

    python -m benchmarks.cold_start --json=result.json

The first start has an empty cache, as on a new machine; the second finds the preprocessed images
and the compiled programs there. Seconds from the start of the command until its files show that
a stage is over: `data` (the config is written once the data is ready) and `first_step` (the first
row of the log). `imports` is the time to import the package in a process of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

from benchmarks import rounds
from gaug_jax.workfolder import WorkFolder

_CONFIG = flags.DEFINE_string("config", "configs/digits.py", "The config.")
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def seconds_to_import() -> float:
    """Returns how long the package takes to import."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gaug_jax.stages.train"], check=True)
    return time.perf_counter() - start


def start_once(place: Path, name: str) -> dict[str, float]:
    """Starts a run, waits for its first step, and stops it."""
    folder = WorkFolder(place / name)
    command = [sys.executable, "-m", "gaug_jax.main", f"--config={_CONFIG.value}"]
    command += [f"--workdir={folder.path}", "--config.train.log_every=1"]
    environment = {**os.environ, "GAUG_CACHE": str(place / "cache")}
    start = time.perf_counter()
    run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    seconds = {}
    for stage, path in (("data", folder.config), ("first_step", folder.metrics)):
        while not (path.exists() and path.stat().st_size):
            if run.poll() is not None:
                raise RuntimeError(f"the run ended with status {run.returncode}")
            time.sleep(0.01)
        seconds[stage] = round(time.perf_counter() - start, 2)
    run.terminate()
    run.wait()
    return seconds


def main(arguments: list[str]) -> None:
    """Measures both starts."""
    with tempfile.TemporaryDirectory() as place:
        result = {
            "config": _CONFIG.value,
            "imports": round(seconds_to_import(), 2),
            "first_start": start_once(Path(place), "first"),
            "second_start": start_once(Path(place), "second"),
        }
    rounds.write_result(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
