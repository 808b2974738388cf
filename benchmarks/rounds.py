"""Side by side: two processes that work in turns, so that what the machine does hits both.

A worker builds its work, warms up and then does as many units as each line of its
standard input says, answering with the seconds. While one works the other waits.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_MARK = "@benchmark "


def serve(work: Callable[[int], None], facts: Mapping[str, object]) -> None:
    """Answers the parent until it closes the input; to be called in the worker.

    Args:
      work: does so many units and returns when they are done.
      facts: what to report of the worker: versions, device.
    """
    work(1)
    work(1)
    print(_MARK + json.dumps(dict(facts)), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        work(int(line))
        print(_MARK + json.dumps(time.perf_counter() - start), flush=True)


class Worker:
    """A worker process, as its parent sees it.

    Args:
      command: arguments after `python -m`.
      threads: processors that it may use.
      python: interpreter of the process; None for this one's.
    """

    def __init__(self, command: Sequence[str], threads: int, python: str | None = None) -> None:
        processors = sorted(os.sched_getaffinity(0))[:threads]
        self._process = subprocess.Popen(
            [python or sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            cwd=Path(__file__).parents[1],
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        self.facts = self._answer()

    def _answer(self) -> object:
        for line in self._process.stdout:
            if line.startswith(_MARK):
                return json.loads(line.removeprefix(_MARK))
        raise RuntimeError(f"a worker ended with status {self._process.wait()}")

    def seconds(self, units: int) -> float:
        """Returns how long `units` took."""
        print(units, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


def alternate(
    commands: Mapping[str, Sequence[str]],
    *,
    units: int,
    rounds: int,
    threads: int,
    pythons: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Returns milliseconds a unit for each command: every round, and their median.

    Args:
      commands: a worker's arguments after `python -m`, by name.
      units: work of one round.
      rounds: times that each has its turn.
      threads: processors for each.
      pythons: interpreters of those that have another one.
    """
    others = pythons or {}
    workers = {
        name: Worker(command, threads, others.get(name)) for name, command in commands.items()
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, worker in workers.items():
            times[name].append(1000 * worker.seconds(units) / units)
        line = ", ".join(f"{name} {values[-1]:.1f} ms" for name, values in times.items())
        print(f"round {number + 1} of {rounds}: {line}", flush=True)
    for worker in workers.values():
        worker.close()
    return {
        **{f"{name}_ms": round(statistics.median(values), 3) for name, values in times.items()},
        "rounds_ms": {name: [round(ms, 3) for ms in values] for name, values in times.items()},
        "facts": {name: worker.facts for name, worker in workers.items()},
    }


def add_ratios(result: dict[str, object], peers: Sequence[str]) -> None:
    """Adds how many times longer than ours each peer takes; `ratio` is the fastest one's."""
    for peer in peers:
        result[f"{peer}_ratio"] = round(result[f"{peer}_ms"] / result["ours_ms"], 3)
    result["ratio"] = min(result[f"{peer}_ratio"] for peer in peers)


def write_result(result: Mapping[str, object], path: str | None) -> None:
    """Prints a result and writes it as JSON where a path is given."""
    shown = {key: value for key, value in result.items() if key != "rounds_ms"}
    print(json.dumps(shown, indent=1))
    if path:
        Path(path).write_text(json.dumps(result, indent=1) + "\n")
