"""A grid widens until its best value is inside, or as often as it may."""

import pytest

from gaug_jax.downstream.tuning import Tuned, tune


def tuned(grid, worth, **options):
    """Returns what a grid came to, and the values of each call."""
    calls = []

    def fit(values):
        calls.append(values)
        return {value: f"fits of {value:g}" for value in values}

    found = tune(
        grid,
        fit,
        lambda fits: worth(float(fits.removeprefix("fits of "))),
        **({"factor": 2.0, "widenings": 9} | options),
    )
    return found, calls


def near(best):
    return lambda value: -abs(value - best)


def test_a_best_value_inside_ends_at_once():
    found, calls = tuned([1.0, 2.0, 4.0], near(2.0))
    assert found == Tuned(2.0, "fits of 2", False) and calls == [[1.0, 2.0, 4.0]]


def test_it_widens_upwards_until_a_worse_one_was_seen():
    found, calls = tuned([1.0, 2.0], near(8.0))
    assert found == Tuned(8.0, "fits of 8", False)
    assert calls == [[1.0, 2.0], [4.0], [8.0], [16.0]]


def test_it_widens_downwards_until_a_worse_one_was_seen():
    found, calls = tuned([1.0, 2.0], near(0.25))
    assert found == Tuned(0.25, "fits of 0.25", False)
    assert calls == [[1.0, 2.0], [0.5], [0.25], [0.125]]


@pytest.mark.parametrize(("widenings", "value"), [(0, 2.0), (1, 4.0), (2, 8.0)])
def test_at_the_limit_the_best_so_far_is_taken_and_it_is_said(widenings, value):
    found, calls = tuned([1.0, 2.0], near(1e9), widenings=widenings)
    assert found == Tuned(value, f"fits of {value:g}", True)
    assert len(calls) == 1 + widenings


def test_the_last_widening_may_be_what_shows_the_best_to_be_inside():
    found, calls = tuned([1.0, 2.0], near(4.0), widenings=2)
    assert found == Tuned(4.0, "fits of 4", False) and calls == [[1.0, 2.0], [4.0], [8.0]]


def test_a_single_value_looks_up_and_then_down():
    found, calls = tuned([1.0], near(1.0))
    assert found == Tuned(1.0, "fits of 1", False) and calls == [[1.0], [2.0], [0.5]]
    found, calls = tuned([1.0], near(0.25))
    assert found.value == 0.25 and calls == [[1.0], [2.0], [0.5], [0.25], [0.125]]


def test_a_single_value_that_may_not_widen_is_at_the_limit():
    assert tuned([3.0], near(3.0), widenings=0)[0] == Tuned(3.0, "fits of 3", True)
    assert tuned([3.0], near(3.0), widenings=1)[0].at_limit


def test_of_equals_the_smaller_is_taken_whatever_the_order():
    for grid in ([1.0, 2.0, 4.0, 8.0], [8.0, 4.0, 2.0, 1.0]):
        found, calls = tuned(grid, lambda value: min(value, 2.0) if value < 8.0 else 0.0)
        assert found.value == 2.0 and calls == [[1.0, 2.0, 4.0, 8.0]]
    # Nothing is ever better: the grid goes down.
    found, calls = tuned([1.0, 2.0], lambda value: 0.0, widenings=2)
    assert found == Tuned(0.25, "fits of 0.25", True)


def test_a_value_is_fitted_once():
    _, calls = tuned([2.0, 1.0, 2.0], near(16.0))
    assert calls[0] == [1.0, 2.0]
    values = [value for call in calls for value in call]
    assert len(values) == len(set(values))


def test_worth_may_be_several_figures_in_their_order():
    found, _ = tuned([1.0, 2.0, 4.0], lambda value: (value > 1.5, -value), widenings=0)
    assert found == Tuned(2.0, "fits of 2", False)


def test_the_factor_is_what_lies_between_values():
    _, calls = tuned([1.0, 3.0], near(1e9), factor=3.0, widenings=2)
    assert calls == [[1.0, 3.0], [9.0], [27.0]]
