"""Runs of training that go on at the same time, each on a thread of its own."""

import concurrent.futures
import contextlib
from collections.abc import Callable, Sequence

from gaug_jax.errors import in_short
from gaug_jax.gan.state import GANState
from gaug_jax.stages.train import Training
from gaug_jax.training.interrupts import Interrupted, StopRequest, stop_on_signal
from gaug_jax.training.loop import Run


def run_together(trainings: Sequence[Training]) -> None:
    """Makes several runs at the same time; each ends as it would have ended alone.

    Small networks leave a processor's cores idle between their operations: two at a time take
    70% of the time of one after the other (measured on 2 cores).

    Raises:
      UserError: a file cannot be written.
      Interrupted: a signal asked to stop; all are saved.
      TrainingDiverged: one of them has.
    """
    with contextlib.ExitStack() as locks:
        for training in trainings:
            locks.enter_context(training.locked())
        train_all(trainings, [training.begin(training.make_feed()) for training in trainings])


def train_all(
    trainings: Sequence[Training],
    runs: Sequence[Run],
    when_one_ends: Callable[[], None] = lambda: None,
) -> None:
    """Trains every run on a thread of its own, and raises what went wrong when all have ended.

    Args:
      trainings: whose work folders are held.
      runs: that they have begun.
      when_one_ends: called on the thread of each.
    """

    def train(training: Training, run: Run, request: StopRequest) -> GANState:
        try:
            return run.train(request)
        except Exception as error:
            if len(runs) > 1 and not isinstance(error, Interrupted):
                # Said at once: the others may go on for hours.
                print(f"{training.plan.name} failed ({in_short(error)}): the others go on")
            raise
        finally:
            when_one_ends()

    with stop_on_signal() as request, concurrent.futures.ThreadPoolExecutor(len(runs)) as threads:
        futures = [
            threads.submit(train, training, run, request)
            for training, run in zip(trainings, runs, strict=True)
        ]
    errors = []
    for training, future in zip(trainings, futures, strict=True):
        if error := future.exception():
            errors.append(error)
        else:
            training.finish(future.result())
    for error in sorted(errors, key=lambda error: not isinstance(error, Interrupted)):
        raise error
