"""The row of figures: complete, plain, and honest about what it lacks."""

import json

import numpy as np
import pytest

from gaug_jax.evaluation.features import Extracted
from gaug_jax.evaluation.fidelity import Sample, cheap_row, fidelity_row, summary_lines
from gaug_jax.evaluation.image_sets import array_set

# What is promised of every row (the other half says how it was made).
PROMISED = {
    "fid", "fid_low", "fid_high", "fid_floor", "fid_at_floor_size", "fid_infinity", "kid_mean",
    "kid_standard_error", "kid_low", "kid_high", "inception_score_mean", "inception_score_std",
    "precision_k5", "recall_k5", "density_k5", "coverage_k5", "frechet_coefficient",
    "ms_ssim_diversity", "ssim_nearest_real", "lpips_diversity", "num_real", "num_fake", "notes",
    "per_class",
}  # fmt: skip


def sample(count, seed=0, classes=None, shift=0.0, size=16, groups=None):
    """Images and features of 8 dimensions."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, size, size, 1), dtype=np.uint8)
    features = random.normal(shift, 1.0, (count, 8)).astype(np.float32)
    logits = random.normal(size=(count, 5)).astype(np.float32)
    return Sample(array_set("images", images, classes, groups), Extracted(features, logits))


def lpips(first, second):
    return np.abs(first.astype(float) - second).mean(axis=(1, 2, 3))


def assert_plain(row):
    """Nothing but finite numbers, texts and None."""
    json.dumps(row, allow_nan=False)


def test_the_row_has_every_figure():
    row = fidelity_row(sample(60), sample(80, 1, shift=1.0), seed=0, perceptual_distance=lpips)
    assert set(row) >= PROMISED
    assert_plain(row)
    assert [name for name in PROMISED if row[name] is None] == ["per_class"]
    assert row["num_real"] == 60 and row["num_fake"] == 80
    assert row["fid_low"] < row["fid"] < row["fid_high"]
    assert row["kid_low"] < row["kid_mean"] < row["kid_high"]
    # A shift by 1 in each of 8 dimensions: about 8, plus the bias of so few images.
    assert 6 < row["fid"] < 13 and 5 < row["fid_infinity"] < 10
    assert row["fid_floor"] < 3 < row["fid_at_floor_size"]
    assert len(summary_lines(row)) >= 16


def test_identical_sets():
    real = sample(40)
    row = fidelity_row(real, real, seed=0)
    assert row["fid"] == pytest.approx(0.0, abs=1e-9)
    assert row["kid_mean"] < 0  # Unbiased for independent draws; these are not.
    assert row["precision_k5"] == row["recall_k5"] == row["coverage_k5"] == 1.0
    assert row["frechet_coefficient"] == pytest.approx(1.0)
    assert row["ssim_nearest_real"] == pytest.approx(1.0)


def test_a_collapsed_generator():
    real = sample(60)
    images = np.repeat(real.images.read([0]), 30, axis=0)
    features = np.repeat(real.extracted.features[:1], 30, axis=0)
    fake = Sample(array_set("collapsed", images), Extracted(features, None))
    row = fidelity_row(real, fake, seed=0, perceptual_distance=lpips)
    assert_plain(row)
    assert row["fid"] > 5 and row["recall_k5"] == 0.0 and row["coverage_k5"] < 0.3
    assert row["ms_ssim_diversity"] == pytest.approx(1.0)
    assert row["lpips_diversity"] == 0.0
    assert row["inception_score_mean"] is None
    assert "no logits" in row["notes"]["inception_score_mean"]


def test_constant_features_on_both_sides():
    images = np.zeros((10, 16, 16, 1), np.uint8)
    constant = Sample(array_set("black", images), Extracted(np.ones((10, 8), np.float32), None))
    row = fidelity_row(constant, constant, seed=0)
    assert_plain(row)
    assert row["fid"] == 0.0 and row["kid_mean"] == pytest.approx(0.0, abs=1e-12)
    assert row["frechet_coefficient"] is None
    assert "neither set of features varies" in row["notes"]["frechet_coefficient"]


def test_two_images_a_side_give_what_they_can():
    row = fidelity_row(sample(2), sample(2, 1), seed=0)
    assert_plain(row)
    for name in ("fid_floor", "fid_infinity", "kid_mean", "precision_k5"):
        assert row[name] is None
        assert "too few" in row["notes"][name]
    assert row["ms_ssim_diversity"] is not None


def test_more_fakes_than_reals_and_the_reverse():
    for counts in ((8, 100), (100, 8)):
        row = fidelity_row(sample(counts[0]), sample(counts[1], 1), seed=0)
        assert_plain(row)
        assert row["fid"] is not None and row["precision_k5"] is not None


def test_figures_of_each_class_that_both_sides_have():
    real = sample(60, classes=["a"] * 30 + ["b"] * 30)
    fake = sample(60, 1, classes=["b"] * 57 + ["c"] * 3)
    row = fidelity_row(real, fake, seed=0)
    assert list(row["per_class"]) == ["b"]
    assert row["per_class"]["b"]["num_real"] == 30 and row["per_class"]["b"]["num_fake"] == 57
    assert row["per_class"]["b"]["precision_k5"] is not None
    other = fidelity_row(real, sample(60, 1, classes=["z"] * 60), seed=0)
    assert other["per_class"] is None and "no class in common" in other["notes"]["per_class"]


def test_the_reason_for_missing_lpips_is_told():
    row = fidelity_row(sample(20), sample(20, 1), seed=0, without_perceptual_distance="no weights")
    assert row["lpips_diversity"] is None and row["notes"]["lpips_diversity"] == "no weights"


def test_images_too_small_for_a_window():
    row = fidelity_row(sample(20, size=8), sample(20, 1, size=8), seed=0)
    assert row["ms_ssim_diversity"] is None and "too small" in row["notes"]["ms_ssim_diversity"]


def test_images_of_two_sizes_have_features_but_no_nearest_image():
    row = fidelity_row(sample(20), sample(20, 1, size=32), seed=0)
    assert row["fid"] is not None and row["ssim_nearest_real"] is None


def test_the_same_seed_gives_the_same_row_and_another_does_not():
    rows = [fidelity_row(sample(40), sample(40, 1), seed=seed) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_groups_widen_the_interval():
    """Twelve copies of each of ten images are ten images."""
    ten = sample(10)
    copies = np.repeat(np.arange(10), 12)
    errors = []
    for groups in (None, copies):
        images = array_set("copies", ten.images.read(copies), groups=groups)
        extracted = Extracted(ten.extracted.features[copies], None)
        row = fidelity_row(Sample(images, extracted), sample(120, 1), seed=0)
        errors.append(row["kid_standard_error"])
    assert errors[1] > 1.5 * errors[0]


def test_the_cheap_row_has_what_training_follows():
    row = cheap_row(sample(30).extracted.features, sample(30, 1).extracted.features, seed=0)
    assert set(row) == {"kid_mean", "precision_k5", "recall_k5"}
    assert None not in row.values()
