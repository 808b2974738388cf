"""One run of a sweep, made by one process at a time and recorded whole.

    python -m launch.job --root=R --name=wgan_gp-0

`launch.run` starts these; a run that is done, or that another process makes, is left alone.
"""

import os
import signal
import socket
import subprocess
import sys
import time

from absl import app, flags

from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import Run

_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_NAME = flags.DEFINE_string("name", None, "Of the run.")
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
    """Calls the binary and returns its exit status; a wish to stop is handed on to it."""
    root.log(run.name).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", f"gaug_jax.{run.command}"]
    command += run.arguments(root.work_folder(run.name))
    with open(root.log(run.name), "ab") as log:
        # The child holds the run as well: should this process be killed, nobody else begins it.
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, pass_fds=(lock,), env=os.environ
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: process.send_signal(number))
        status = process.wait()
    return 128 - status if status < 0 else status


def main(arguments: list[str]) -> None:
    """Makes one run of a root."""
    del arguments
    from gaug_jax.workfolder import read_json

    root = Root(_ROOT.value)
    runs = {values["name"]: Run(**values) for values in read_json(root.sweep)}
    state = make_run(root, runs[_NAME.value])
    sys.exit(state == FAILED)


if __name__ == "__main__":
    flags.mark_flags_as_required(["root", "name"])
    app.run(main)
