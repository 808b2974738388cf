"""Leaks that are planted are found, and nothing is chosen on the test part."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gaug_jax.downstream import leakage
from gaug_jax.downstream.runs import deployed, threshold_at_90_specificity, worth
from gaug_jax.downstream.summary import best_without_gan, choose_variant
from gaug_jax.downstream.tuning import tune
from gaug_jax.errors import UserError

PARTS = np.array(["train"] * 4 + ["validation"] * 2 + ["test"] * 3 + ["unused"])


def images_of(count=10):
    """Smooth random pictures, none like another."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=(count, 32, 32)), (0, 3, 3))
    return (128 + 100 * smooth / np.abs(smooth).max()).astype(np.uint8)[..., None]


NAMES = tuple(f"picture{number}" for number in range(10))


def test_parts_without_a_leak_pass():
    leakage.check_groups(np.arange(10), PARTS)
    leakage.check_duplicates(images_of(), NAMES, PARTS)


@pytest.mark.parametrize(("one", "other"), [(0, 6), (1, 4), (5, 8)])
def test_a_patient_in_two_parts(one, other):
    groups = np.arange(10)
    groups[other] = groups[one]
    with pytest.raises(UserError, match=f"leak: group {one}"):
        leakage.check_groups(groups, PARTS)


def test_a_patient_in_an_unused_image_is_no_leak():
    groups = np.arange(10)
    groups[9] = 0
    leakage.check_groups(groups, PARTS)


@pytest.mark.parametrize("change", [0, 1])
def test_an_exact_and_a_near_duplicate_in_two_parts(change):
    images = images_of()
    images[7] = images[2]
    images[7, 5, 5] ^= change
    with pytest.raises(UserError, match=r"leak: picture2 \(train\) and picture7 \(test\)"):
        leakage.check_duplicates(images, NAMES, PARTS)
    leakage.check_duplicates(images, NAMES, np.where(np.arange(10) == 7, "train", PARTS))


def test_a_generator_that_saw_other_images():
    def manifest(sha, count):
        return {"manifest_sha256": sha, "counts": {"train": {"a": count}}}

    leakage.check_generator(manifest("x", 5), manifest("x", 5), "W")
    with pytest.raises(UserError, match=r"in W was trained on other .*\(9 of them, not these 5\)"):
        leakage.check_generator(manifest("y", 9), manifest("x", 5), "W")


def chosen(validation, labels, endpoint):
    """Returns the value of a grid that is chosen by what the fits of each say of `validation`."""
    found = tune(
        list(validation), lambda values: {each: np.stack(validation[each]) for each in values},
        lambda said: worth(said, labels, endpoint), factor=2.0, widenings=0,
    )  # fmt: skip
    return found.value


def test_the_learning_rate_follows_the_validation_part():
    labels = np.array([0, 1, 0, 1])
    good = np.eye(2)[labels] * 0.8 + 0.1
    assert chosen({1.0: [good, 1 - good], 2.0: [good, good]}, labels, "accuracy") == 2.0
    sure = np.eye(2)[labels] * 0.98 + 0.01
    # Equal accuracy: the smaller loss.
    assert chosen({1.0: [good], 2.0: [sure]}, labels, "accuracy") == 2.0
    assert chosen({1.0: [sure], 2.0: [good]}, labels, "accuracy") == 1.0
    # Where the endpoint is not defined, too.
    absent = np.zeros(4, int)
    right = [np.tile([[0.5 + each, 0.5 - each]], (4, 1)) for each in (0.1, 0.4)]
    assert chosen({1.0: right[:1], 2.0: right[1:]}, absent, "auroc") == 2.0


def row(arm, ratio, chosen, validation, test):
    return {"arm": arm, "ratio": ratio, "filter": chosen, "validation_accuracy": validation,
            "accuracy": test}  # fmt: skip


def test_variant_and_best_arm_do_not_look_at_the_test_part():
    rows = [
        row("gan", 1.0, "none", 0.8, 0.1), row("gan", 2.0, "none", 0.7, 0.99),
        row("gan", 1.0, "density", 0.79, 0.99),
    ]  # fmt: skip
    assert choose_variant(rows, "accuracy") == rows[:1]
    planted = [{**each, "accuracy": 1 - each["accuracy"]} for each in rows]
    assert choose_variant(planted, "accuracy") == planted[:1]
    chosen = {
        "real": [row("real", 0, "none", 0.9, 0.1)], "mixup": [row("mixup", 0, "none", 0.5, 0.9)],
        "gan": [row("gan", 1, "none", 0.99, 0.9)],
    }  # fmt: skip
    assert best_without_gan(chosen, "accuracy") == "real"
    assert best_without_gan({"gan": chosen["gan"]}, "accuracy") is None


def test_the_operating_threshold_is_the_validation_parts():
    negatives = np.linspace(0.01, 0.5, 20)
    validation = np.stack([1 - negatives, negatives], axis=1)
    threshold = threshold_at_90_specificity(validation, np.zeros(20, int))
    assert (negatives >= threshold).sum() == 2
    test = np.array([[0.4, 0.6], [0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    reached = deployed(test, np.array([1, 1, 0, 0]), threshold)
    assert reached == {"deployed_sensitivity": 0.5, "deployed_specificity": 0.5}
    assert deployed(test, np.ones(4, int), threshold)["deployed_specificity"] is None
    assert threshold_at_90_specificity(validation, np.ones(20, int)) == 1.0
