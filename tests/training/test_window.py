"""The figures between two rows of the log, and their clock."""

import pytest

from gaug_jax.training.plan import Window


def test_the_rate_is_of_the_time_between_ends_of_dispatches():
    window = Window()
    window.add({"d_loss": 2.0}, 1, (0.0, 50.0), timed=False)  # It compiled.
    assert window.row(8)["images_per_second"] is None
    window.add({"d_loss": 4.0}, 4, (40.0, 52.0), timed=True)
    window.add({"d_loss": 8.0}, 4, (51.0, 54.0), timed=True)
    row = window.row(8)
    assert row["d_loss"] == pytest.approx(12 / 8)
    assert row["images_per_second"] == pytest.approx(8 * 8 / 4.0)
    # Looked at at once after the one before it, since the host was late: the time is its own.
    window.add({"d_loss": 1.0}, 2, (53.0, 55.0), timed=True)
    assert window.row(8)["images_per_second"] == pytest.approx(2 * 8 / 1.0)


def test_after_an_untimed_dispatch_the_clock_and_the_count_begin_anew():
    window = Window()
    window.add({}, 5, (0.0, 10.0), timed=True)
    window.add({}, 1, (10.0, 70.0), timed=False)
    window.add({}, 3, (70.0, 76.0), timed=True)
    assert window.row(10)["images_per_second"] == pytest.approx(3 * 10 / 6.0)


def test_a_new_window_without_a_dispatch_that_compiled_begins_with_the_launch():
    window = Window()
    window.add({}, 2, (3.0, 5.0), timed=True)
    assert window.row(1)["images_per_second"] == pytest.approx(1.0)
