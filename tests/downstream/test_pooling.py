"""Scores of several splits: calibrated before they are pooled, or compared within a split alone."""

import numpy as np
import pytest
import scipy.special
from support.settings_for_tests import study

from gaug_jax.downstream.summary import pool, summarise
from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.reporting.downstream_table import table

# How a split's classifiers move and stretch the log-odds.
OFFSETS, SCALES = (0.0, 3.0, -3.0), (1.0, 3.0, 0.5)
ARMS = (("real", None, 1.0), ("gan", 0, 1.5), ("gan", 1, 1.5))


def probabilities_of(random, labels, separation, split):
    """Probabilities [2 classifiers, images, 2] of a split's classifiers, in float32."""
    clean = separation * (labels - 0.5) + random.normal(size=(2, len(labels)))
    odds = OFFSETS[split] + SCALES[split] * clean
    return scipy.special.softmax(np.stack([0 * odds, odds], axis=-1), axis=-1).astype(np.float32)


def write(folder, arms=ARMS, splits=3, images=120, without=(), same_patients=False):
    """Writes predictions of arms on splits, whose classifiers are not calibrated to one another."""
    rows = []
    for split in range(splits):
        for arm, seed, separation in arms:
            random = np.random.default_rng([split, len(arm), seed or 0])
            labels, held_out = np.arange(images) % 2, np.arange(80) % 2
            said = probabilities_of(random, labels, separation, split)
            name = f"{split}-50-{arm}-{seed}.npz"
            arrays = {
                "probabilities": said,
                "label": labels,
                "group": np.arange(images) // 2 + (0 if same_patients else 1000 * split),
                "classifier_seeds": np.arange(2),
                "validation_probabilities": probabilities_of(random, held_out, separation, split),
                "validation_label": held_out,
            }
            kept = {key: array for key, array in arrays.items() if key not in without}
            np.savez(folder / name, **kept)
            common = {"arm": arm, "ratio": float(seed is not None), "filter": "none",
                      "gan_seed": seed, "split": split, "train_size": 50,
                      "optimizer_steps": 10, "predictions": name}  # fmt: skip
            for each in range(2):
                figures = scores.plain_figures(said[each].astype(np.float64), labels)
                validation = {"validation_auroc": 0.7, "validation_accuracy": 0.7}
                rows.append({**common, "classifier_seed": each, **figures, **validation})
    return rows


def asked(**options):
    defaults = {"arms": ("real", "gan"), "splits": (0, 1, 2), "endpoint": "auroc"}
    return study(**(defaults | options))


def of_50(rows, folder, **options):
    return summarise(rows, folder, asked(**options))["sizes"]["50"]


def mean_of_rows(rows, name, arm="real"):
    return np.mean([row[name] for row in rows if row["arm"] == arm])


def test_the_pooled_auroc_is_of_calibrated_scores(tmp_path):
    rows = write(tmp_path)
    content = of_50(rows, tmp_path)
    assert content["calibrated"] and content["without_validation"] is None
    figures = content["arms"]["real"]["figures"]
    raw = pool([row for row in rows if row["arm"] == "real"], tmp_path, False)
    uncalibrated = raw.figure("auroc")(np.ones((1, 360))).mean()
    within = mean_of_rows(rows, "auroc")
    assert uncalibrated < within - 0.05
    assert figures["auroc"]["value"] == pytest.approx(within, abs=0.01)


def test_what_a_classifier_itself_says_is_not_calibrated(tmp_path):
    rows = write(tmp_path)
    figures = of_50(rows, tmp_path)["arms"]["real"]["figures"]
    assert figures["accuracy"]["value"] == pytest.approx(mean_of_rows(rows, "accuracy"))
    raw = pool([row for row in rows if row["arm"] == "real"], tmp_path, False)
    for name in ("macro_f1", "expected_calibration_error"):
        expected = raw.figure(name)(np.ones((1, 360))).mean()
        assert figures[name]["value"] == pytest.approx(expected)


def test_the_mean_over_splits_is_that_of_the_rows(tmp_path):
    rows = write(tmp_path)
    arms = of_50(rows, tmp_path, endpoint="auroc_mean_over_splits")["arms"]
    for arm in ("real", "gan"):
        found = arms[arm]["figures"]["auroc_mean_over_splits"]
        assert found["value"] == pytest.approx(mean_of_rows(rows, "auroc", arm), abs=1e-12)
        assert found["low"] < found["value"] < found["high"]


def test_a_study_may_be_judged_by_the_mean_over_splits(tmp_path):
    rows = write(tmp_path)
    summary = summarise(rows, tmp_path, asked(endpoint="auroc_mean_over_splits"))
    content = summary["sizes"]["50"]
    difference = mean_of_rows(rows, "auroc", "gan") - mean_of_rows(rows, "auroc")
    for found in (content["arms"]["gan"]["difference_to_best"], summary["answer"]):
        assert found["value"] == pytest.approx(difference, abs=1e-12)
    text = table(summary)
    assert "AUROC, mean over splits" in text.splitlines()[0]
    assert "calibrated on the validation part of its split" in text


def test_arms_of_the_same_scores_do_not_differ_at_all(tmp_path):
    """Differences are paired: the same images, drawn alike."""
    rows = write(tmp_path, arms=(("real", None, 1.0),))
    rows += [{**row, "arm": "gan", "ratio": 1.0, "gan_seed": 0} for row in rows]
    for endpoint in ("auroc", "auroc_mean_over_splits"):
        arms = of_50(rows, tmp_path, endpoint=endpoint, generator_seeds=(0,))["arms"]
        found = arms["gan"]["difference_to_real"]
        assert found["value"] == found["standard_error"] == 0.0


@pytest.mark.parametrize("without", ["validation_probabilities", "validation_label"])
def test_old_files_without_validation_are_pooled_as_they_are_and_the_summary_says_so(
    tmp_path, without
):
    rows = write(tmp_path, without=(without,))
    summary = summarise(rows, tmp_path, asked())
    content = summary["sizes"]["50"]
    assert not content["calibrated"] and content["without_validation"] == "0-50-gan-0.npz"
    raw = pool([row for row in rows if row["arm"] == "real"], tmp_path, False)
    expected = raw.figure("auroc")(np.ones((1, 360))).mean()
    assert content["arms"]["real"]["figures"]["auroc"]["value"] == pytest.approx(expected)
    assert "0-50-gan-0.npz holds no predictions of the validation part" in table(summary)


def test_one_file_without_validation_is_enough_as_arms_are_compared(tmp_path):
    rows = write(tmp_path)
    name = "2-50-real-None.npz"
    with np.load(tmp_path / name) as file:
        arrays = {key: file[key] for key in file.files if key != "validation_label"}
    np.savez(tmp_path / name, **arrays)
    content = of_50(rows, tmp_path)
    assert not content["calibrated"] and content["without_validation"] == name


def test_a_single_split_is_as_it_was(tmp_path):
    rows = write(tmp_path, splits=1)
    summary = summarise(rows, tmp_path, asked(splits=(0,)))
    content = summary["sizes"]["50"]
    figures = content["arms"]["real"]["figures"]
    assert set(content) == {"best_without_gan", "num_groups", "arms"}
    assert figures["auroc"]["value"] == pytest.approx(mean_of_rows(rows, "auroc"), abs=1e-12)
    assert "auroc_mean_over_splits" not in figures
    assert "calibrated on" not in table(summary) and "mean over splits" not in table(summary)
    same = of_50(rows, tmp_path, splits=(0,), endpoint="auroc_mean_over_splits")
    found = same["arms"]["real"]["figures"]
    assert found["auroc_mean_over_splits"]["value"] == found["auroc"]["value"]


def test_patients_of_several_partitions_are_drawn_as_one(tmp_path):
    rows = write(tmp_path, same_patients=True)
    real = [row for row in rows if row["arm"] == "real"]
    pooled = pool(real, tmp_path, True)
    assert len(np.unique(pooled.strata("auroc_mean_over_splits"))) == 1
    assert pooled.strata("auroc") is None
    content = of_50(rows, tmp_path, endpoint="auroc_mean_over_splits")
    assert content["num_groups"] == 60
    (tmp_path / "apart").mkdir()
    rows = write(tmp_path / "apart")
    apart = pool([row for row in rows if row["arm"] == "real"], tmp_path / "apart", True)
    assert len(np.unique(apart.strata("auroc_mean_over_splits"))) == 3


def test_a_split_without_a_class_leaves_the_mean_over_splits_undefined(tmp_path):
    rows = write(tmp_path)
    for path in tmp_path.glob("1-50-*.npz"):
        arrays = dict(np.load(path))
        np.savez(path, **arrays | {"label": np.zeros_like(arrays["label"])})
    figures = of_50(rows, tmp_path)["arms"]["real"]["figures"]
    assert figures["auroc_mean_over_splits"] is None and figures["auroc"] is not None
