"""Runs that differ in their seeds, trained as one program."""

import contextlib
import functools
from collections.abc import Sequence

from gaug_jax.errors import UserError
from gaug_jax.settings import Settings
from gaug_jax.stages.opened import Opened
from gaug_jax.stages.together import train_all
from gaug_jax.stages.train import Training
from gaug_jax.training import parallel
from gaug_jax.training.pack import Pack


def train_packed(settings_of: Sequence[Settings], workdirs: Sequence[str]) -> None:
    """Trains the generators of several configs at once, or goes on where each was stopped.

    Each has its own work folder, the same as if it were trained apart, up to the order of
    floating-point sums. If one fails the others go on, and then its error is raised.

    Args:
      settings_of: of each run, the same but for their seeds.
      workdirs: work folder of each.

    Raises:
      UserError: a config, the data or a work folder is not usable, or the runs cannot be one
        program; nothing is written.
      Interrupted: a signal asked to stop; all are saved.
      TrainingDiverged: one of them has.
    """
    trainings = [
        Training(Opened(workdir, settings))
        for settings, workdir in zip(settings_of, workdirs, strict=True)
    ]
    feeds = [training.make_feed() for training in trainings]
    first = trainings[0]
    alike = all(
        (one.spec, one.manifest["manifest_sha256"])
        == (first.spec, first.manifest["manifest_sha256"])
        for one in trainings
    )
    if not alike:
        raise UserError("runs of one program may differ in their seeds alone: make them apart")
    if any(feed.axes is not None for feed in feeds):
        raise UserError(
            "runs of one program need their images on the device: raise "
            "config.train.resident_megabytes, or make them apart"
        )
    limit = first.plan.settings.divergence_limit
    pack = Pack(parallel.make_run_packed_steps(first.spec, feeds[0], limit), len(trainings))
    with contextlib.ExitStack() as locks:
        for training in trainings:
            locks.enter_context(training.locked())
        runs = [
            training.begin(feed, functools.partial(pack.call, number))
            for number, (training, feed) in enumerate(zip(trainings, feeds, strict=True))
        ]
        train_all(trainings, runs, pack.leave)
