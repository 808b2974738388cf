"""Small studies whose answer is known: how often they find it, and how often they are wrong.

Even and odd digits, told by a linear model on pixels from 40 images. What passes for generated
images are other real ones (which must help), noise with random labels (which must not), or real
ones where all labels are shuffled (where nothing can be answered).
"""

import collections

import numpy as np
import pytest
from sklearn.datasets import load_digits
from support.settings_for_tests import study

from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.fitting import fit_arm
from gaug_jax.downstream.plan import planned_runs
from gaug_jax.downstream.runs import Budget, Parts, run_rows
from gaug_jax.downstream.summary import summarise

pytestmark = pytest.mark.slow

STUDIES = 200
TRAIN, VALIDATION, TEST, MORE = 40, 60, 600, 400
STUDY = study(
    arms=("real", "gan"), endpoint_arm="gan", train_sizes=(0,), endpoint_size=0, splits=(0,),
    ratios=(MORE / TRAIN,), generator_seeds=(0,), seeds=(0,), architecture="pixels",
)  # fmt: skip
BUDGET = Budget(
    ClassifierSpec((8, 8, 1), ("even", "odd"), architecture="pixels"), (0,), (),
    (0.03, 0.3), 2, 1, False, "accuracy", 0.1,
)  # fmt: skip


def parts_and_generated(kind, seed):
    """Returns the parts of a study, and what passes for generated images."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    images = (digits.images * 15).astype(np.uint8)[..., None]
    labels = digits.target % 2
    if kind == "shuffled":
        labels = rng.permutation(labels)
    order = rng.permutation(len(labels))
    cuts = np.cumsum([TRAIN, VALIDATION, TEST, MORE])
    train, validation, test, more, _ = (
        Labelled(images[places], labels[places]) for places in np.split(order, cuts)
    )
    if kind == "noise":
        noise = rng.integers(0, 256, more.images.shape, np.uint8)
        more = Labelled(noise, rng.integers(0, 2, MORE))
    return Parts(train, validation, test, None), more


def summary_of(kind, seed, folder):
    """Returns the summary of a study."""
    parts, generated = parts_and_generated(kind, seed)
    rows = []
    for run in planned_runs(STUDY):
        fitted = fit_arm(run.arm, parts, generated if run.arm == "gan" else None, BUDGET, seed)
        name = f"{run.arm}.npz"
        np.savez(
            folder / name, probabilities=fitted.test, label=parts.test.labels,
            group=np.arange(TEST), classifier_seeds=np.array([0]),
            validation_probabilities=fitted.validation, validation_label=parts.validation.labels,
        )  # fmt: skip
        common = {**run._asdict(), "train_size": 0, "split": 0, "predictions": name}
        rows += run_rows(common, fitted, parts, 2, (0,))
    return summarise(rows, folder, STUDY)


def outcomes(kind, folder):
    """Returns how often studies of a kind ended how."""
    summaries = [summary_of(kind, seed, folder) for seed in range(STUDIES)]
    found = collections.Counter(
        "cannot answer" if each["cannot_answer"] else each["answer"]["verdict"]
        for each in summaries
    )
    print(kind, dict(found))
    return found


def test_a_helpful_generator_is_found_to_help(tmp_path):
    found = outcomes("real", tmp_path)
    # Seen: 172 of 200, and 1 the wrong way round.
    assert found["better"] >= 0.8 * STUDIES
    assert found["worse"] <= 0.025 * STUDIES
    assert found["cannot answer"] <= 0.01 * STUDIES


def test_a_useless_generator_is_hardly_ever_found_to_help(tmp_path):
    """An interval of 95% leaves 2.5% on this side; noise does harm, so there is less."""
    found = outcomes("noise", tmp_path)  # Seen: 1 of 200, and 184 where it hurts.
    assert found["better"] <= 0.025 * STUDIES
    assert found["cannot answer"] <= 0.01 * STUDIES


def test_shuffled_labels_cannot_be_answered(tmp_path):
    """One in forty intervals is above chance where there is nothing."""
    # Seen: 197 of 200.
    assert outcomes("shuffled", tmp_path)["cannot answer"] >= 0.95 * STUDIES
