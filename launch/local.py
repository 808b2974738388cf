"""Runs of a sweep as processes of this machine, its devices shared out among them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from launch.root import FAILED, RUNNING, WAITING, Root
from launch.unit import Unit

_SECONDS_BETWEEN_LOOKS = 0.5


def visible_devices() -> list[str]:
    """Returns the numbers of the NVIDIA GPUs that may be used; none on a machine without any."""
    if (given := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [number for number in given.split(",") if number]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(number) for number, _ in enumerate(listed.stdout.splitlines())]


class LocalExecutor:
    """Makes runs with so many processes at once.

    Args:
      root: of the sweep.
      max_parallel: processes at once; 0 for one a device.
      retries: times that a failed run is tried again.
    """

    def __init__(self, root: Root, max_parallel: int, retries: int) -> None:
        self._root, self._retries = root, retries
        self._devices = visible_devices()
        self._slots = list(range(max_parallel or max(1, len(self._devices))))
        self._processes: dict[str, tuple[subprocess.Popen, int]] = {}

    def make_all(self, units: list[Unit], report: Callable[[], None]) -> None:
        """Makes all units that are not done, and returns when none is left to make.

        A run that another launcher makes is waited for.

        Args:
          units: of the sweep.
          report: is called now and then.
        """
        tried: dict[str, int] = {}
        try:
            while True:
                self._collect()
                states = {unit.name: self._state(unit) for unit in units}
                for unit in units:
                    if self._is_left(unit, states, tried) and self._slots:
                        tried[unit.name] = tried.get(unit.name, 0) + 1
                        self._start(unit)
                        states[unit.name] = RUNNING
                report()
                if not any(
                    states[unit.name] == RUNNING or self._is_left(unit, states, tried)
                    for unit in units
                ):
                    return
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            self._stop()

    def _is_left(self, unit: Unit, states: dict[str, str], tried: dict[str, int]) -> bool:
        """Says whether a unit is to be tried, perhaps once more."""
        open_ones = states[unit.name] in (WAITING, FAILED)
        return open_ones and tried.get(unit.name, 0) <= self._retries

    def _state(self, unit: Unit) -> str:
        """Returns a unit's state; one that was just started is running."""
        return RUNNING if unit.name in self._processes else unit.state(self._root)

    def _start(self, unit: Unit) -> None:
        """Starts a unit in a free slot, on that slot's device."""
        slot = self._slots.pop(0)
        environment = dict(os.environ)
        if self._devices:
            environment["CUDA_VISIBLE_DEVICES"] = self._devices[slot % len(self._devices)]
        command = [sys.executable, "-m", "launch.job", f"--root={self._root.path}"]
        process = subprocess.Popen(
            [*command, f"--names={unit.name}"], env=environment, start_new_session=True
        )
        self._processes[unit.name] = (process, slot)

    def _collect(self) -> None:
        """Frees the slots of processes that have ended."""
        for name, (process, slot) in list(self._processes.items()):
            if process.poll() is not None:
                del self._processes[name]
                self._slots.append(slot)

    def _stop(self) -> None:
        """Asks what still runs to save and stop, and waits for it."""
        for process, _ in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in self._processes.values():
            process.wait()
