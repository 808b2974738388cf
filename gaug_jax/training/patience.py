"""When training ends by itself: its score has not improved for so many evaluations."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple


class Standing(NamedTuple):
    """How the scores of a run stand.

    Attributes:
      best_step: where the best one was, the first among equals; None where there is none.
      waited: scores since then.
    """

    best_step: int | None
    waited: int


def standing(scores: Iterable[tuple[int, float | None]]) -> Standing:
    """Returns how scores stand, of which lower is better.

    Args:
      scores: step and score, in the order of the steps; a score that could not be computed
        (None, or not finite) says nothing and is passed over.
    """
    best_step, best, waited = None, math.inf, 0
    for step, score in scores:
        if score is None or not math.isfinite(score):
            continue
        if score < best:
            best_step, best, waited = step, score, 0
        else:
            waited += 1
    return Standing(best_step, waited)


def reason_to_stop(rows: Iterable[dict[str, Any]], step: int, patience: int) -> str | None:
    """Returns why a run that has come to a step ends there, or None where it goes on.

    Args:
      rows: of `metrics.jsonl`; those of later steps are of a run that lost them.
      step: where the run is.
      patience: evaluations without a better score, after which it ends; 0 for any number.
    """
    found = standing((row["step"], row.get("kid_mean")) for row in rows if row["step"] <= step)
    if not patience or found.waited < patience:
        return None
    return (
        f"kid_mean has not improved for {found.waited} evaluations, the best was at step "
        f"{found.best_step}"
    )
