"""Figures on the external test set: their values, their intervals, and what they are not."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from support.settings_for_tests import study

from gaug_jax.downstream import external as module
from gaug_jax.downstream.external import OnExternal, estimated, shared_patients
from gaug_jax.downstream.summary import floor_reason, summarise
from gaug_jax.reporting.downstream_table import table

ARMS = (("real", None, 0.5), ("gan", 0, 1.5), ("gan", 1, 1.5))
IMAGES = 80
ALTERNATING = np.arange(IMAGES) % 2


def said_of(random, labels, separation):
    """Probabilities [2 classifiers, images, 2] of classifiers that tell classes apart so far."""
    odds = separation * (2 * labels - 1) + random.normal(size=(2, len(labels)))
    second = 1 / (1 + np.exp(-odds))
    return np.stack([1 - second, second], axis=-1).astype(np.float32)


def write(folder, arms=ARMS, splits=2, labels=ALTERNATING, without=(), shared=20):
    """Writes predictions of arms on splits and on an external set; returns the rows."""
    rows = []
    for split in range(splits):
        for arm, seed, separation in arms:
            random = np.random.default_rng([split, len(arm), seed or 0])
            own = np.arange(60) % 2
            name = f"{split}-50-{arm}-{seed}.npz"
            arrays = {
                "probabilities": said_of(random, own, separation),
                "label": own,
                "group": np.arange(60) + 60 * split,
                "classifier_seeds": np.arange(2),
                "validation_probabilities": said_of(random, own, separation),
                "validation_label": own,
                "external_probabilities": said_of(random, labels, separation),
                "external_label": labels,
                "external_group": np.arange(len(labels)) // 2,
                "train_group": np.arange(40) + (40 - shared) * split,
            }
            np.savez(folder / name, **{key: arrays[key] for key in arrays if key not in without})
            common = {"arm": arm, "ratio": float(seed is not None), "filter": "none",
                      "gan_seed": seed, "split": split, "train_size": 50, "optimizer_steps": 10,
                      "predictions": name, "validation_auroc": 0.7,
                      "external_sha256": "a"}  # fmt: skip
            rows += [{**common, "classifier_seed": each, "external_auroc": 0.25 + each / 2}
                     for each in range(2)]  # fmt: skip
    return rows


def asked(**options):
    defaults = {"arms": ("real", "gan"), "endpoint": "auroc", "external": "far/other_hospital",
                "endpoint_arm": "gan", "paper": ()}  # fmt: skip
    return study(**(defaults | options))


def of_50(rows, folder, **options):
    return summarise(rows, folder, asked(**options))["sizes"]["50"]


def mean_over_files(folder, arm, figure):
    """A figure of each classifier of an arm by itself, the mean of them."""
    values = []
    for path in sorted(folder.glob(f"*-{arm}-*.npz")):
        with np.load(path) as file:
            values += [figure(file["external_label"], said)
                       for said in file["external_probabilities"].astype(np.float64)]  # fmt: skip
    return np.mean(values)


def test_figures_are_the_means_of_those_of_scikit_learn(tmp_path):
    content = of_50(write(tmp_path), tmp_path)
    assert content["external"] == {
        "name": "other_hospital", "num_images": 80, "num_groups": 40, "shared_training": 0.5,
        "without_predictions": None,
    }  # fmt: skip
    wanted = {
        "accuracy": lambda labels, said: accuracy_score(labels, said.argmax(1)),
        "macro_f1": lambda labels, said: f1_score(labels, said.argmax(1), average="macro"),
        "auroc": lambda labels, said: roc_auc_score(labels, said[:, 1]),
    }
    for arm in ("real", "gan"):
        figures = content["arms"][arm]["external"]["figures"]
        assert list(figures) == [*wanted, "sensitivity_at_90_specificity"]
        for name, figure in wanted.items():
            expected = mean_over_files(tmp_path, arm, figure)
            assert figures[name]["value"] == pytest.approx(expected, abs=1e-12)
            assert 0.0 <= figures[name]["low"] < expected < figures[name]["high"] <= 1.0


def test_differences_are_those_of_the_figures_and_to_the_right_arms(tmp_path):
    rows = write(tmp_path, arms=(*ARMS, ("mixup", None, 1.0)))
    better = [row | ({"validation_auroc": 0.8} if row["arm"] == "mixup" else {}) for row in rows]
    content = of_50(better, tmp_path, arms=("real", "mixup", "gan"))
    said = {arm: found["external"] for arm, found in content["arms"].items()}
    assert content["best_without_gan"] == "mixup" and said["real"].keys() == {
        "figures", "difference_to_best",
    }  # fmt: skip
    for name, other in (("difference_to_real", "real"), ("difference_to_best", "mixup")):
        mine, its = (said[arm]["figures"]["auroc"]["value"] for arm in ("gan", other))
        found = said["gan"][name]
        assert found["value"] == pytest.approx(mine - its, abs=1e-12)
        assert found["low"] < found["value"] < found["high"]


def by_hand(right, groups, shared=0.0):
    """What classifiers [splits, generators, classifiers, images] say that are right as told."""
    labels = np.arange(len(groups)) % 2
    predicted = np.where(right, labels, 1 - labels)
    return OnExternal(np.eye(2)[predicted], labels, np.array(groups), shared)


def test_an_accuracy_and_its_spread_by_hand():
    # Of four images each classifier is right in the first ones.
    counts = np.array([[[1, 2]], [[3, 4]]])  # Two splits, a generator, two classifiers.
    right = np.arange(4) < counts[..., None]
    found = estimated(by_hand(right, range(4)), "accuracy", 1000)
    assert found["value"] == pytest.approx((1 + 2 + 3 + 4) / 16)
    # Splits have 0.375 and 0.875, classifier seeds 0.5 and 0.75.
    of_splits, of_seeds = np.var([0.375, 0.875], ddof=1) / 2, np.var([0.5, 0.75], ddof=1) / 2
    rest = found["standard_error"] ** 2 - found["standard_error_of_groups"] ** 2
    assert rest == pytest.approx(of_splits + of_seeds)
    # Half of the patients in common: 1/2 + 1 in the place of 1/2.
    found = estimated(by_hand(right, range(4), shared=0.5), "accuracy", 1000)
    rest = found["standard_error"] ** 2 - found["standard_error_of_groups"] ** 2
    assert rest == pytest.approx(3 * of_splits + of_seeds)


def test_images_of_a_patient_are_drawn_as_one_and_once_for_all_splits():
    random = np.random.default_rng(0)
    right = np.repeat(random.uniform(size=(1, 1, 1, 60)) < 0.7, 3, axis=0)
    alone = estimated(by_hand(right, range(60)), "accuracy", 1000)
    one = estimated(by_hand(right[:1], range(60)), "accuracy", 1000)
    # Three splits that say the same are no more patients than one.
    assert alone == pytest.approx(one)
    twice = by_hand(np.repeat(right, 2, axis=3), np.repeat(np.arange(60), 2))
    found = estimated(twice, "accuracy", 1000)
    assert found["standard_error"] == pytest.approx(alone["standard_error"], rel=1e-9)


def test_one_classifier_of_a_generator_is_compared_with_each_of_the_other_arm():
    right = np.arange(20) < np.array([10, 14])[:, None]
    joint = by_hand((np.arange(20) < 16)[None, None, None], range(20))
    found = estimated(joint, "accuracy", 200, by_hand(right[None, None], range(20)))
    assert found["value"] == pytest.approx(0.8 - 0.6)


@pytest.mark.parametrize("shown", ["auroc", "auroc_mean_over_splits"])
def test_one_class_alone_has_an_accuracy_and_no_auroc(tmp_path, shown):
    rows = write(tmp_path, labels=np.ones(IMAGES, int))
    summary = summarise(rows, tmp_path, asked(endpoint=shown))
    said = summary["sizes"]["50"]["arms"]["gan"]["external"]
    assert said["figures"]["auroc"] is said["difference_to_real"] is None
    assert said["figures"]["sensitivity_at_90_specificity"] is None
    expected = mean_over_files(tmp_path, "gan", lambda _, each: each.argmax(1).mean())
    assert said["figures"]["accuracy"]["value"] == pytest.approx(expected)
    text = table(summary).partition("### External")[2]
    assert "| arm | external AUROC | external accuracy |" in text and "not defined" in text


def test_the_table_has_a_block_of_the_external_set(tmp_path):
    summary = summarise(write(tmp_path), tmp_path, asked())
    text = table(summary).partition("\n### ")[2]
    assert text.startswith("External test set other_hospital, 80 images of 40 groups\n")
    header = "| arm | external AUROC | minus best without GAN | minus real | external accuracy |"
    assert header in text
    said = summary["sizes"]["50"]["arms"]["gan"]["external"]
    found = said["difference_to_real"]
    assert f"{found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})" in text
    assert "have 50% of their groups in common" in text


def test_without_an_external_set_nothing_is_said_of_one(tmp_path):
    rows = write(tmp_path, without=module.ARRAYS)
    rows = [{key: row[key] for key in row if not key.startswith("external")} for row in rows]
    summary = summarise(rows, tmp_path, asked(external=None))
    content = summary["sizes"]["50"]
    assert "external" not in content and "external" not in table(summary).lower()
    assert not any("external" in name for arm in content["arms"].values() for name in arm)


@pytest.mark.parametrize("lacking", module.ARRAYS)
def test_old_predictions_keep_their_mean_and_the_summary_says_what_there_is_not(tmp_path, lacking):
    summary = summarise(write(tmp_path, without=(lacking,)), tmp_path, asked())
    content = summary["sizes"]["50"]
    assert content["external"] == {
        "name": "other_hospital", "without_predictions": "0-50-gan-0.npz",
    }  # fmt: skip
    assert content["arms"]["gan"]["external_auroc"] == pytest.approx(0.5)
    assert "external" not in content["arms"]["gan"]
    text = table(summary)
    assert "| gan | 0.500 |" in text and "0-50-gan-0.npz holds no predictions of it" in text


def test_arms_that_judged_other_images_are_not_compared(tmp_path):
    rows = write(tmp_path)
    rows = [row | {"external_sha256": "b" if row["arm"] == "real" else "a"} for row in rows]
    assert of_50(rows, tmp_path)["external"]["without_predictions"] == "0-50-real-None.npz"


def test_the_floor_does_not_ask_what_the_external_set_says(tmp_path, monkeypatch):
    rows = write(tmp_path)
    monkeypatch.setattr(module, "read_external", None)  # Which would be called.
    assert floor_reason(rows, tmp_path, asked()) is None


def test_what_training_parts_have_in_common():
    parts = [np.setdiff1d(np.arange(50), np.arange(10 * fold, 10 * fold + 10)) for fold in range(5)]
    assert shared_patients(parts) == pytest.approx(0.75)
    assert shared_patients(parts[:1]) == 0.0
    assert shared_patients([np.array([1, 1, 2]), np.array([2, 3, 4])]) == 0.5


def cases(random, count, features=15):
    """Cases whose first three features tell their class a little."""
    labels = np.arange(count) % 2
    values = random.normal(size=(count, features))
    values[:, :3] += (labels[:, None] - 0.5) / 2
    return values, labels


def fitted(random, values, labels, chance):
    """A linear classifier, the difference of the classes' means, moved by chance."""
    of_classes = [values[labels == each].mean(axis=0) for each in (0, 1)]
    return of_classes[1] - of_classes[0] + chance * random.normal(size=values.shape[1])


def reached(training_sets, size, chance):
    """The AUROC that training on so many cases reaches, averaged over training sets."""
    random = np.random.default_rng(1)
    many, classes = cases(random, 10_000)
    areas = [
        roc_auc_score(classes, many @ fitted(random, *cases(random, size), chance))
        for _ in range(training_sets)
    ]
    return np.mean(areas)


def of_a_study(random, chance, images, folds=5, people=60):
    """What the classifiers of the folds of one data set say of an external set."""
    values, labels = cases(random, people)
    fold = random.permutation(people) % folds
    outside, classes = cases(random, images)
    said = np.array([
        [[outside @ fitted(random, values[fold != each], labels[fold != each], chance)
          for _ in range(2)]] for each in range(folds)
    ])  # fmt: skip
    parts = [np.flatnonzero(fold != each) for each in range(folds)]
    # Figures of ranks need no probabilities.
    both = np.stack([-said, said], axis=-1)
    return OnExternal(both, classes, np.arange(images), shared_patients(parts))


@pytest.mark.parametrize(("chance", "images"), [(0.0, 100), (0.0, 600), (0.3, 200)])
def test_intervals_hold_what_the_training_reaches_over_training_sets(chance, images):
    """In at least 92% of 150 studies: 95%, less two standard errors of such a share.

    Fewer than 85% hold it where external patients are many and what training sets have in common
    is left out, which is why it counts.
    """
    random, truth = np.random.default_rng(0), reached(150, 48, chance)
    held, plainly = 0, 0
    for _ in range(150):
        mine = of_a_study(random, chance, images)
        found = estimated(mine, "auroc", 100)
        held += found["low"] <= truth <= found["high"]
        found = estimated(dataclasses.replace(mine, shared=0.0), "auroc", 100)
        plainly += found["low"] <= truth <= found["high"]
    assert held / 150 >= 0.92
    if (chance, images) == (0.0, 600):
        assert plainly / 150 < 0.85
