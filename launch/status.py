"""What a launcher says while it waits, and at the end."""

import collections
import sys
import time

from launch.root import DONE, FAILED, RUNNING, WAITING, Root

_SECONDS_BETWEEN_LINES = 10.0
_LAST_LINES = 8


class Status:
    """Live status: a line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._done_at_start: int | None = None
        self._last = ""
        self._last_time = 0.0

    def report(self, states: dict[str, str], *, last: bool = False) -> None:
        """Says how many runs are in which state, and how long the rest may take.

        Args:
          states: of each run, by its name.
          last: say it whenever the last line was said.
        """
        line = self._line(states)
        terminal = sys.stdout.isatty()
        now = time.monotonic()
        due = now - self._last_time >= _SECONDS_BETWEEN_LINES
        if line == self._last or not (terminal or due or last or FAILED in states.values()):
            return
        print(f"\r\033[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)
        self._last, self._last_time = line, now

    def _line(self, states: dict[str, str]) -> str:
        """Returns the line."""
        counts = collections.Counter(states.values())
        if self._done_at_start is None:
            self._done_at_start = counts[DONE]
        words = [f"{name} {counts[name]}" for name in (WAITING, RUNNING, DONE, FAILED)]
        made = counts[DONE] - self._done_at_start
        left = counts[WAITING] + counts[RUNNING]
        if made and left:
            seconds = (time.monotonic() - self._start) / made * left
            words.append(f"about {seconds / 60:.0f} minutes left")
        return ", ".join(words)


def failures(root: Root, states: dict[str, str]) -> str:
    """Returns the failed runs with the last lines of their logs; nothing where none failed."""
    lines = []
    for name, state in states.items():
        if state != FAILED:
            continue
        log = root.log(name)
        last = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
        lines += [f"{name} failed; {log} ends with:", *(f"    {line}" for line in last)]
    return "\n".join(lines)
