"""When a study says that it cannot answer, and why."""

import pytest
from support.settings_for_tests import study

from gaug_jax.downstream.floor import why_no_answer


def arm(value=0.8, low=0.7, high=0.9, validation=0.8, gain=None, endpoint="auroc"):
    """An arm of a summary; `gain` is its difference from the commonest class."""
    found = {"figures": {endpoint: {"value": value, "low": low, "high": high}}}
    found["validation"] = validation
    if gain is not None:
        found["difference_to_majority"] = dict(zip(("value", "low", "high"), gain, strict=True))
    return found


def size_of(best, pixels=0.6, **others):
    pixels = arm(validation=pixels)
    arms = {"classical": best, "majority": arm(0.5, 0.5, 0.5, 0.5), "pixels": pixels} | others
    return {"best_without_gan": "classical", "arms": arms}


def why(size, endpoint="auroc"):
    return why_no_answer(size, study(endpoint=endpoint))


def test_a_classifier_above_chance_and_the_pixels_can_answer():
    assert why(size_of(arm())) is None


def test_an_interval_that_holds_chance_is_no_answer():
    assert why(size_of(arm(0.56, 0.49, 0.62))) == (
        "no classifier beats chance: the best one (classical) reaches auroc 0.560 "
        "(0.490 to 0.620), where chance is 0.5"
    )
    assert why(size_of(arm(0.56, 0.5, 0.62))) is not None
    assert why(size_of(arm(0.56, 0.501, 0.62))) is None
    # Worse than chance is not better.
    assert "beats chance" in why(size_of(arm(0.3, 0.2, 0.4)))


@pytest.mark.parametrize(
    ("endpoint", "chance"),
    [("auroc", 0.5), ("auroc_mean_over_splits", 0.5), ("sensitivity_at_90_specificity", 0.1)],
)
def test_each_figure_of_scores_has_its_chance(endpoint, chance):
    held = arm(chance + 0.1, chance - 0.01, chance + 0.2, endpoint=endpoint)
    assert why(size_of(held), endpoint).endswith(f"where chance is {chance:g}")
    clear = arm(chance + 0.1, chance + 0.01, chance + 0.2, endpoint=endpoint)
    assert why(size_of(clear), endpoint) is None


@pytest.mark.parametrize("endpoint", ["accuracy", "macro_f1"])
def test_other_figures_are_compared_with_the_commonest_class(endpoint):
    held = arm(0.62, 0.55, 0.7, gain=(0.02, -0.05, 0.09), endpoint=endpoint)
    assert why(size_of(held), endpoint) == (
        f"no classifier beats chance: the best one (classical) reaches {endpoint} 0.620 "
        "(0.550 to 0.700), where always saying the commonest class is -0.020 "
        "(-0.090 to +0.050) from it"
    )
    at_zero = arm(gain=(0.02, 0.0, 0.09), endpoint=endpoint)
    assert "commonest class" in why(size_of(at_zero), endpoint)
    clear = arm(0.3, 0.2, 0.4, gain=(0.02, 0.01, 0.09), endpoint=endpoint)
    assert why(size_of(clear), endpoint) is None


def test_a_difference_that_is_not_defined_says_nothing():
    assert why(size_of(arm(endpoint="accuracy")), "accuracy") is None


def test_below_the_pixels_on_validation_is_no_answer():
    assert why(size_of(arm(validation=0.7), pixels=0.75)) == (
        "the classifiers are below the simplest model: on validation classical reaches auroc "
        "0.700, and a linear one on 50 components of the pixels 0.750"
    )
    assert why(size_of(arm(validation=0.75), pixels=0.75)) is None


def test_chance_is_said_before_the_pixels():
    assert "beats chance" in why(size_of(arm(0.5, 0.4, 0.6, validation=0.5), pixels=0.9))


def test_the_test_part_of_the_pixels_decides_nothing():
    size = size_of(arm())
    size["arms"]["pixels"] = arm(0.99, 0.98, 1.0, validation=0.6)
    assert why(size) is None


def test_a_figure_that_is_not_defined_beats_no_chance():
    size = size_of(arm())
    size["arms"]["classical"]["figures"]["auroc"] = None
    assert "is not defined" in why(size)


def test_without_an_arm_without_a_gan_nothing_is_said():
    size = size_of(arm(0.5, 0.4, 0.6)) | {"best_without_gan": None}
    assert why(size) is None


@pytest.mark.parametrize("absent", ["majority", "pixels"])
def test_summaries_from_before_the_floor_say_nothing(absent):
    size = size_of(arm(0.5, 0.4, 0.6))
    del size["arms"][absent]
    assert why(size) is None
