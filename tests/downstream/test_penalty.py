"""The penalty of a linear model: five parts by group, and what is best on all of them."""

import numpy as np
import pytest

from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.penalty import Penalty, choose_penalty
from gaug_jax.downstream.runs import Budget


def budget_of(**options):
    defaults = {"seeds": (0,), "learning_rates": (1.0,), "penalties": (1.0,), "widenings": 0,
                "copies": 1, "balanced": False, "endpoint": "auroc",
                "pseudo_label_weight": 0.1}  # fmt: skip
    spec = ClassifierSpec((8, 8, 1), ("a", "b"), "pixels")
    return Budget(spec, **(defaults | options))


class Said:
    """A maker of models that are right to a degree that their penalty decides."""

    def __init__(self, labels, confidence):
        self.labels, self.confidence, self.given, self.judged = labels, confidence, [], []

    def __call__(self, rest):
        self.given.append(rest.images[:, 0, 0, 0])

        def fit(penalty):
            def say(images):
                numbers = images[:, 0, 0, 0]
                self.judged.append((penalty, numbers))
                sure = np.broadcast_to(self.confidence(penalty), len(self.labels))[numbers]
                return np.abs(np.eye(2)[self.labels[numbers]] - 0.5 + sure[:, None])

            return say

        return fit


def numbered(labels):
    """Images that say their number."""
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    return Labelled(np.broadcast_to(images, (len(labels), 8, 8, 1)), labels)


def test_a_group_is_never_fitted_to_and_judged():
    random = np.random.default_rng(0)
    groups = random.integers(0, 15, 60)
    labels = random.integers(0, 2, 60)
    make = Said(labels, lambda penalty: 0.1)
    choose_penalty(numbered(labels), groups, make, budget_of(penalties=(1.0, 3.0)))
    assert len(make.given) == 5
    for penalty in (1.0, 3.0):
        judged = [numbers for value, numbers in make.judged if value == penalty]
        assert sorted(np.concatenate(judged)) == list(range(60))
        for rest, out in zip(make.given, judged, strict=True):
            assert not set(groups[rest]) & set(groups[out])
            assert sorted([*rest, *out]) == list(range(60))
            assert 6 <= len(out) <= 18


def test_the_penalty_is_the_one_whose_models_say_the_others_best():
    labels = np.arange(30) % 2
    confident = lambda best: lambda penalty: 0.4 / (1.0 + abs(np.log(penalty / best)))  # noqa: E731

    def chosen(best, **options):
        make = Said(labels, confident(best))
        options = {"penalties": (1.0, 3.0, 10.0), "widenings": 3} | options
        return choose_penalty(numbered(labels), np.arange(30), make, budget_of(**options))

    assert chosen(3.0) == Penalty(3.0, False)
    # It widens by the root of ten.
    assert chosen(31.0) == Penalty(pytest.approx(10.0**1.5), False)
    assert chosen(0.1) == Penalty(pytest.approx(0.1), False)
    assert chosen(1e9) == Penalty(pytest.approx(10.0**2.5), True)
    assert chosen(1e9, widenings=0) == Penalty(10.0, True)


def test_the_endpoint_decides_before_the_log_loss():
    labels = np.arange(30) % 2
    # At 3 all is right by a little; at 1 all is wrong; at 10 it is right and sure.
    make = Said(labels, {1.0: -0.1, 3.0: 0.01, 10.0: 0.3}.get)
    budget = budget_of(penalties=(1.0, 3.0, 10.0))
    assert choose_penalty(numbered(labels), np.arange(30), make, budget).value == 10.0
    # At 10 all is sure, and the first one wrong.
    most = np.where(np.arange(30) == 0, -0.01, 0.45)
    make = Said(labels, {1.0: -0.1, 3.0: 0.01, 10.0: most}.get)
    budget = budget_of(penalties=(1.0, 3.0, 10.0), endpoint="accuracy")
    assert choose_penalty(numbered(labels), np.arange(30), make, budget).value == 3.0
