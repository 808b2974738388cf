"""One run of a sweep, made by one process at a time and recorded whole."""

import signal
import socket
import subprocess
import sys
import time

from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import Run

# What a run ends with that was asked to stop: it goes on where it was.
_STOPPED = (130, 143)


def make_run(root: Root, run: Run) -> str:
    """Makes a run unless it is done or being made; returns its state then.

    Args:
      root: of the sweep.
      run: which.
    """
    with root.held(run.name) as lock:
        if lock is None:
            return RUNNING
        record = root.read_record(run.name)
        if record["state"] == DONE:
            return DONE
        root.write_record(run.name, {**record, "state": RUNNING, "host": socket.gethostname()})
        start = time.time()
        status = _call(root, run, lock)
        seconds = record.get("seconds", 0.0) + time.time() - start
        state = DONE if status == 0 else WAITING if status in _STOPPED else FAILED
        failures = record["failures"] + (state == FAILED)
        root.write_record(
            run.name, {"state": state, "failures": failures, "status": status, "seconds": seconds}
        )
        return state


def _call(root: Root, run: Run, lock: int) -> int:
    """Calls the binaries and returns the first exit status that is not 0, or 0."""
    root.log(run.name).parent.mkdir(parents=True, exist_ok=True)
    with open(root.log(run.name), "ab") as log:
        for module, *arguments in run.commands(root.work_folder(run.name)):
            # The child holds the run as well: if this process is killed, nobody else begins it.
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdout=log, stderr=subprocess.STDOUT,
                pass_fds=(lock,),
            )  # fmt: skip
            _hand_on_signals(process)
            if status := process.wait():
                return 128 - status if status < 0 else status
    return 0


def _hand_on_signals(process: subprocess.Popen) -> None:
    """Hands a wish to stop on to the binary that runs, which saves."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: process.send_signal(number))
