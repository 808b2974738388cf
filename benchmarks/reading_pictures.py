"""Reading, hashing and near duplicates of many large pictures, beside another checkout.

    git worktree add /tmp/before 721ae3f
    python -m benchmarks.reading_pictures --before=/tmp/before --num=10000 --json=result.json

Made films of 1,024x1,024 (broad shades, edges and grain, no two alike) are written once. Then each
checkout prepares them in turns, in a process of its own with an empty cache, on all cores: seconds
of `prepare` and the most memory of the process. `ratio` is the other's median time over ours.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import rounds

_BEFORE = flags.DEFINE_string("before", None, "Folder of the other checkout.", required=True)
_NUM = flags.DEFINE_integer("num", 10_000, "Pictures.", lower_bound=100)
_SIZE = flags.DEFINE_integer("size", 1024, "Height and width of a picture.", lower_bound=64)
_FORMAT = flags.DEFINE_enum("format", "jpg", ["jpg", "png"], "Of the pictures.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns of each side.", lower_bound=1)
_JSON = flags.DEFINE_string("json", None, "File for the result.")

# Run in either checkout: what both of them have.
_WORKER = """
import json, resource, sys, time
from configs import folder
from gaug_jax.data import prepare
from gaug_jax.settings import read_settings
config = folder.get_config()
config.data.path, config.data.cache_path = sys.argv[1:]
settings = read_settings(config.to_dict()).data
start = time.perf_counter()
prepared = prepare(settings)
seconds = time.perf_counter() - start
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "MiB": most, "images": len(prepared.images)}))
"""


def write_film(path: Path, seed: int, size: int) -> None:
    """Writes a made film."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (12, 12), np.uint8))
    shades = np.asarray(small.resize((size, size), Image.Resampling.BICUBIC), np.float32)
    grain = random.normal(0, 2, (size, size)).astype(np.float32)
    film = Image.fromarray((shades + grain).clip(0, 255).astype(np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    film.save(path, quality=92) if path.suffix == ".jpg" else film.save(path, compress_level=3)


def write_films(folder: Path, num: int, size: int, suffix: str) -> None:
    """Writes made films of two classes on all cores."""
    paths = [folder / "ab"[index % 2] / f"{index:05d}.{suffix}" for index in range(num)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write_film, paths, range(num), [size] * num, chunksize=16))


def prepare_once(checkout: Path, films: Path) -> dict[str, float]:
    """Returns the seconds and the memory of a checkout."""
    with tempfile.TemporaryDirectory() as cache:
        run = subprocess.run(
            [sys.executable, "-c", _WORKER, str(films), cache],
            cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
    return json.loads(run.stdout.splitlines()[-1])


def main(arguments: list[str]) -> None:
    """Measures both."""
    checkouts = {"ours": Path(__file__).parents[1], "before": Path(_BEFORE.value)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as place:
        write_films(Path(place), _NUM.value, _SIZE.value, _FORMAT.value)
        for number in range(_ROUNDS.value):
            for name, checkout in checkouts.items():
                found[name].append(prepare_once(checkout, Path(place)))
            line = ", ".join(f"{name} {rows[-1]['seconds']:.1f} s" for name, rows in found.items())
            print(f"round {number + 1} of {_ROUNDS.value}: {line}", flush=True)
    result = {"num": _NUM.value, "size": _SIZE.value, "format": _FORMAT.value, "rounds": found}
    for name, rows in found.items():
        result[f"{name}_seconds"] = round(statistics.median(row["seconds"] for row in rows), 2)
        result[f"{name}_MiB"] = round(max(row["MiB"] for row in rows))
    result["ratio"] = round(result["before_seconds"] / result["ours_seconds"], 3)
    rounds.write_result(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
