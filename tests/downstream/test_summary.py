"""From rows and predictions to estimates and the answer."""

import numpy as np
import pytest
from support.settings_for_tests import study

from gaug_jax.downstream.shortcut import shortcut_figures, shortcut_probabilities
from gaug_jax.downstream.summary import summarise
from gaug_jax.reporting.downstream_table import table


def write(folder, rows, arm, split, gan_seed, right_share, **options):
    """Writes predictions that are right for a share of the images, and their rows."""
    random = np.random.default_rng([split, len(arm), gan_seed or 0])
    right = random.uniform(size=(2, 60)) < right_share
    write_right(folder, rows, arm, split, gan_seed, right, **options)


def write_right(folder, rows, arm, split, gan_seed, right, ratio=0.0, validation=0.5, folds=99):
    """Writes predictions that are right [classifiers, images] as told, and their rows."""
    labels = np.arange(60) % 2
    predicted = np.where(right, labels, 1 - labels)
    probabilities = np.eye(2)[predicted] * 0.8 + 0.1
    name = f"{arm}-{split}-{gan_seed}-{ratio}.npz"
    np.savez(
        folder / name,
        probabilities=probabilities,
        label=labels,
        group=np.arange(60) // 2 + 30 * (split % folds),
        classifier_seeds=np.arange(len(right)),
    )
    for seed in range(len(right)):
        rows.append(
            {"arm": arm, "ratio": ratio, "filter": "none", "gan_seed": gan_seed, "split": split,
             "train_size": 50, "classifier_seed": seed, "predictions": name,
             "optimizer_steps": 10, "validation_accuracy": validation,
             "accuracy": float(right[seed].mean())}
        )  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    rows = []
    for split in (0, 1):
        write(tmp_path, rows, "real", split, None, 0.6, validation=0.6)
        write(tmp_path, rows, "mixup", split, None, 0.65, validation=0.7)
        for seed in (0, 1):
            write(tmp_path, rows, "gan", split, seed, 0.95, ratio=1.0, validation=0.9)
            # Better on the test part, worse on validation: not to be chosen.
            write(tmp_path, rows, "gan", split, seed, 1.0, ratio=2.0, validation=0.8)
    return tmp_path, rows


def test_the_summary_of_a_clear_case(runs):
    folder, rows = runs
    summary = summarise(rows, folder, study())
    size = summary["sizes"]["50"]
    assert size["best_without_gan"] == "mixup" and size["num_groups"] == 60
    gan = size["arms"]["gan"]
    assert gan["ratio"] == 1.0
    accuracy = gan["figures"]["accuracy"]
    mean = np.mean([row["accuracy"] for row in rows if row["arm"] == "gan" and row["ratio"] == 1])
    assert accuracy["value"] == pytest.approx(mean)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert gan["difference_to_best"]["low"] > 0
    assert gan["difference_to_best"]["holm_p_value"] >= gan["difference_to_best"]["p_value"]
    assert "difference_to_best" not in size["arms"]["mixup"]
    assert summary["answer"]["verdict"] == "better" and "groups_needed" not in summary["answer"]
    assert len(gan["per_class"]) == 2
    # Rows of before there was a choice are of the network that there was.
    assert summary["fits"]["architectures"] == ["cnn"]
    assert summary["fits"]["optimizer_steps"] == [10]


def test_a_null_is_printed_with_what_an_answer_would_take(tmp_path):
    rows = []
    for split in (0, 1):
        write(tmp_path, rows, "real", split, None, 0.6)
        write(tmp_path, rows, "gan", split, 0, 0.62, ratio=1.0)
        write(tmp_path, rows, "gan", split, 1, 0.62, ratio=1.0)
    summary = summarise(rows, tmp_path, study(arms=("real", "gan")))
    assert summary["answer"]["verdict"] == "not told apart"
    assert summary["answer"]["groups_needed"] > 60
    text = table(summary)
    assert "not told apart" in text and "would take at least about" in text
    assert "and generators and classifiers of more seeds" in text


def test_classifiers_of_one_seed_are_paired(tmp_path):
    rows = []
    # Classifiers differ much, in both arms alike; generated images mend the same six images.
    right = np.arange(60) < np.array([[20], [30], [40]])
    write_right(tmp_path, rows, "real", 0, None, right)
    for seed in (0, 1):
        mended = right | (np.arange(60) >= 54)
        write_right(tmp_path, rows, "gan", 0, seed, mended, ratio=1.0)
    asked = study(arms=("real", "gan"), splits=(0,), seeds=(0, 1, 2))
    arms = summarise(rows, tmp_path, asked)["sizes"]["50"]["arms"]
    real, difference = arms["real"]["figures"]["accuracy"], arms["gan"]["difference_to_real"]
    # A deviation of 10 of 60 over three classifiers.
    of_classifiers = real["standard_error"] ** 2 - real["standard_error_of_groups"] ** 2
    assert of_classifiers == pytest.approx((1 / 6) ** 2 / 3)
    assert difference["value"] == pytest.approx(0.1)
    assert difference["standard_error"] == pytest.approx(difference["standard_error_of_groups"])


def test_repeats_of_a_patient_are_one_group(tmp_path):
    """The same predictions once more, of another partition, make no interval narrower."""
    found = []
    for splits in ((0, 1), (0, 1, 2, 3)):
        rows, folder = [], tmp_path / str(len(splits))
        folder.mkdir()
        for split in splits:
            for arm, seed, share in (("real", None, 0.6), ("gan", 0, 0.8), ("gan", 1, 0.8)):
                random = np.random.default_rng([split % 2, len(arm), seed or 0])
                right = random.uniform(size=(2, 60)) < share
                ratio = 0.0 if seed is None else 1.0
                write_right(folder, rows, arm, split, seed, right, ratio=ratio, folds=2)
        asked = study(arms=("real", "gan"), splits=splits)
        found.append(summarise(rows, folder, asked)["sizes"]["50"])
    once, twice = found
    assert once["num_groups"] == twice["num_groups"] == 60
    for figure in ("accuracy", "auroc"):
        one, other = (size["arms"]["gan"]["figures"][figure] for size in found)
        assert one["standard_error_of_groups"] > 0.01
        for name in one:
            assert one[name] == pytest.approx(other[name], rel=1e-9)
    one, other = (size["arms"]["gan"]["difference_to_real"] for size in found)
    assert one == pytest.approx(other)


def test_where_seeds_keep_the_interval_wide_patients_are_not_asked_for(tmp_path):
    rows = []
    write(tmp_path, rows, "real", 0, None, 0.97)
    for seed, share in ((0, 0.2), (1, 0.7)):
        write(tmp_path, rows, "gan", 0, seed, share, ratio=1.0)
    summary = summarise(rows, tmp_path, study(arms=("real", "gan"), splits=(0,)))
    assert summary["answer"]["verdict"] == "not told apart"
    assert summary["answer"]["groups_needed"] is None
    assert "would take generators and classifiers of more seeds." in table(summary)


def test_a_figure_that_the_test_part_does_not_define_gives_no_answer(runs):
    folder, rows = runs
    for path in folder.glob("*.npz"):
        arrays = dict(np.load(path))
        np.savez(path, **arrays | {"label": np.zeros_like(arrays["label"])})  # One class alone.
    rows = [row | {"auroc": None, "validation_auroc": 0.5} for row in rows]
    summary = summarise(rows, folder, study(endpoint="auroc"))
    assert summary["answer"] is None
    assert summary["sizes"]["50"]["arms"]["gan"]["figures"]["auroc"] is None


def test_the_table_names_every_arm_and_the_papers_figures(runs):
    folder, rows = runs
    text = table(summarise(rows, folder, study()))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0].strip("| ") for line in lines] == [
        "arm", "---", "real", "mixup", "gan",
    ]  # fmt: skip
    assert "accuracy 0.947" in lines[-1] and "better" in text.splitlines()[0]
    assert len({line.count("|") for line in lines}) == 1


def test_a_field_that_gives_the_class_away():
    values = ["x", "x", "y", "y", "x", "y", "z"]
    labels = np.array([0, 0, 1, 1, 0, 1, 0])
    parts = np.array(["train"] * 4 + ["test"] * 3)
    figures = shortcut_figures(values, labels, parts, 2)
    assert figures["accuracy"] == 1.0
    told = shortcut_probabilities(values[:4], labels[:4], ["x", "z"], 2)
    np.testing.assert_allclose(told, [[0.75, 0.25], [0.5, 0.5]])
