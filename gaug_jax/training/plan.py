"""What a run is to do, and the figures between two rows of its log."""

import dataclasses
from typing import Any

from gaug_jax.gan.accounting import PrivacyAccountant
from gaug_jax.settings import TrainSettings
from gaug_jax.training.secret import Secret

# The most steps of one dispatch, however fast they are.
MOST_STEPS = 64
# A dispatch lasts about this long, so that a signal is soon heard; on a CPU each one takes
# fresh memory for its intermediate results, which costs the full network some 70 milliseconds.
_SECONDS_PER_DISPATCH = 3.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run is to do.

    Attributes:
      seed: of everything that the run draws.
      total_steps: steps after which it is finished.
      num_images: images of the training part, the length of an epoch.
      images_per_step: real images that a step shows.
      score_every: steps between scores; 0 for none.
      settings: the config's section.
      description: the config as text, for the log.
      metadata: written into every checkpoint.
      accountant: of private training, or None.
      secret: what a private run draws from in place of its seed, or None.
      name: of the run, for its progress.
      ending: why `total_steps` are fewer than were asked for, or nothing.
    """

    seed: int
    total_steps: int
    num_images: int
    images_per_step: int
    score_every: int
    settings: TrainSettings
    description: str
    metadata: dict[str, Any]
    accountant: PrivacyAccountant | None = None
    secret: Secret | None = None
    name: str = "training"
    ending: str = ""

    def is_due(self, step: int, every: int) -> bool:
        """Whether something that happens every so many steps happens now (and at the end)."""
        return every > 0 and (step % every == 0 or step == self.total_steps)

    def steps_to_next_event(self, step: int) -> int:
        """Returns how many steps are left until something is to be written."""
        settings = self.settings
        intervals = (
            settings.log_every,
            settings.sample_every,
            settings.checkpoint_every,
            self.score_every,
        )
        events = [(step // every + 1) * every for every in intervals if every]
        return min([self.total_steps, *events]) - step


class Pace:
    """How long a step takes, so that dispatches can be cut to length."""

    def __init__(self) -> None:
        self._compiled = False
        self._seconds_per_step: float | None = None

    def steps_in_time(self) -> int:
        """Returns how many steps fit a dispatch; one until the pace is known."""
        if self._seconds_per_step is None:
            return 1
        return max(1, int(_SECONDS_PER_DISPATCH / self._seconds_per_step))

    def measured(self, steps: int, seconds: float) -> bool:
        """Takes a dispatch into account; returns False for the first, which compiled."""
        if self._compiled:
            self._seconds_per_step = seconds / steps
            return True
        self._compiled = True
        return False


class Window:
    """The metrics since the last row, and the time.

    Dispatches are looked at some time after they ended, so that the clock is that of their ends.
    """

    def __init__(self) -> None:
        self._clear()
        self._start: float | None = None

    def _clear(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = self._timed_steps = 0

    def add(self, sums: dict[str, Any], steps: int, span: tuple[float, float], timed: bool) -> None:
        """Adds a dispatch; the clock starts after an untimed one.

        Args:
          sums: its metrics, summed over its steps.
          steps: how many it made.
          span: when it was launched and when it ended, in seconds.
          timed: whether its time counts; that of one that compiled does not.
        """
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        self._steps += steps
        launched, self._end = span
        self._timed_steps = self._timed_steps + steps if timed else 0
        if not timed:
            self._start = self._end
        elif self._start is None:
            self._start = launched

    def row(self, images_per_step: int) -> dict[str, float | None]:
        """Returns the means and the rate, and starts anew; no rate from compiling alone."""
        row: dict[str, float | None] = {
            name: value / self._steps for name, value in self._sums.items()
        }
        images = self._timed_steps * images_per_step
        row["images_per_second"] = images / (self._end - self._start) if images else None
        self._start = self._end
        self._clear()
        return row
