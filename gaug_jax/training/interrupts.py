"""SIGINT and SIGTERM as a request to save and stop."""

import contextlib
import signal
from collections.abc import Iterator


class Interrupted(Exception):
    """A run that was asked to stop and has saved.

    Attributes:
      exit_status: 128 and the number of the signal that asked, as a shell reports it.
    """

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.exit_status = 128 + signal_number


class StopRequest:
    """The signal that asked this process to stop, or 0."""

    def __init__(self) -> None:
        self.signal_number = 0


@contextlib.contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Notes SIGINT and SIGTERM inside the block; a second one takes its usual course."""
    request = StopRequest()

    def note(number: int, frame: object) -> None:
        request.signal_number = number
        restore()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield request
    finally:
        restore()
