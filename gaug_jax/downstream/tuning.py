"""A grid that does not end at its edge: it widens until the best value is inside."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Fits = TypeVar("Fits")


class Tuned(NamedTuple):
    """What a grid came to.

    Attributes:
      value: the best one.
      fits: of it.
      at_limit: whether it is still at the grid's edge, since the grid may not widen further.
    """

    value: float
    fits: Any
    at_limit: bool


def tune(
    grid: Sequence[float],
    fit: Callable[[list[float]], dict[float, Fits]],
    worth: Callable[[Fits], Any],
    *,
    factor: float,
    widenings: int,
) -> Tuned:
    """Returns the best value of a grid, which widens by a factor beyond the edge that is best.

    Args:
      grid: values above 0 to begin with.
      fit: returns what came out for each of some values.
      worth: what is to be largest, on the validation part; of equals the smaller value is taken.
      factor: between a value and the next, above 1.
      widenings: how often the grid may widen.

    Example:
      >>> squared = lambda values: {value: -(value - 30) ** 2 for value in values}
      >>> tune([1.0, 3.0], squared, lambda fits: fits, factor=3.0, widenings=4)
      Tuned(value=27.0, fits=-9.0, at_limit=False)
    """
    found = fit(sorted(set(grid)))
    for widened in range(widenings + 1):
        best = max(sorted(found), key=lambda value: worth(found[value]))
        beyond = _beyond(best, found, factor)
        if beyond is None or widened == widenings:
            break
        found |= fit([beyond])
    return Tuned(best, found[best], beyond is not None)


def _beyond(best: float, found: dict[float, Any], factor: float) -> float | None:
    """Returns the next value beyond the edge that is best; None where the best is inside."""
    if best == max(found):
        return best * factor
    if best == min(found):
        return best / factor
    return None
