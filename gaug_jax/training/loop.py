"""The host's side of a run: dispatches, and what happens between them.

Devices should not wait for the host. So one dispatch is launched before the one
before it is looked at, and what is to be written of a state is copied or drawn on the
device, and written by a thread, while the devices go on.
"""

import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt8

from gaug_jax import processes
from gaug_jax.files import append_json_line, read_json_lines, write_json
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import GANState, MovingAverage, new_state, parameter_overview, step_of
from gaug_jax.gan.step import LOSS_METRICS
from gaug_jax.progress import Progress
from gaug_jax.training import parallel, pictures
from gaug_jax.training.checkpoints import Checkpoints
from gaug_jax.training.interrupts import Interrupted, StopRequest, stop_on_signal
from gaug_jax.training.metrics_log import MetricsLog
from gaug_jax.training.patience import reason_to_stop
from gaug_jax.training.plan import Pace, Plan, Window
from gaug_jax.training.secret import secret_key
from gaug_jax.workfolder import WorkFolder

# Folded into the seed: each use of randomness has its own key.
_INIT, _STEPS, _GRID, _SCORE = range(4)

Draw = Callable[[Int[np.ndarray, " images"]], UInt8[np.ndarray, "images height width channels"]]
Score = Callable[[Draw], dict[str, float | None]]


class TrainingDiverged(Exception):
    """A loss or a parameter stopped being finite, or a loss passed the limit."""

    exit_status = 1


class _InFlight(NamedTuple):
    """A dispatch that was launched, and what is to be written of the state it ends with.

    Attributes:
      launched_at: on the clock of `time.perf_counter`.
      ended_at: likewise, when it ends.
      result: what it leaves but for the state, which the next dispatch takes.
      samples: images of the grid, or None.
      copy: of the state for a checkpoint, or None.
      ends_with_score: whether nothing may follow it before the generator has its score.
    """

    launched_at: float
    ended_at: concurrent.futures.Future[float]
    result: parallel.Dispatch
    samples: UInt8[Array, "images height width channels"] | None
    copy: GANState | None
    ends_with_score: bool


class Run:
    """A run at some step: its state on the devices and its files.

    Args:
      folder: the work folder; only the first process writes there.
      spec: what the step is compiled for.
      feed: where batches come from.
      plan: what is to be done.
      score: given a function that draws an image for each label, figures of the
        generator, among them `kid_mean` (lower is better), by which the best checkpoints
        are kept; or None.
      steps: makes a dispatch, as what `parallel.make_run_steps` returns, which it is by default.
    """

    def __init__(
        self,
        folder: WorkFolder,
        spec: Spec,
        feed: parallel.Feed,
        plan: Plan,
        score: Score | None = None,
        steps: Callable[..., parallel.Dispatch] | None = None,
    ) -> None:
        self._folder, self._spec, self._feed, self._plan = folder, spec, feed, plan
        self._score = score
        secret = plan.secret
        self._base_key = secret_key(secret) if secret else jax.random.key(plan.seed)
        self._writer = processes.is_writer()
        self._checkpoints = Checkpoints(
            folder.checkpoints, plan.settings.keep_last, plan.settings.keep_best
        )
        self._constant = parallel.replicate(feed.take_constant())
        limit = plan.settings.divergence_limit
        self._steps = steps or parallel.make_run_steps(spec, feed, limit)
        self._num_rollbacks = len(read_json_lines(folder.rollbacks))
        self._pace, self._window = Pace(), Window()
        self._ended_at = 0.0
        self._note = print
        self._untrained: MovingAverage | None = None
        self._restore()

    def _key(self, purpose: int) -> Array:
        """Returns the key of one use of randomness; the steps' changes with every rollback."""
        key = jax.random.fold_in(self._base_key, purpose)
        if purpose == _STEPS and self._num_rollbacks:
            key = jax.random.fold_in(key, self._num_rollbacks)
        return key

    def _restore(self) -> None:
        """Takes up the latest whole checkpoint, or a new state."""
        found = self._checkpoints.read_latest(
            lambda: jax.eval_shape(lambda key: new_state(key, self._spec), self._key(_INIT))
        )
        if found is None:
            state = jax.jit(new_state, static_argnames="spec")(self._key(_INIT), spec=self._spec)
        else:
            state, metadata, damaged = found
            self._report_damage(damaged, metadata["step"])
        self._state = parallel.replicate(state)
        self._diverged = parallel.replicate(jnp.bool_(False))
        self._steps_key = parallel.replicate(self._key(_STEPS))
        self.step = self._launched = step_of(state)
        processes.check_alike([self.step], "checkpoints")
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        """Sees by the rows on disk whether the scores so far end the run; None where not."""
        rows = read_json_lines(self._folder.metrics)
        self._reason = reason_to_stop(rows, self.step, self._plan.settings.patience)

    def _report_damage(self, damaged: list[int], step: int) -> None:
        """Says which checkpoints were damaged and how many steps that costs."""
        if damaged and self._writer:
            self._checkpoints.set_aside(damaged)
            names = ", ".join(str(step) for step in damaged)
            self._note(
                f"the checkpoint of step {names} is damaged and was set aside: going on from "
                f"step {step}, {damaged[0] - step} steps are lost"
            )

    def train(self, request: StopRequest | None = None) -> GANState:
        """Goes on to the last step and returns the state.

        Args:
          request: to stop, where signals are listened for elsewhere.

        Raises:
          Interrupted: a signal asked to stop; the state is saved.
          TrainingDiverged: and the config does not say to roll back, or no longer.
          UserError: a file could not be written.
        """
        finished = self._folder.training_finished.exists() and not self._next_count()
        if processes.agree(int(finished), 0)[0]:  # The first process may be writing that file.
            self._note(f"training is finished at step {self.step}{self._why()}: nothing to do")
            return self._state
        if self._writer:
            for made_at_the_end in (self._folder.training_finished, self._folder.training_curves):
                made_at_the_end.unlink(missing_ok=True)
        listening = contextlib.nullcontext(request) if request else stop_on_signal()
        watcher = concurrent.futures.ThreadPoolExecutor(1, "watcher")
        with listening as request, self._log_and_progress(), watcher as self._watcher:
            self._until_the_end(request)
            self._checkpoints.wait()
        if self._writer:
            pictures.write_progress_picture(self._folder)
            reason = self._reason or self._plan.ending or "every step was made"
            write_json(self._folder.training_finished, {"step": self.step, "reason": reason})
            self._note(f"trained to step {self.step}{self._why()}: see {self._folder.samples}")
        return self._state

    def _why(self) -> str:
        """Returns why the run ends before its last step, in brackets."""
        reason = self._reason or self._plan.ending
        return f" ({reason})" if reason else ""

    @contextlib.contextmanager
    def _log_and_progress(self) -> Iterator[None]:
        """Holds the log and the progress bar of the first process."""
        self._log = self._progress = None
        if not self._writer:
            yield
            return
        self._progress = Progress(self._plan.name, self._plan.total_steps, self.step)
        self._progress.wait_for("compiling")
        self._log = MetricsLog(self._folder, self.step)
        self._note = self._progress.note
        try:
            yield
        finally:
            self._note = print
            self._progress.close()
            self._log.close()

    def _until_the_end(self, request: StopRequest) -> None:
        """Makes dispatches and writes what is due between them."""
        if self._writer:
            self._log.text(self.step, "config", self._plan.description)
            self._note(parameter_overview(self._state, self._spec))
        # Drawn when the first step is made, which is not to wait for it.
        if self.step == 0 and self._writer:
            self._untrained = parallel.copy_of_one_device(self._state.ema)
        in_flight: _InFlight | None = None
        while True:
            count, signal_number = processes.agree(self._next_count(), request.signal_number)
            if not count and not in_flight:
                break
            wait = signal_number or (in_flight and in_flight.ends_with_score)
            following = self._launch(count) if count and not wait else None
            problem = self._settle(in_flight) if in_flight else None
            if problem:
                self._write_untrained()
                self._roll_back(problem)
            # After a problem the one that follows did nothing.
            in_flight = None if problem else following
            if signal_number and not in_flight:
                self._stop(signal_number)
        pictured = self._plan.is_due(self.step, self._plan.settings.sample_every)
        if self._reason and self._writer and not pictured:
            self._write_samples(self.step, self._draw_samples())

    def _next_count(self) -> int:
        """Returns how many steps to launch next; none at the end.

        The first process, which alone has scores, decides for all.
        """
        if self._reason:
            return 0
        until_event = self._plan.steps_to_next_event(self._launched)
        count = min(until_event, self._pace.steps_in_time(), self._feed.steps_per_dispatch)
        return max(0, count)  # A run may be continued with fewer steps than it has made.

    def _launch(self, count: int) -> _InFlight:
        """Launches `count` steps, and the copies of what is due after them."""
        start = time.perf_counter()
        plan, settings = self._plan, self._plan.settings
        loaded = self._feed.load(self._launched, count)
        result = self._steps(
            self._state, self._constant, loaded, self._steps_key, count, self._diverged
        )
        self._state, self._diverged = result.state, result.diverged
        self._launched += count
        scored = plan.is_due(self._launched, plan.score_every)
        saved = scored or plan.is_due(self._launched, settings.checkpoint_every)
        pictured = plan.is_due(self._launched, settings.sample_every)
        return _InFlight(
            start,
            self._watcher.submit(_end_of, result.done),
            result._replace(state=None),
            self._draw_samples() if pictured and self._writer else None,
            parallel.copy_of_one_device(self._state) if saved and self._writer else None,
            scored,
        )

    def _settle(self, dispatch: _InFlight) -> str | None:
        """Waits for a dispatch and writes what is due; returns what diverged, if anything did."""
        result = dispatch.result
        done, diverged, sums = jax.device_get((result.done, result.diverged, result.sums))
        self.step += int(done)
        launched_at, ended_at = dispatch.launched_at, dispatch.ended_at.result()
        timed = self._pace.measured(int(done), ended_at - max(launched_at, self._ended_at))
        self._ended_at = ended_at
        means = {name: float(value) / int(done) for name, value in sums.items()}
        if diverged:
            return self._diverged_message(means)
        self._window.add(sums, int(done), (launched_at, ended_at), timed)
        if self._progress and timed:
            losses = {name: means[name] for name in sorted(LOSS_METRICS & means.keys())}
            self._progress.advance(int(done), **losses)
        elif self._progress:
            self._progress.advance_untimed(int(done))
        if self._writer:
            self._log.begin_events()
            self._write_what_is_due(dispatch)
        return None

    def _diverged_message(self, means: dict[str, float]) -> str:
        """Returns what went wrong in the last dispatch."""
        figures = ", ".join(f"{name}={value:.4g}" for name, value in means.items())
        limit = self._plan.settings.divergence_limit
        if all(abs(means[name]) <= limit for name in LOSS_METRICS & means.keys()):
            return f"a parameter is no longer finite at step {self.step} ({figures})"
        return f"the loss diverged at step {self.step} ({figures})"

    def _write_what_is_due(self, dispatch: _InFlight) -> None:
        """Writes row, grid and checkpoint where it is their time."""
        plan, figures = self._plan, {}
        if dispatch.ends_with_score and self._score:
            figures = self._score(self._draw)
        spent = {}
        if dispatch.copy is not None and plan.accountant:
            spent = plan.accountant.spent(self.step)
        if plan.is_due(self.step, plan.settings.log_every) or figures or spent:
            row = self._window.row(plan.images_per_step)
            epoch = self.step * plan.images_per_step / plan.num_images
            self._log.row(self.step, epoch=epoch, **row, **figures, **spent)
        if figures:
            self._look_for_the_end()
        self._write_untrained()
        written = None
        if dispatch.samples is not None:
            written = self._write_samples(self.step, dispatch.samples)
        if dispatch.copy is not None:
            self._checkpoints.save(self.step, dispatch.copy, self._metadata(figures), written)

    def _write_untrained(self) -> None:
        """Has the grid of step 0 written, once."""
        untrained, self._untrained = self._untrained, None
        if untrained is not None:
            self._write_samples(0, self._draw_samples(untrained))

    def _metadata(self, figures: dict[str, Any]) -> dict[str, Any]:
        """Returns what is written beside a checkpoint of this step."""
        accountant = self._plan.accountant
        privacy = {"privacy": accountant.spent(self.step)} if accountant else {}
        return {**self._plan.metadata, **figures, **privacy}

    def _draw(
        self, labels: Int[np.ndarray, " images"]
    ) -> UInt8[np.ndarray, "images height width channels"]:
        """Returns an image of the present generator for each label."""
        ema = parallel.copy_of_one_device(self._state.ema)
        return pictures.draw_labelled(ema, self._key(_SCORE), labels, self._spec)

    def _draw_samples(
        self, ema: MovingAverage | None = None
    ) -> UInt8[Array, "images height width channels"]:
        """Returns the images of the grid, of the state that was launched last or of another."""
        if ema is None:
            ema = parallel.copy_of_one_device(self._state.ema)
        labelled = bool(self._spec.num_generators or self._spec.generator.num_classes)
        return pictures.draw_samples(ema, self._key(_GRID), self._spec, labelled=labelled)

    def _write_samples(self, step: int, samples: Array) -> concurrent.futures.Future:
        """Has the grid of a step written."""
        path = self._folder.sample_picture(step)
        return self._log.picture(step, "samples", lambda: pictures.write_samples(path, samples))

    def _stop(self, signal_number: int) -> None:
        """Saves, says how to go on, and ends the run."""
        if self._writer:
            copy = parallel.copy_of_one_device(self._state)
            self._checkpoints.save(self.step, copy, self._metadata({}))
        self._checkpoints.wait()
        raise Interrupted(
            signal_number,
            f"stopped and saved at step {self.step} of {self._plan.total_steps}: run the same "
            f"command again to go on",
        )

    def _roll_back(self, problem: str) -> None:
        """Goes back to the last good checkpoint with a new key, or ends the run.

        Raises:
          TrainingDiverged: the config says to stop, or it was tried often enough.
        """
        settings = self._plan.settings
        self._checkpoints.wait()
        processes.agree(0, 0)  # Nobody reads before the first process has written.
        steps = self._checkpoints.steps()
        last = f"step {steps[-1]} in {self._checkpoints.path(steps[-1])}" if steps else "none"
        problem = f"{problem}; the last good checkpoint: {last}"
        if settings.on_divergence == "stop":
            raise TrainingDiverged(
                f"{problem}: lower config.train.learning_rate, or go back to that checkpoint "
                "with config.train.on_divergence='rollback'"
            )
        if self._num_rollbacks >= settings.max_rollbacks:
            raise TrainingDiverged(f"{problem}: gave up after {self._num_rollbacks} rollbacks")
        if self._writer:
            row = {"diverged_at": self.step, "back_to": steps[-1] if steps else 0}
            append_json_line(self._folder.rollbacks, row)
        self._num_rollbacks += 1
        self._restore()
        self._window = Window()
        self._note(f"{problem}: going back there with a new key")
        if self._writer:
            self._log.drop_after(self.step)
            self._progress.restart(self.step)


def _end_of(result: Array) -> float:
    """Waits for the devices and returns when they were done, on the clock of `time.perf_counter`.

    The host may be writing then and look at the result only later.
    """
    jax.block_until_ready(result)
    return time.perf_counter()
