"""One run of a sweep, made by one process at a time and recorded whole."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import Run

# What a run ends with that was asked to stop (SIGINT, SIGTERM, SIGUSR1, SIGUSR2): it goes on
# where it was.
_STOPPED = (130, 143, 138, 140)
# The binaries that several processes can make together.
_TOGETHER = ("gaug_jax.main", "gaug_jax.evaluate")


class Making:
    """Makes a run, unless it is done or being made.

    Args:
      root: of the sweep.
      run: which.
      tasks: command that starts the one that follows it as several processes, such as SLURM's
        `srun`, for the binaries that know how to share their work.
    """

    def __init__(self, root: Root, run: Run, tasks: Sequence[str] = ()) -> None:
        self._root, self._run, self._tasks = root, run, tasks
        self._process: subprocess.Popen | None = None
        self._ended = -1

    def make(self) -> str:
        """Makes the run and returns its state then."""
        root, name = self._root, self._run.name
        with root.held(name) as lock:
            if lock is None:
                return RUNNING
            record = root.read_record(name)
            if record["state"] == DONE:
                return DONE
            root.write_record(name, {**record, "state": RUNNING, "host": socket.gethostname()})
            start = time.time()
            status = self._call_all(lock)
            seconds = record.get("seconds", 0.0) + time.time() - start
            state = DONE if status == 0 else WAITING if status in _STOPPED else FAILED
            failures = record["failures"] + (state == FAILED)
            root.write_record(
                name, {"state": state, "failures": failures, "status": status, "seconds": seconds}
            )
            return state

    def stop(self) -> None:
        """Asks the binary that runs to save and stop, and waits for it; for a signal's handler."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGTERM)
            # Its end closes the pipe. `wait` would wait for `_call`, which the handler interrupts.
            os.read(self._ended, 1)

    def _call_all(self, lock: int) -> int:
        """Calls the binaries and returns the first exit status that is not 0, or 0."""
        log_path = self._root.log(self._run.name)
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(log_path, "ab") as log:
            for module, *arguments in self._run.commands(self._root.work_folder(self._run.name)):
                started_by = self._tasks if module in _TOGETHER else ()
                command = [*started_by, sys.executable, "-m", module, *arguments]
                if status := self._call(command, log.fileno(), lock):
                    return 128 - status if status < 0 else status
        return 0

    def _call(self, command: list[str], log: int, lock: int) -> int:
        """Calls a binary and returns its exit status."""
        self._ended, held_by_child = os.pipe()
        try:
            # The child holds the run as well: if this process is killed, nobody else begins it.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, pass_fds=(lock, held_by_child)
            )
            os.close(held_by_child)
            _hand_on_signals(self._process)
            return self._process.wait()
        finally:
            self._process = None
            os.close(self._ended)


def _hand_on_signals(process: subprocess.Popen) -> None:
    """Hands a wish to stop on to the binary that runs, which saves."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: process.send_signal(number))
