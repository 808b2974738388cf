"""Rows of figures, to `metrics.jsonl` and to TensorBoard."""

import concurrent.futures
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import UInt8

from gaug_jax.workfolder import (
    WorkFolder,
    append_json_line,
    read_json_lines,
    write_json_lines,
)


class MetricsLog:
    """Writes figures and pictures of a run.

    TensorBoard's events go through clu on a thread of their own: it imports
    TensorFlow, which takes seconds that the training need not wait for.

    Args:
      folder: the run's work folder.
      step: rows after this step are of a run that lost them; they are dropped.
    """

    def __init__(self, folder: WorkFolder, step: int) -> None:
        self._folder = folder
        self._events: Any = None
        self._writer = concurrent.futures.ThreadPoolExecutor(1)
        self._pending: list[concurrent.futures.Future] = []
        self.drop_after(step)

    def drop_after(self, step: int) -> None:
        """Removes the rows of later steps."""
        rows = read_json_lines(self._folder.metrics)
        write_json_lines(self._folder.metrics, [row for row in rows if row["step"] <= step])

    def row(self, step: int, **figures: float | None) -> None:
        """Appends a row and sends its figures to TensorBoard."""
        append_json_line(self._folder.metrics, {"step": step, **figures})
        known = {name: value for name, value in figures.items() if value is not None}
        self._submit(lambda: self._call("write_scalars", step, known))

    def picture(
        self, step: int, name: str, write: Callable[[], UInt8[np.ndarray, "height width channels"]]
    ) -> concurrent.futures.Future:
        """Has a picture written and sends it to TensorBoard, on the log's own thread.

        Args:
          step: that it shows.
          name: TensorBoard's name of it.
          write: writes its file and returns the picture.

        Returns:
          What to wait for until it is written.
        """
        return self._submit(lambda: self._call("write_images", step, {name: write()[None]}))

    def text(self, step: int, name: str, text: str) -> None:
        """Sends a text to TensorBoard."""
        self._submit(lambda: self._call("write_texts", step, {name: text}))

    def close(self) -> None:
        """Waits until everything is written; raises what went wrong."""
        self._submit(lambda: self._call("close"))
        self._writer.shutdown()
        for future in self._pending:
            future.result()

    def _submit(self, work: Callable[[], None]) -> concurrent.futures.Future:
        """Queues work for the thread; raises what earlier work raised."""
        finished = [future for future in self._pending if future.done()]
        self._pending = [future for future in self._pending if not future.done()]
        for future in finished:
            future.result()
        self._pending.append(self._writer.submit(work))
        return self._pending[-1]

    def _call(self, method: str, *arguments: Any) -> None:
        """Calls clu's writer, made at the first call."""
        if self._events is None:
            from clu.metric_writers import SummaryWriter

            self._events = SummaryWriter(str(self._folder.tensorboard))
        getattr(self._events, method)(*arguments)
