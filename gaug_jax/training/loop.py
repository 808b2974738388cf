"""The host's side of a run: dispatches, and what happens between them."""

import contextlib
import time
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jaxtyping import Array, Int, UInt8

from gaug_jax import images
from gaug_jax.progress import Progress
from gaug_jax.training import parallel, pictures
from gaug_jax.training.checkpoints import Checkpoints, all_finite, host_copy
from gaug_jax.training.interrupts import Interrupted, StopRequest, stop_on_signal
from gaug_jax.training.metrics_log import MetricsLog
from gaug_jax.training.plan import Pace, Plan, Window
from gaug_jax.training.spec import Spec
from gaug_jax.training.state import GANState, new_state, parameter_overview, step_of
from gaug_jax.workfolder import WorkFolder, append_json_line, read_json_lines, write_json

# Folded into the seed: each use of randomness has its own key.
_INIT, _STEPS, _GRID, _SCORE = range(4)

Draw = Callable[[Int[np.ndarray, " images"]], UInt8[np.ndarray, "images height width channels"]]
Score = Callable[[Draw], float]


class TrainingDiverged(Exception):
    """A loss or a parameter stopped being finite, or a loss passed the limit."""

    exit_status = 1


class Run:
    """A run at some step: its state on the devices and its files.

    Args:
      folder: the work folder; only the first process writes there.
      spec: what the step is compiled for.
      feed: where batches come from.
      plan: what is to be done.
      score: given a function that draws an image for each label, a figure of the
        generator (lower is better) by which the best checkpoints are kept; or None.
    """

    def __init__(
        self,
        folder: WorkFolder,
        spec: Spec,
        feed: parallel.Feed,
        plan: Plan,
        score: Score | None = None,
    ) -> None:
        self._folder, self._spec, self._feed, self._plan = folder, spec, feed, plan
        self._score = score
        self._base_key = jax.random.key(plan.seed)
        self._writer = parallel.is_writer()
        self._checkpoints = Checkpoints(
            folder.checkpoints, plan.settings.keep_last, plan.settings.keep_best
        )
        self._constant = parallel.replicate(feed.constant)
        self._steps = parallel.make_run_steps(spec, feed, plan.settings.divergence_limit)
        self._num_rollbacks = len(read_json_lines(folder.rollbacks))
        self._pace, self._window = Pace(), Window()
        self._note = print
        self._restore()

    def _key(self, purpose: int) -> Array:
        """Returns the key of one use of randomness; the steps' changes with every rollback."""
        key = jax.random.fold_in(self._base_key, purpose)
        if purpose == _STEPS and self._num_rollbacks:
            key = jax.random.fold_in(key, self._num_rollbacks)
        return key

    def _restore(self) -> None:
        """Takes up the latest whole checkpoint, or a new state."""
        template = jax.eval_shape(lambda key: new_state(key, self._spec), self._key(_INIT))
        found = self._checkpoints.read_latest(template)
        if found is None:
            state = jax.jit(new_state, static_argnames="spec")(self._key(_INIT), spec=self._spec)
        else:
            state, metadata, damaged = found
            self._report_damage(damaged, metadata["step"])
        self._state = parallel.replicate(state)
        self.step = step_of(state)

    def _report_damage(self, damaged: list[int], step: int) -> None:
        """Says which checkpoints were damaged and how many steps that costs."""
        if damaged and self._writer:
            self._checkpoints.set_aside(damaged)
            names = ", ".join(str(step) for step in damaged)
            self._note(
                f"the checkpoint of step {names} is damaged and was set aside: going on from "
                f"step {step}, {damaged[0] - step} steps are lost"
            )

    def train(self) -> GANState:
        """Goes on to the last step and returns the state.

        Raises:
          Interrupted: a signal asked to stop; the state is saved.
          TrainingDiverged: and the config does not say to roll back, or no longer.
          UserError: a file could not be written.
        """
        if self.step >= self._plan.total_steps and self._folder.training_finished.exists():
            self._note(f"training is finished at step {self.step}: nothing to do")
            return self._state
        if self._writer:
            for made_at_the_end in (self._folder.training_finished, self._folder.training_curves):
                made_at_the_end.unlink(missing_ok=True)
        with self._log_and_progress(), stop_on_signal() as request:
            self._until_the_end(request)
            self._checkpoints.wait()
        if self._writer:
            pictures.write_progress_picture(self._folder)
            write_json(self._folder.training_finished, {"step": self.step})
            self._note(f"trained to step {self.step}: see {self._folder.samples}")
        return self._state

    @contextlib.contextmanager
    def _log_and_progress(self) -> Iterator[None]:
        """Holds the log and the progress bar of the first process."""
        self._log = self._progress = None
        if not self._writer:
            yield
            return
        self._log = MetricsLog(self._folder, self.step)
        self._progress = Progress("training", self._plan.total_steps, self.step)
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
        if self.step == 0:
            self._write_grid()
        while self.step < self._plan.total_steps:
            until_event = self._plan.steps_to_next_event(self.step)
            count = min(until_event, self._pace.steps_in_time(), self._feed.steps_per_dispatch)
            count, signal_number = parallel.agree(count, request.signal_number)
            if signal_number:
                self._stop(signal_number)
            problem = self._dispatch(count) or self._write_what_is_due()
            if problem:
                self._roll_back(problem)

    def _dispatch(self, count: int) -> str | None:
        """Makes `count` steps; returns what diverged, if anything did."""
        start = time.perf_counter()
        loaded = self._feed.load(self.step, count)
        result = self._steps(self._state, self._constant, loaded, self._key(_STEPS), count)
        self._state = result.state
        done, diverged, sums = jax.device_get((result.done, result.diverged, result.sums))
        self.step += int(done)
        timed = self._pace.measured(int(done), time.perf_counter() - start)
        means = {name: float(value) / int(done) for name, value in sums.items()}
        if diverged:
            figures = ", ".join(f"{name}={value:.4g}" for name, value in means.items())
            return f"the loss diverged at step {self.step} ({figures})"
        self._window.add(sums, int(done), timed)
        if self._progress:
            self._progress.advance(int(done), d_loss=means["d_loss"], g_loss=means["g_loss"])
            if not timed:
                self._progress.start_clock()
        return None

    def _write_what_is_due(self) -> str | None:
        """Writes row, grid and checkpoint where it is their time; returns what diverged."""
        plan, settings = self._plan, self._plan.settings
        figures = {}
        if plan.is_due(self.step, plan.score_every) and self._writer:
            figures["score"] = self._score(self._draw)
        if self._writer and (plan.is_due(self.step, settings.log_every) or figures):
            row = self._window.row(plan.images_per_step)
            epoch = self.step * plan.images_per_step / plan.num_images
            self._log.row(self.step, epoch=epoch, **row, **figures)
        if plan.is_due(self.step, settings.sample_every):
            self._write_grid()
        if plan.is_due(self.step, settings.checkpoint_every) or plan.is_due(
            self.step, plan.score_every
        ):
            return self._save(figures)
        return None

    def _draw(
        self, labels: Int[np.ndarray, " images"]
    ) -> UInt8[np.ndarray, "images height width channels"]:
        """Returns an image of the present generator for each label."""
        ema = pictures.on_one_device(self._state.ema)
        return pictures.draw(ema, self._key(_SCORE), labels, self._spec)

    def _write_grid(self) -> None:
        """Writes the picture of samples."""
        if not self._writer:
            return
        ema = pictures.on_one_device(self._state.ema)
        labelled = bool(self._spec.num_generators or self._spec.generator.num_classes)
        grid = pictures.sample_grid(ema, self._key(_GRID), self._spec, labelled=labelled)
        images.write_picture(self._folder.sample_picture(self.step), grid)
        self._log.picture(self.step, "samples", grid)

    def _save(self, figures: dict[str, float] | None = None) -> str | None:
        """Begins to save the state; returns what diverged, in which case it does not."""
        state = host_copy(self._state)
        if not all_finite(state):
            return f"a parameter is no longer finite at step {self.step}"
        if self._writer:
            self._checkpoints.save(self.step, state, {**self._plan.metadata, **(figures or {})})
        return None

    def _stop(self, signal_number: int) -> None:
        """Saves, says how to go on, and ends the run."""
        self._save()
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
        parallel.agree(0, 0)  # Nobody reads before the first process has written.
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
