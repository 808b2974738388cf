"""Cross-validation: five parts by group, and the value that is best on all of them."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.cross_validation import cross_validate
from gaug_jax.downstream.runs import Budget


def budget_of(endpoint):
    spec = ClassifierSpec((8, 8, 1), ("a", "b"), "pixels")
    return Budget(spec, (0,), (1.0,), (1.0,), 0, 1, False, endpoint, 0.1)


class Said:
    """A maker of models that are right to a degree that their penalty decides."""

    def __init__(self, labels, confidence):
        self.labels, self.confidence, self.given, self.judged = labels, confidence, [], []

    def __call__(self, rest):
        self.given.append(rest.images[:, 0, 0, 0])

        def one(value, numbers):
            self.judged.append((value, numbers))
            sure = np.broadcast_to(self.confidence(value), len(self.labels))[numbers]
            return np.abs(np.eye(2)[self.labels[numbers]] - 0.5 + sure[:, None])

        return lambda values, images: {value: one(value, images[:, 0, 0, 0]) for value in values}


def found_by(make, grid, groups=None, endpoint="auroc", widenings=0):
    """Returns what comes out for a maker's images, a factor of 3 between values."""
    groups = np.arange(len(make.labels)) if groups is None else groups
    return cross_validate(
        numbered(make.labels), groups, make, grid, budget_of(endpoint), factor=3.0,
        widenings=widenings,
    )  # fmt: skip


def numbered(labels):
    """Images that say their number."""
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return Labelled(np.broadcast_to(images, (len(labels), 8, 8, 1)), labels)


def test_a_group_is_never_fitted_to_and_judged():
    random = np.random.default_rng(0)
    groups = random.integers(0, 15, 60)
    labels = random.integers(0, 2, 60)
    make = Said(labels, lambda penalty: 0.1)
    found_by(make, (1.0, 3.0), groups)
    assert len(make.given) == 5
    for penalty in (1.0, 3.0):
        judged = [numbers for value, numbers in make.judged if value == penalty]
        assert sorted(np.concatenate(judged)) == list(range(60))
        for rest, out in zip(make.given, judged, strict=True):
            assert not set(groups[rest]) & set(groups[out])
            assert sorted([*rest, *out]) == list(range(60))
            assert 6 <= len(out) <= 18


def test_the_value_is_the_one_whose_models_say_the_others_best():
    labels = np.arange(30) % 2

    def found(best, widenings=3):
        confident = lambda value: 0.4 / (1.0 + abs(np.log(value / best)))  # noqa: E731
        return found_by(Said(labels, confident), (1.0, 3.0, 10.0), widenings=widenings)[:2]

    assert found(3.0) == (3.0, False)
    assert found(31.0) == (pytest.approx(30.0), False)
    assert found(0.1) == (pytest.approx(1 / 9), False)
    assert found(1e9) == (pytest.approx(270.0), True)
    assert found(1e9, widenings=0) == (10.0, True)


def test_the_endpoint_decides_before_the_log_loss():
    labels = np.arange(30) % 2
    # At 3 all is right by a little; at 1 all is wrong; at 10 it is right and sure.
    make = Said(labels, {1.0: -0.1, 3.0: 0.01, 10.0: 0.3}.get)
    assert found_by(make, (1.0, 3.0, 10.0)) == (10.0, True, 1.0)
    # At 10 all is sure, and the first one wrong.
    most = np.where(np.arange(30) == 0, -0.01, 0.45)
    make = Said(labels, {1.0: -0.1, 3.0: 0.01, 10.0: most}.get)
    assert found_by(make, (1.0, 3.0, 10.0), endpoint="accuracy") == (3.0, False, 1.0)


def test_what_is_reached_is_the_figure_of_what_all_models_say_together():
    labels = np.random.default_rng(0).integers(0, 2, 40)
    sure = np.random.default_rng(1).uniform(-0.3, 0.45, 40)
    found = found_by(Said(labels, lambda value: sure), (1.0,))
    scores = np.abs(labels - 0.5 + sure)
    assert found.endpoint == pytest.approx(roc_auc_score(labels, scores))
    right = found_by(Said(labels, lambda value: sure), (1.0,), endpoint="accuracy").endpoint
    assert right == pytest.approx((sure > 0).mean())


def test_a_class_of_one_patient_is_judged_all_the_same():
    """Models of the other four fifths have not seen it, and its fifth is all of it."""
    labels = np.array([0] * 20 + [1] * 4)
    groups = np.append(np.arange(20), [99] * 4)
    make = Said(labels, lambda value: 0.2)
    assert found_by(make, (1.0,), groups).endpoint == 1.0
    absent = [rest for rest in make.given if not labels[rest].any()]
    assert len(absent) == 1
