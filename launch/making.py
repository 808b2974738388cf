"""Runs of a sweep, each made by one process at a time and recorded whole."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

from gaug_jax.workfolder import WorkFolder
from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import SweepRun
from launch.unit import Unit

# What a run ends with that was asked to stop (SIGINT, SIGTERM, SIGUSR1, SIGUSR2): it goes on
# where it was.
_STOPPED = (130, 143, 138, 140)
# How often it is tried to hold a run, since others look at it now and then.
_TRIES = 20
# The binaries that several processes can make together.
_TOGETHER = ("gaug_jax.main", "gaug_jax.evaluate")


class Making:
    """Makes the runs of a unit that are neither done nor being made.

    Args:
      root: of the sweep.
      unit: one run, or several that one program trains.
      tasks: command that starts the one that follows it as several processes, such as SLURM's
        `srun`, for the binaries that know how to share their work.
    """

    def __init__(self, root: Root, unit: Unit, tasks: Sequence[str] = ()) -> None:
        self._root, self._unit, self._tasks = root, unit, tasks
        self._process: subprocess.Popen | None = None
        self._ended = -1
        self._locks: tuple[int, ...] = ()
        self._stopped_by = 0

    def make(self) -> str:
        """Makes the runs and returns the unit's state then."""
        root = self._root
        with contextlib.ExitStack() as holding:
            held = [
                (run, holding.enter_context(root.held(run.name, _TRIES))) for run in self._unit.runs
            ]
            own = [
                (run, lock)
                for run, lock in held
                if lock is not None and root.read_record(run.name)["state"] != DONE
            ]
            self._locks = tuple(lock for _, lock in own)
            for run, _ in own:
                record = root.read_record(run.name)
                host = socket.gethostname()
                root.write_record(run.name, {**record, "state": RUNNING, "host": host})
            # One that has failed may be what made the others fail.
            fresh = [run for run, _ in own if not root.read_record(run.name)["failures"]]
            packed = fresh if len(fresh) > 1 else []
            if packed:
                self._make_packed(packed)
            for run, _ in own:
                if run not in packed:
                    self._make_run(run, run.commands(root.work_folder(run.name)), 0, 0.0)
        return self._unit.state(root)

    def _make_packed(self, runs: list[SweepRun]) -> None:
        """Trains several runs as one program; the rest of each is made apart."""
        root, start = self._root, time.time()
        names = ",".join(run.name for run in runs)
        for run in runs[1:]:
            with self._log(run) as log:
                log.write(f"trained together with {runs[0].name}: see its log\n".encode())
        with self._log(runs[0]) as log:
            call = ["launch.packed", f"--root={root.path}", f"--names={names}"]
            status = self._call(call, log.fileno())
        seconds = (time.time() - start) / len(runs)
        for run in runs:
            folder = WorkFolder(root.work_folder(run.name))
            # If one fails the others go on to their ends; what is missing there is written.
            trained = not status or folder.training_finished.exists()
            calls = run.commands(folder.path)[0 if status else 1 :]
            self._make_run(run, calls, 0 if trained else status, seconds)

    def _make_run(self, run: SweepRun, calls: list[list[str]], status: int, seconds: float) -> None:
        """Makes a run's calls, unless a status says that it failed, and records how it ended."""
        start = time.time()
        with self._log(run) as log:
            for call in calls:
                status = status or self._call(call, log.fileno())
        record = self._root.read_record(run.name)
        seconds += record.get("seconds", 0.0) + time.time() - start
        state = DONE if status == 0 else WAITING if status in _STOPPED else FAILED
        failures = record["failures"] + (state == FAILED)
        ended = {"state": state, "failures": failures, "status": status, "seconds": seconds}
        self._root.write_record(run.name, ended)

    def _log(self, run: SweepRun) -> IO:
        """Opens a run's log, to write at its end."""
        path = self._root.log(run.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "ab")

    def stop(self) -> None:
        """Asks the binary that runs to save and stop, and waits for it; for a signal's handler."""
        self._ask_to_stop(signal.SIGTERM)
        if self._process is not None:
            # Its end closes the pipe. `wait` would wait for `_call`, which the handler interrupts.
            os.read(self._ended, 1)

    def _call(self, call: list[str], log: int) -> int:
        """Calls a module with its arguments and returns the exit status, as a shell would."""
        if self._stopped_by:
            return 128 + self._stopped_by
        started_by = self._tasks if call[0] in _TOGETHER else ()
        self._ended, held_by_child = os.pipe()
        try:
            # The child holds the runs as well: if this process is killed, nobody else begins them.
            self._process = subprocess.Popen(
                [*started_by, sys.executable, "-m", *call],
                stdout=log, stderr=subprocess.STDOUT, pass_fds=(*self._locks, held_by_child),
            )  # fmt: skip
            os.close(held_by_child)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda number, frame: self._ask_to_stop(number))
            status = self._process.wait()
            return 128 - status if status < 0 else status
        finally:
            self._process = None
            os.close(self._ended)

    def _ask_to_stop(self, number: int) -> None:
        """Asks the binary that runs to save and stop, and keeps others from being begun."""
        self._stopped_by = number
        if self._process is not None:
            # At SIGTERM `srun` kills its tasks; this it hands on to them.
            self._process.send_signal(signal.SIGUSR1 if self._tasks else number)
