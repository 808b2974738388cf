"""Runs of a sweep as a job array of SLURM, through submitit."""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from gaug_jax.errors import UserError, in_short
from launch.making import Making
from launch.root import FAILED, RUNNING, WAITING, Root
from launch.unit import Unit

_SECONDS_BETWEEN_LOOKS = 2.0
# Parameters that are counted with here or in submitit.
_NUMBERS = {"time": " of minutes", "nodes": "", "ntasks_per_node": "", "gpus_per_node": ""}


class Job:
    """What a task of the array calls: makes one unit in the folder that the launcher was in."""

    def __init__(self, root: Root, unit: Unit, tasks: list[str]) -> None:
        self._root, self._unit, self._tasks, self._place = root, unit, tasks, os.getcwd()

    def __call__(self) -> str:
        """Makes the unit and returns its state."""
        os.chdir(self._place)
        self._making = Making(self._root, self._unit, self._tasks)
        return self._making.make()

    def checkpoint(self, *arguments: Any) -> Any:
        """Has a task that is preempted or out of time save and queued again: it goes on."""
        import submitit

        self._making.stop()
        job = Job(self._root, self._unit, self._tasks)
        return submitit.helpers.DelayedSubmission(job, *arguments)


def slurm_parameters(given: list[str]) -> dict[str, Any]:
    """Returns the parameters of `--slurm`, each as name=value.

    Raises:
      UserError: one of them has no value.
    """
    parameters = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise UserError(f"--slurm={text}: give a name and a value, such as partition=gpu")
        try:
            parameters[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parameters[name] = value
        if name in _NUMBERS and not isinstance(parameters[name], int):
            raise UserError(f"--slurm={text}: give a whole number{_NUMBERS[name]}")
    return parameters


class SlurmExecutor:
    """Makes runs as tasks of job arrays.

    Args:
      root: of the sweep, on a disk that all nodes share.
      max_parallel: tasks at once; 0 for as many as the cluster has room for.
      retries: times that a failed run is tried again.
      parameters: of submitit's SlurmExecutor, such as partition, time or gpus_per_node.
    """

    def __init__(
        self, root: Root, max_parallel: int, retries: int, parameters: Mapping[str, Any]
    ) -> None:
        self._root, self._max_parallel, self._retries = root, max_parallel, retries
        self._parameters = dict(parameters)

    def make_all(self, units: list[Unit], report: Callable[[], None]) -> None:
        """Submits what is not done as one array, and again what failed, and waits for all.

        A unit whose task was cancelled is left as it is, for the next launch. To stop the
        launcher leaves the tasks to SLURM.

        Args:
          units: of the sweep.
          report: is called now and then.
        """
        missing = [unit for unit in units if unit.state(self._root) in (WAITING, FAILED)]
        for _ in range(self._retries + 1):
            if missing:
                self._make_array(missing, report)
            missing = [unit for unit in missing if unit.state(self._root) == FAILED]
        while any(unit.state(self._root) == RUNNING for unit in units):  # Another launcher's.
            report()
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _make_array(self, missing: list[Unit], report: Callable[[], None]) -> None:
        """Submits an array and waits until none of its tasks is queued or running."""
        array = self._submit(missing)[0].job_id.split("_")[0]
        while True:
            left = _is_queued(array)
            report()
            if not left:
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _submit(self, units: list[Unit]) -> list[Any]:
        """Returns the submitted tasks.

        Raises:
          UserError: SLURM or submitit is not here, or a parameter is unknown.
        """
        try:
            import submitit
        except ImportError:
            raise UserError('--executor=slurm needs submitit: pip install -e ".[launch]"') from None
        options = {"job_name": self._root.path.name, **self._parameters}
        if self._max_parallel:
            options["array_parallelism"] = self._max_parallel
        tasks = self._tasks()
        if tasks:
            # One task makes the unit, and starts the others for each binary.
            options["srun_args"] = ["--overlap", "--nodes=1", "--ntasks=1"]
        try:
            executor = submitit.SlurmExecutor(self._root.path / "slurm", python=sys.executable)
            executor.update_parameters(**options)
            with executor.batch():
                jobs = [executor.submit(Job(self._root, unit, tasks)) for unit in units]
        except (ValueError, RuntimeError, submitit.core.utils.FailedJobError) as error:
            reason = in_short(error)
            raise UserError(f"--executor=slurm: {reason}") from None
        return jobs

    def _tasks(self) -> list[str]:
        """Returns the command that starts a binary as all tasks of a job; none for a single one."""
        nodes = self._parameters.get("nodes", 1)
        tasks = nodes * self._parameters.get("ntasks_per_node", 1)
        return ["srun", "--overlap", f"--nodes={nodes}", f"--ntasks={tasks}"] if tasks > 1 else []


def _is_queued(array: str) -> bool:
    """Says whether a task of an array is waiting or running; SLURM soon forgets one that ended."""
    command = ["squeue", "--noheader", f"--jobs={array}", "--format=%i"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode and "Invalid job id" not in found.stderr:
        return True  # The controller does not answer: the tasks go on without it.
    return bool(found.stdout.strip())
