"""SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 as a request to save and stop.

The last two are what SLURM is commonly asked to warn with before a job's time is up.
"""

import contextlib
import os
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_WHEN_IMPATIENT = b"stopping and saving: press Ctrl-C again to give up what is not saved yet\n"


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
    """Notes these signals inside the block; a SIGINT after another signal says how to give up.

    Schedulers send several of the others, to a process and to who started it. To give up ends the
    process as SIGKILL would: an interpreter that shuts down would take its threads from a
    checkpoint that is being written.
    """
    request = StopRequest()

    def note(number: int, frame: object) -> None:
        if request.signal_number and number == signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
            # A file object may be in use where the signal came.
            os.write(2, _WHEN_IMPATIENT)
        request.signal_number = request.signal_number or number

    before = {number: signal.getsignal(number) for number in SIGNALS}

    for number in before:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
