"""Rows of figures, to `metrics.jsonl` and to TensorBoard."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import UInt8

from gaug_jax.files import append_json_line, read_json_lines, write_json_lines
from gaug_jax.source_readers import ONE_AT_A_TIME
from gaug_jax.workfolder import WorkFolder


class MetricsLog:
    """Writes figures and pictures of a run.

    Files are written at once. TensorBoard's events go through clu on a thread of their own, which
    waits for `begin_events`: clu imports TensorFlow, and that takes seconds in which the first
    step would be compiled more slowly.

    Args:
      folder: the run's work folder.
      step: rows after this step are of a run that lost them; they are dropped.
    """

    def __init__(self, folder: WorkFolder, step: int) -> None:
        self._folder = folder
        self._events: Any = None
        self._begun = threading.Event()
        self._pictures = concurrent.futures.ThreadPoolExecutor(1)
        self._writer = concurrent.futures.ThreadPoolExecutor(1)
        self._pending: list[concurrent.futures.Future] = []
        self.drop_after(step)

    def drop_after(self, step: int) -> None:
        """Removes the rows of later steps."""
        rows = read_json_lines(self._folder.metrics)
        write_json_lines(self._folder.metrics, [row for row in rows if row["step"] <= step])

    def begin_events(self) -> None:
        """Has the events written from now on, those before too."""
        self._begun.set()

    def row(self, step: int, **figures: float | None) -> None:
        """Appends a row and sends its figures to TensorBoard."""
        append_json_line(self._folder.metrics, {"step": step, **figures})
        known = {name: value for name, value in figures.items() if value is not None}
        self._send("write_scalars", step, lambda: known)

    def picture(
        self, step: int, name: str, write: Callable[[], UInt8[np.ndarray, "height width channels"]]
    ) -> concurrent.futures.Future:
        """Has a picture written and sends it to TensorBoard.

        Args:
          step: that it shows.
          name: TensorBoard's name of it.
          write: writes its file and returns the picture.

        Returns:
          What to wait for until its file is written.
        """
        written = self._submit(self._pictures, write)
        self._send("write_images", step, lambda: {name: written.result()[None]})
        return written

    def text(self, step: int, name: str, text: str) -> None:
        """Sends a text to TensorBoard."""
        self._send("write_texts", step, lambda: {name: text})

    def close(self) -> None:
        """Waits until everything is written; raises what went wrong."""
        self.begin_events()
        self._pending.append(self._writer.submit(lambda: self._events and self._events.close()))
        for executor in (self._pictures, self._writer):
            executor.shutdown()
        for future in self._pending:
            future.result()

    def _send(self, method: str, step: int, values: Callable[[], dict[str, Any]]) -> None:
        """Has clu's writer called, with values that are known by then."""
        self._submit(self._writer, lambda: self._call(method, step, values()))

    def _submit(
        self, executor: concurrent.futures.Executor, work: Callable[[], Any]
    ) -> concurrent.futures.Future:
        """Queues work; raises what earlier work raised."""
        finished = [future for future in self._pending if future.done()]
        self._pending = [future for future in self._pending if not future.done()]
        for future in finished:
            future.result()
        self._pending.append(executor.submit(work))
        return self._pending[-1]

    def _call(self, method: str, step: int, values: dict[str, Any]) -> None:
        """Calls clu's writer, made at the first call."""
        self._begun.wait()
        if self._events is None:
            with ONE_AT_A_TIME:
                from clu.metric_writers import SummaryWriter

                self._events = SummaryWriter(str(self._folder.tensorboard))
        getattr(self._events, method)(step, values)
