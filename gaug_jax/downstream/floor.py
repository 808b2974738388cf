"""Whether a study can answer: its best classifier must beat chance and the simplest model."""

from typing import Any

from gaug_jax.downstream.arms import FLOOR
from gaug_jax.settings import ClassifySettings

# What scores reach that know nothing; other endpoints are compared with the commonest class.
_CHANCE = {"auroc": 0.5, "auroc_mean_over_splits": 0.5, "sensitivity_at_90_specificity": 0.1}


def why_no_answer(size: dict[str, Any], study: ClassifySettings) -> str | None:
    """Returns why a study cannot answer its question, as a sentence; None where it can.

    The best arm without a GAN (on validation) must reach the endpoint of `pixels` on the
    validation parts, and its interval on the test parts must lie above chance: above what scores
    reach that know nothing or, for other endpoints, above what `majority` reaches.

    Args:
      size: of the summary, the endpoint's training size.
      study: the settings.
    """
    best = size["best_without_gan"]
    if best is None or any(name not in size["arms"] for name in FLOOR):
        return None
    arms, name = size["arms"], study.endpoint
    if (chance := _at_chance(arms[best], name)) is not None:
        found = arms[best]["figures"][name]
        if found is None:
            return f"the endpoint {name} is not defined on these test parts: a class is too small"
        return (
            f"no classifier beats chance: the best one ({best}) reaches {name} "
            f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}), where {chance}"
        )
    mine, pixels = arms[best]["validation"], arms["pixels"]["validation"]
    if mine < pixels:
        return (
            f"the classifiers are below the simplest model: on validation {best} reaches {name} "
            f"{mine:.3f}, and a linear one on 50 components of the pixels {pixels:.3f}"
        )
    return None


def _at_chance(arm: dict[str, Any], endpoint: str) -> str | None:
    """Returns what chance reaches, in words, where an arm's interval holds it; else None."""
    if endpoint in _CHANCE:
        found = arm["figures"][endpoint]
        held = found is None or found["low"] <= _CHANCE[endpoint]
        return f"chance is {_CHANCE[endpoint]:g}" if held else None
    gain = arm.get("difference_to_majority")
    if gain is None or gain["low"] > 0:
        return None
    return (
        f"always saying the commonest class is {-gain['value']:+.3f} "
        f"({-gain['high']:+.3f} to {-gain['low']:+.3f}) from it"
    )
