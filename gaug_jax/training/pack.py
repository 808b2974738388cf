"""Runs that make their dispatches together, each on a thread of its own."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple


class _Call(NamedTuple):
    """A dispatch that waits for those of the others.

    Attributes:
      arguments: of it.
      results: where its result goes; an exception of the program is one.
    """

    arguments: tuple
    results: list[Any]


class Pack:
    """Gathers a call of every run, makes all of them as one, and hands out the results.

    Args:
      function: from the arguments of each run's call to the results.
      size: number of runs; each calls until it leaves.
    """

    def __init__(self, function: Callable[[list[tuple]], list[Any]], size: int) -> None:
        self._function = function
        self._present = size
        self._waiting: list[tuple[int, _Call]] = []
        self._changed = threading.Condition()

    def call(self, number: int, *arguments: Any) -> Any:
        """Returns the result of a run's call when all that are present have called.

        Args:
          number: of the run; calls are put in the order of these.
          *arguments: of its call.
        """
        call = _Call(arguments, [])
        with self._changed:
            self._waiting.append((number, call))
            self._make_if_all_wait()
            self._changed.wait_for(lambda: call.results)
        result = call.results[0]
        if isinstance(result, BaseException):
            raise result
        return result

    def leave(self) -> None:
        """Tells the others to wait no longer for one run."""
        with self._changed:
            self._present -= 1
            self._make_if_all_wait()

    def _make_if_all_wait(self) -> None:
        """Makes the calls where nobody is missing."""
        if not self._waiting or len(self._waiting) < self._present:
            return
        calls = [call for _, call in sorted(self._waiting, key=lambda waiting: waiting[0])]
        self._waiting = []
        try:
            results = self._function([call.arguments for call in calls])
        except Exception as error:
            results = [error] * len(calls)
        for call, result in zip(calls, results, strict=True):
            call.results.append(result)
        self._changed.notify_all()
