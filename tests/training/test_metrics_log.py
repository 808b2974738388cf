"""The log of a run: rows at once, events when they may begin, and errors that are not lost."""

import concurrent.futures
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from gaug_jax.files import read_json_lines
from gaug_jax.picture_files import read_picture
from gaug_jax.training.metrics_log import MetricsLog
from gaug_jax.workfolder import WorkFolder

SECONDS = 20.0
PICTURE = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


@pytest.fixture
def folder(tmp_path):
    return WorkFolder(tmp_path)


@pytest.fixture
def log(folder):
    """A log, whose threads end with the test."""
    made = MetricsLog(folder, 0)
    yield made
    made.begin_events()


class Events:
    """What stands in for clu, whose import takes seconds: it keeps what it is told."""

    def __init__(self):
        self.writers, self.calls = [], []

    def SummaryWriter(self, path):  # noqa: N802
        self.writers.append(path)
        told = lambda name: lambda step, values: self.calls.append((name, step, values))  # noqa: E731
        names = ("write_scalars", "write_images", "write_texts")
        return SimpleNamespace(
            close=lambda: self.calls.append("closed"), **{name: told(name) for name in names}
        )


@pytest.fixture
def events(monkeypatch):
    made = Events()
    monkeypatch.setitem(sys.modules, "clu.metric_writers", made)
    return made


def test_rows_of_later_steps_are_dropped_at_the_start(folder, events):
    text = '{"step": 4, "d_loss": 1.5}\n{"step": 8}\n{"step": 12}\n{"step": 1'
    folder.metrics.write_text(text)
    log = MetricsLog(folder, 8)
    assert folder.metrics.read_text() == '{"step": 4, "d_loss": 1.5}\n{"step": 8}\n'
    log.drop_after(4)
    log.row(6, d_loss=0.5)
    assert [row["step"] for row in read_json_lines(folder.metrics)] == [4, 6]
    log.close()


def test_a_run_at_its_beginning_has_no_rows(folder, events):
    folder.metrics.write_text('{"step": 4}\n')
    MetricsLog(folder, 0).close()
    assert folder.metrics.read_text() == ""
    assert events.writers == []


def test_a_row_is_on_the_disk_before_events_begin(log, folder, events):
    for step in (1, 2):
        log.row(step, d_loss=0.25 * step, kid_mean=None)
        assert read_json_lines(folder.metrics)[-1] == {
            "step": step, "d_loss": 0.25 * step, "kid_mean": None,
        }  # fmt: skip
    assert events.writers == [] and events.calls == []
    log.close()
    # What was not measured is no event.
    assert events.calls[:2] == [
        ("write_scalars", 1, {"d_loss": 0.25}), ("write_scalars", 2, {"d_loss": 0.5}),
    ]  # fmt: skip


def test_events_are_written_in_their_order_once_they_may(log, folder, events):
    log.text(0, "config", "all of it")
    log.row(1, d_loss=0.5)
    log.begin_events()
    log.picture(1, "samples", lambda: PICTURE)
    log.row(2, d_loss=0.25)
    log.close()
    names = [call if call == "closed" else call[:2] for call in events.calls]
    assert names == [
        ("write_texts", 0), ("write_scalars", 1), ("write_images", 1), ("write_scalars", 2),
        "closed",
    ]  # fmt: skip
    assert events.calls[0][2] == {"config": "all of it"}
    # A batch of one picture.
    np.testing.assert_array_equal(events.calls[2][2]["samples"], PICTURE[None])
    assert events.writers == [str(folder.tensorboard)]


def test_a_picture_is_there_although_events_have_not_begun(log, folder, events):
    path = folder.sample_picture(3)
    may_write = threading.Event()

    def write():
        assert may_write.wait(SECONDS)
        path.parent.mkdir()
        path.write_bytes(b"picture")
        return PICTURE

    log.row(3, d_loss=1.0)
    written = log.picture(3, "samples", write)
    assert not written.done() and not path.exists()
    may_write.set()
    assert written.result(SECONDS) is PICTURE
    assert path.read_bytes() == b"picture" and events.calls == []
    log.close()
    assert [call[0] for call in events.calls[:2]] == ["write_scalars", "write_images"]


class FullDisk:
    """Writes a picture when it is let go on, which goes wrong."""

    def __init__(self):
        self.goes_on = threading.Event()

    def __call__(self):
        assert self.goes_on.wait(SECONDS)
        raise OSError("no space left")

    def goes_wrong(self, picture):
        """Has the picture go wrong, and waits until it has."""
        self.goes_on.set()
        concurrent.futures.wait([picture], SECONDS)


@pytest.mark.parametrize("begun", [False, True])
def test_what_went_wrong_with_a_picture_is_raised_by_the_next_call(log, folder, events, begun):
    if begun:
        log.begin_events()
    disk = FullDisk()
    disk.goes_wrong(log.picture(1, "samples", disk))
    with pytest.raises(OSError, match="no space left"):
        log.row(2, d_loss=0.5)
    assert [row["step"] for row in read_json_lines(folder.metrics)] == [2]


def test_what_went_wrong_with_the_last_picture_is_raised_at_the_end(log, events):
    disk = FullDisk()
    log.row(1, d_loss=0.5)
    log.picture(1, "samples", disk)
    # It goes wrong when the log is being closed.
    begin_events = log.begin_events
    log.begin_events = lambda: (begin_events(), threading.Timer(0.05, disk.goes_on.set).start())
    with pytest.raises(OSError, match="no space left"):
        log.close()
    # What went well is not lost.
    assert [call if call == "closed" else call[0] for call in events.calls] == [
        "write_scalars", "closed",
    ]  # fmt: skip


def test_events_are_closed_after_a_picture_that_went_wrong_before(log, events):
    disk = FullDisk()
    log.row(1, d_loss=0.5)
    disk.goes_wrong(log.picture(1, "samples", disk))
    with pytest.raises(OSError, match="no space left"):
        log.close()
    log._writer.shutdown()
    assert events.calls[-1] == "closed"


def test_what_goes_wrong_with_events_is_raised(log, monkeypatch):
    def full(path):
        raise OSError("no space left")

    monkeypatch.setitem(sys.modules, "clu.metric_writers", SimpleNamespace(SummaryWriter=full))
    log.row(1, d_loss=0.5)
    with pytest.raises(OSError, match="no space left"):
        log.close()


def test_tensorboard_reads_every_event_and_none_is_written_before(log, folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    log.text(0, "config", "seed=0")
    for step in (4, 8):
        log.row(step, d_loss=1.0 / step, kid_mean=None if step == 4 else 0.5)
    log.picture(8, "samples", lambda: PICTURE).result(SECONDS)
    assert not folder.tensorboard.exists()
    log.begin_events()
    log.row(12, d_loss=0.0)
    log.close()
    events = EventAccumulator(str(folder.tensorboard))
    events.Reload()
    assert sorted(events.Tags()["tensors"]) == ["config", "d_loss", "kid_mean", "samples"]
    losses = [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors("d_loss")]
    assert losses == [(4, 0.25), (8, 0.125), (12, 0.0)]
    (kid,), (text,), (picture,) = (
        events.Tensors(name) for name in ("kid_mean", "config", "samples")
    )
    assert (kid.step, make_ndarray(kid.tensor_proto)) == (8, 0.5)
    assert (text.step, picture.step) == (0, 8)
    assert make_ndarray(text.tensor_proto).item() == b"seed=0"
    width, height, encoded = make_ndarray(picture.tensor_proto)
    assert (width, height) == (b"3", b"2")
    np.testing.assert_array_equal(read_picture(encoded, 3), PICTURE)
