"""A sweep from its file to its last run."""

import dataclasses
import shlex
from collections.abc import Sequence
from typing import Any, NamedTuple

from gaug_jax.errors import UserError
from gaug_jax.files import write_json
from launch.local import LocalExecutor
from launch.root import DONE, Root
from launch.slurm import SlurmExecutor, slurm_parameters
from launch.status import Status, failures
from launch.sweep import SweepRun, read_runs, read_sweep
from launch.unit import units_of


class Options(NamedTuple):
    """How a sweep is made.

    Attributes:
      executor: `local` or `slurm`.
      max_parallel: runs at once; 0 for one a device, or all that a cluster has room for.
      retries: times that a failed run is tried again.
      dry_run: say what would be run, and stop.
      slurm: parameters for SLURM, each as name=value.
      most_packed: runs that one program may train; 1 for all apart.
    """

    executor: str = "local"
    max_parallel: int = 0
    retries: int = 1
    dry_run: bool = False
    slurm: Sequence[str] = ()
    most_packed: int = 1


class RunsFailed(Exception):
    """Some runs of a sweep failed."""

    exit_status = 1


def make_sweep(
    path: str, folder: str, given: Sequence[tuple[str, str, Any]], options: Options
) -> None:
    """Makes all runs of a sweep that are not made yet.

    Args:
      path: of the sweep's file.
      folder: its root.
      given: overrides beside the file's, as of `read_sweep`.
      options: how.

    Raises:
      UserError: the sweep is not usable, or a run of the root was another one before.
      RunsFailed: some failed, however often they were tried.
    """
    sweep = read_sweep(path, given)
    runs = sweep.runs
    root = Root(folder)
    _known_runs(root, runs)
    if options.dry_run:
        for run in runs:
            for call in run.commands(root.work_folder(run.name)):
                print(f"{run.name} ({root.state(run.name)}): {shlex.join(call)}")
        return
    with root.describing():
        known = _known_runs(root, runs)
        described = [dataclasses.asdict(run) for run in known.values()]
        write_json(root.sweep, {"runs": described, "paper": sweep.paper})
    status = Status()

    def states_now() -> dict[str, str]:
        return {run.name: root.state(run.name) for run in runs}

    units = units_of(runs, options.most_packed)
    _executor(root, options).make_all(units, lambda: status.report(states_now()))
    states = states_now()
    status.report(states, last=True)
    print()
    if failed := failures(root, states):
        raise RunsFailed(failed)
    if left := [name for name, state in states.items() if state != DONE]:
        raise RunsFailed(f"not done: {', '.join(left)}: run the same command again")
    print(f"{len(runs)} runs are done: see {root.path}")


def _executor(root: Root, options: Options) -> LocalExecutor | SlurmExecutor:
    """Returns what makes the runs."""
    if options.executor == "local":
        return LocalExecutor(root, options.max_parallel, options.retries)
    parameters = slurm_parameters(list(options.slurm))
    return SlurmExecutor(root, options.max_parallel, options.retries, parameters)


def _known_runs(root: Root, runs: list[SweepRun]) -> dict[str, SweepRun]:
    """Returns the runs of the root, those of this sweep among them.

    Raises:
      UserError: a run of the same name was begun with other overrides.
    """
    known = {}
    if root.sweep.exists():
        known = read_runs(root.sweep)
    for run in runs:
        before = known.get(run.name)
        # JSON knows no tuples.
        same = before is None or _plain(before) == _plain(run)
        if not same and root.record(run.name).exists():
            raise UserError(
                f"run {run.name} was begun in {root.path} with other overrides: choose another "
                "--root or another name"
            )
        known[run.name] = run
    return known


def _plain(run: SweepRun) -> dict[str, Any]:
    """Returns a run as JSON would give it back."""
    overrides = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in run.overrides.items()
    }
    return {**dataclasses.asdict(run), "overrides": overrides}
