"""How generated images are shared out among classes so that these become alike in number."""

import numpy as np
from jaxtyping import Int


def levelling(total: int, present: Int[np.ndarray, " classes"]) -> Int[np.ndarray, " classes"]:
    """Returns how many images each class gets so that all come as near to equal as they can.

    As water fills vessels: the rarest class is filled up to the next rarest, both to the one
    after them, and so on. What does not fill a whole level goes to the first of those that
    were filled. No other sharing has a smaller sum of squares of the classes' sizes, and more
    images to share never take one from a class.

    Args:
      total: images to share out, 0 or more.
      present: images that each class has.

    Example:
      >>> levelling(5, np.array([7, 2, 1])).tolist()
      [0, 2, 3]
      >>> levelling(12, np.array([7, 2, 1])).tolist()
      [1, 5, 6]
    """
    ordered = np.sort(present)
    # To lift the rarest classes to the level of each class takes so many images.
    needed = ordered * np.arange(len(ordered)) - (np.cumsum(ordered) - ordered)
    filled = int(np.searchsorted(needed, total, side="right"))
    level, left = divmod(int(ordered[:filled].sum()) + total, filled)
    given = np.maximum(level - present, 0)
    given[np.flatnonzero(present <= level)[:left]] += 1
    return given
