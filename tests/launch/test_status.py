"""What a launcher says: its line by a clock that is made, and the ends of failed runs' logs."""

import contextlib
import io
import types

import pytest

from launch import status as status_module
from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.status import Status, failures


class Terminal(io.StringIO):
    """A terminal that keeps what it is given."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets."""
    made = types.SimpleNamespace(now=1000.0)
    made.monotonic = lambda: made.now
    monkeypatch.setattr(status_module, "time", made)
    return made


def states(waiting=0, running=0, done=0, failed=0):
    counts = {WAITING: waiting, RUNNING: running, DONE: done, FAILED: failed}
    return {f"{name}-{n}": name for name, count in counts.items() for n in range(count)}


def said(status, stream_type=io.StringIO, **counts):
    with contextlib.redirect_stdout(stream_type()) as stream:
        status.report(states(**counts))
    return stream.getvalue()


def test_runs_are_counted_by_their_states(clock):
    assert said(Status(), waiting=3, running=2, done=4, failed=1) == (
        "waiting 3, running 2, done 4, failed 1\n"
    )


def test_the_rest_takes_as_long_as_what_was_made_since_the_start(clock):
    status = Status()
    assert "left" not in said(status, waiting=5, running=1, done=4)
    clock.now += 120
    # Two in two minutes, and four are left; those that were done before took none of it.
    assert said(status, waiting=2, running=2, done=6) == (
        "waiting 2, running 2, done 6, failed 0, about 4 minutes left\n"
    )
    clock.now += 60
    # Three in three minutes, and two are left: one that failed was not made.
    assert said(status, running=2, done=7, failed=1).endswith(", about 2 minutes left\n")


def test_nothing_is_left_when_all_have_ended(clock):
    status = Status()
    said(status, waiting=2)
    clock.now += 60
    assert said(status, done=1, failed=1) == "waiting 0, running 0, done 1, failed 1\n"


def test_the_same_line_is_said_once(clock):
    status = Status()
    assert said(status, waiting=1)
    clock.now += 100
    assert said(status, waiting=1) == ""
    assert said(status, running=1)


def test_a_line_of_a_terminal_takes_the_place_of_the_one_before(clock):
    status = Status()
    for counts in ({"waiting": 2}, {"running": 2}, {"running": 1, "done": 1}):
        text = said(status, Terminal, **counts)
        assert text.startswith("\r\033[K") and "\n" not in text


def test_elsewhere_a_line_is_said_now_and_then(clock):
    status = Status()
    assert said(status, waiting=4)
    clock.now += 1
    assert said(status, waiting=3, running=1) == ""
    clock.now += 10
    assert said(status, waiting=2, running=2)


def test_a_failure_is_said_at_once(clock):
    status = Status()
    said(status, running=2)
    clock.now += 0.1
    assert said(status, running=1, failed=1) == "waiting 0, running 1, done 0, failed 1\n"


def test_failed_runs_are_named_with_the_ends_of_their_logs(tmp_path):
    root = Root(tmp_path)
    root.log("a").parent.mkdir()
    root.log("a").write_text("".join(f"line {number}\n" for number in range(20)))
    root.log("b").write_bytes(b"caf\xe9\n")
    root.log("c").write_text("all is well\n")
    found = failures(root, {"a": FAILED, "c": DONE, "b": FAILED, "d": FAILED, "e": WAITING})
    assert found.splitlines() == [
        f"a failed; {root.log('a')} ends with:",
        *(f"    line {number}" for number in range(12, 20)),
        f"b failed; {root.log('b')} ends with:",
        "    caf\ufffd",
        f"d failed; {root.log('d')} ends with:",
    ]


def test_where_none_failed_nothing_is_said(tmp_path):
    assert failures(Root(tmp_path), {"a": DONE, "b": RUNNING}) == ""
