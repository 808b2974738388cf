"""Progress of long work: a bar with rate and time left on a terminal, plain lines elsewhere.

The lines go to standard output: standard error is left to errors.
"""

import sys
import time

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Counts `total` pieces of work.

    Args:
      name: what is being done.
      total: pieces in all.
      initial: pieces done before, by an earlier run.
      unit: what a piece is called.
    """

    def __init__(self, name: str, total: int, initial: int = 0, unit: str = "step") -> None:
        self._name, self._terminal = name, sys.stderr.isatty()
        self._bar = tqdm(
            desc=name,
            total=total,
            initial=initial,
            unit=unit,
            dynamic_ncols=True,
            smoothing=0,
            file=sys.stderr if self._terminal else _Nowhere(),
        )
        self._last_line = time.monotonic()

    def advance(self, count: int, **figures: float) -> None:
        """Adds finished pieces; figures are shown beside the rate."""
        if figures:
            self._bar.set_postfix({name: f"{value:.3g}" for name, value in figures.items()})
        self._bar.update(count)
        now = time.monotonic()
        done = self._bar.n >= self._bar.total
        if not self._terminal and (done or now - self._last_line >= _SECONDS_BETWEEN_LINES):
            self._last_line = now
            print(str(self._bar), flush=True)

    def wait_for(self, what: str) -> None:
        """Says what comes before the first piece, which is then added by `advance_untimed`."""
        self._bar.set_description(f"{self._name} ({what})")
        if not self._terminal:
            print(f"{self._name}: {what}", flush=True)

    def advance_untimed(self, count: int) -> None:
        """Adds pieces that were slow for a reason of their own: the clock starts after them."""
        self._bar.n += count
        self._bar.initial = self._bar.n
        self._bar.start_t = self._bar.last_print_t = time.time()
        self._bar.set_description(self._name)

    def restart(self, done: int) -> None:
        """Goes back to fewer finished pieces."""
        self._bar.n = done
        self._bar.refresh()

    def note(self, line: str) -> None:
        """Prints a line without tearing the bar."""
        if self._terminal:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, flush=True)

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


class _Nowhere:
    """A file that takes everything and keeps nothing."""

    def write(self, text: str) -> int:
        """Takes the text."""
        return len(text)

    def flush(self) -> None:
        """Has nothing to flush."""
