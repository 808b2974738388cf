"""What one process makes of a sweep: a run, or several that differ in their seeds alone."""

import dataclasses
from collections.abc import Sequence

from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import SweepRun


@dataclasses.dataclass(frozen=True)
class Unit:
    """Runs that are made together.

    Attributes:
      runs: one, or several that differ in their seeds alone.
    """

    runs: tuple[SweepRun, ...]

    @property
    def name(self) -> str:
        """Returns the names of its runs, separated by commas."""
        return ",".join(run.name for run in self.runs)

    def state(self, root: Root) -> str:
        """Returns the state of those that are not done: waiting, if any of them waits."""
        states = {root.state(run.name) for run in self.runs}
        return next(state for state in (WAITING, RUNNING, FAILED, DONE) if state in states)


def units_of(runs: Sequence[SweepRun], most: int) -> list[Unit]:
    """Returns all runs in units of `most` or fewer.

    Args:
      runs: of a sweep.
      most: runs of one unit; only those of `main` that differ in their seeds alone share one.
    """
    groups: dict[str, list[SweepRun]] = {}
    for run in runs:
        overrides = {name: value for name, value in run.overrides.items() if name != "seed"}
        alike = repr((run.config, run.evaluate, sorted(overrides.items())))
        groups.setdefault(alike if run.command == "main" else run.name, []).append(run)
    return [
        Unit(tuple(group[first : first + most]))
        for group in groups.values()
        for first in range(0, len(group), most)
    ]
