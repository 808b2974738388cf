"""The one place that knows the names of files in a sweep's root, and what state a run is in."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gaug_jax.files import make_folder, read_json, write_json

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


_SECONDS_BETWEEN_TRIES = 0.05


class Root:
    """The paths of a sweep."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.sweep = self.path / "sweep.json"
        self.table = self.path / "table.md"
        self.rows = self.path / "rows.csv"
        self.plot = self.path / "plot.png"

    def work_folder(self, name: str) -> Path:
        """Returns the work folder of a run."""
        return self.path / "runs" / name

    def log(self, name: str) -> Path:
        """Returns the log of a run, all attempts one after another."""
        return self.path / "logs" / f"{name}.log"

    def record(self, name: str) -> Path:
        """Returns the file that says how a run's attempts ended."""
        return self.path / "records" / f"{name}.json"

    def read_record(self, name: str) -> dict[str, Any]:
        """Returns how a run's attempts ended; none so far where there is no file."""
        path = self.record(name)
        return read_json(path) if path.exists() else {"state": WAITING, "failures": 0}

    def write_record(self, name: str, record: dict[str, Any]) -> None:
        """Writes how a run's attempts ended, whole or not at all."""
        write_json(self.record(name), record)

    @contextlib.contextmanager
    def held(self, name: str, tries: int = 1) -> Iterator[int | None]:
        """Holds a run, so that nobody else makes it: the lock's file number, None if it is held.

        A process that is given that number holds the run too, until it ends. Who only looks holds
        it for a moment: who wants to make it tries more than once.
        """
        path = self.record(name).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as file:
            for attempt in range(tries):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if attempt == tries - 1:
                        yield None
                        return
                    time.sleep(_SECONDS_BETWEEN_TRIES)
            yield file.fileno()

    @contextlib.contextmanager
    def describing(self) -> Iterator[None]:
        """Holds the description of the sweep for who reads and writes it."""
        make_folder(self.path, "--root")
        with open(self.path / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def state(self, name: str) -> str:
        """Returns `waiting`, `running`, `done` or `failed`; a run whose maker died waits."""
        found = self.read_record(name)["state"]
        if found in (DONE, FAILED) or not self.record(name).parent.exists():
            return found
        with self.held(name) as lock:
            return RUNNING if lock is None else WAITING
