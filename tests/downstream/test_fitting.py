"""Fits by the study's architecture: which kind an arm has, its tuning, and the number of steps."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.data.splits import allocate_groups
from gaug_jax.downstream import fitting, network_arm
from gaug_jax.downstream.arms import ARMS
from gaug_jax.downstream.fitting import (
    Searched,
    cross_validated,
    fit_arm,
    search_steps,
    with_steps,
)
from gaug_jax.downstream.runs import Budget, Fitted, Parts, majority


def striped(count, seed=0):
    """Classes told by bright rows or bright columns."""
    labels = np.arange(count) % 2
    images = np.random.default_rng(seed).integers(0, 100, (count, 8, 8, 1), np.uint8)
    images[labels == 0, ::4] += 150
    images[labels == 1, :, ::4] += 150
    return Labelled(images, labels)


PARTS = Parts(striped(16), striped(10, 1), striped(6, 2), None)


def budget_of(architecture="cnn", steps=8, **options):
    defaults = {"seeds": (0, 1), "learning_rates": (1e-2, 3e-2), "penalties": (1.0,),
                "widenings": 2, "copies": 1, "balanced": False, "endpoint": "accuracy",
                "pseudo_label_weight": 0.1}  # fmt: skip
    spec = ClassifierSpec((8, 8, 1), ("a", "b"), architecture, width=4, steps=steps, batch_size=8)
    return Budget(spec, **(defaults | options))


@pytest.mark.parametrize(
    ("name", "architecture", "kind"),
    [
        ("real", "cnn", "network"),
        ("classical", "pretrained", "network"),
        ("borders_only", "resnet", "network"),
        ("real", "linear", "linear"),
        ("gan", "pixels", "linear"),
        ("pixels", "cnn", "linear"),
        ("pixels", "linear", "linear"),
    ],
)
def test_an_arm_is_fitted_as_the_architecture_says(monkeypatch, name, architecture, kind):
    for each in ("linear", "network"):
        monkeypatch.setattr(fitting, f"fit_{each}_arm", lambda *given, each=each: (each, *given))
    budget = budget_of(architecture)
    found = fit_arm(name, PARTS, "generated", budget, 7)
    assert found == (kind, ARMS[name], PARTS, "generated", budget, 7)


@pytest.mark.parametrize("architecture", ["cnn", "linear"])
def test_the_majority_is_the_commonest_class_whatever_the_image(architecture):
    train = Labelled(striped(5).images, np.array([1, 0, 1, 1, 0]))
    parts = Parts(train, PARTS.validation, PARTS.test, striped(4))
    found = fit_arm("majority", parts, None, budget_of(architecture, seeds=(0, 1, 2)), 0)
    assert found.tuned == {}
    for said, count in ((found.validation, 10), (found.test, 6), (found.external, 4)):
        np.testing.assert_array_equal(said, np.broadcast_to([0.0, 1.0], (3, count, 2)))
    assert majority(PARTS, 2, (0,)).external is None


def test_of_equally_common_classes_the_first_is_said():
    assert majority(PARTS, 3, (0,)).test[0, 0].tolist() == [1.0, 0.0, 0.0]


class Networks:
    """Fits that say of each image what their learning rate is worth."""

    def __init__(self, patch, worth):
        self.calls, self._worth = [], worth
        patch.setattr(network_arm, "fit_classifiers", self._fit)
        patch.setattr(network_arm, "class_probabilities", self._say)

    def _fit(self, data, spec, seeds, rates, quiet):
        assert quiet
        self.calls.append((sorted(set(rates.tolist())), seeds.tolist(), spec))
        return seeds, rates

    def _say(self, variables, images, spec):
        right = np.array([0.5 + self._worth(rate) + 0.01 * seed
                          for seed, rate in zip(*variables, strict=True)])  # fmt: skip
        labels = np.arange(len(images)) % 2
        return np.abs(np.eye(2)[labels] - 1.0 + right[:, None, None])


def peak(best):
    """What a learning rate is worth that is best at one."""
    return lambda rate: 0.4 / (1.0 + abs(np.log(rate / best)))


def test_learning_rates_widen_by_three_and_every_seed_is_fitted_at_each(monkeypatch):
    networks = Networks(monkeypatch, peak(0.09))
    found = fit_arm("real", PARTS, None, budget_of(), 0)
    assert [rates for rates, *_ in networks.calls] == [
        [0.01, 0.03], [pytest.approx(0.09)], [pytest.approx(0.27)],
    ]  # fmt: skip
    assert [seeds for _, seeds, _ in networks.calls] == [[0, 1, 0, 1], [0, 1], [0, 1]]
    assert found.tuned == {
        "optimizer_steps": 8, "learning_rate": pytest.approx(0.09), "grid_ended": False,
    }  # fmt: skip
    # What is handed on is of the best one, seed by seed.
    for said, count in ((found.validation, 10), (found.test, 6)):
        assert said.shape == (2, count, 2)
        np.testing.assert_allclose(said[:, 0, 0], [0.9, 0.91], atol=1e-6)


def test_a_grid_that_may_not_widen_further_says_so(monkeypatch):
    networks = Networks(monkeypatch, peak(1e3))
    found = fit_arm("real", PARTS, None, budget_of(), 0)
    assert len(networks.calls) == 3
    assert found.tuned["learning_rate"] == pytest.approx(0.27) and found.tuned["grid_ended"]
    Networks(monkeypatch, peak(0.01))
    found = fit_arm("real", PARTS, None, budget_of(learning_rates=(3e-3, 1e-2, 3e-2)), 0)
    assert found.tuned["learning_rate"] == 1e-2 and not found.tuned["grid_ended"]


def test_the_external_set_is_said_of_by_the_best_rate(monkeypatch):
    Networks(monkeypatch, peak(0.03))
    found = fit_arm("real", Parts(*(PARTS.train,) * 3, PARTS.test), None, budget_of(), 0)
    assert found.external.shape == (2, 6, 2)
    np.testing.assert_allclose(found.external[:, 0, 0], [0.9, 0.91], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "augmentation", "weight"),
    [("real", "none", 0.0), ("classical", "classical", 0.0), ("pseudo_label", "none", 0.1)],
)
def test_the_arm_decides_augmentation_and_pseudo_labels(monkeypatch, name, augmentation, weight):
    networks = Networks(monkeypatch, peak(0.01))
    fit_arm(name, PARTS, striped(4), budget_of(), 0)
    spec = networks.calls[0][2]
    assert (spec.augmentation, spec.pseudo_label_weight) == (augmentation, weight)


class Steps:
    """Fits of arms that say of the validation part what their number of steps is worth."""

    def __init__(self, patch, worth):
        self.calls, self._worth = [], worth
        patch.setattr(fitting, "fit_arm", self._fit_arm)

    def _fit_arm(self, name, parts, synthetic, budget, seed):
        assert synthetic is None and parts is PARTS
        self.calls.append((name, budget))
        right = 0.5 + self._worth(budget.spec.steps, name)
        said = np.abs(np.eye(2)[PARTS.validation.labels] - 1.0 + right)[None]
        return Fitted({}, said, None, None)

    def steps(self):
        return [budget.spec.steps for _, budget in self.calls]


def of_steps(best):
    return lambda steps, name: peak(best)(steps)


def test_steps_are_doubled_while_that_is_better(monkeypatch):
    study = Steps(monkeypatch, of_steps(32))
    found = search_steps(budget_of(steps=8), PARTS, ("gan",), 4)
    assert study.steps() == [8, 16, 32, 64]
    assert (found.steps, found.at_limit) == (32, False)
    assert found.tried == {"8": 1.0, "16": 1.0, "32": 1.0, "64": 1.0}


def test_steps_are_halved_where_fewer_are_better(monkeypatch):
    study = Steps(monkeypatch, of_steps(4))
    found = search_steps(budget_of(steps=8), PARTS, ("gan",), 4)
    assert study.steps() == [8, 16, 4, 2]
    assert (found.steps, found.at_limit) == (4, False) and isinstance(found.steps, int)


def test_the_first_number_stays_where_both_others_are_worse(monkeypatch):
    study = Steps(monkeypatch, of_steps(8))
    found = search_steps(budget_of(steps=8), PARTS, (), 4)
    assert study.steps() == [8, 16, 4] and (found.steps, found.at_limit) == (8, False)


@pytest.mark.parametrize(("widenings", "steps"), [(0, 8), (1, 16), (2, 32)])
def test_the_search_ends_at_its_limit(monkeypatch, widenings, steps):
    Steps(monkeypatch, of_steps(1e9))
    found = search_steps(budget_of(steps=8), PARTS, (), widenings)
    assert (found.steps, found.at_limit) == (steps, True)
    assert found.words().endswith("; the search ended at its limit")


@pytest.mark.parametrize("steps", [1, 3])
def test_there_is_always_a_step(monkeypatch, steps):
    study = Steps(monkeypatch, lambda steps, name: 0.4 / (1.0 + steps))
    found = search_steps(budget_of(steps=steps), PARTS, (), 6)
    assert min(study.steps()) >= 1 <= found.steps


def test_the_endpoint_decides_before_the_log_loss(monkeypatch):
    # 16 steps are surer, and wrong.
    Steps(monkeypatch, lambda steps, name: {8: 0.01, 16: -0.4, 4: -0.4}[steps])
    found = search_steps(budget_of(steps=8), PARTS, (), 2)
    assert found.steps == 8 and found.tried == {"8": 1.0, "16": 0.0, "4": 0.0}


@pytest.mark.parametrize(
    ("arms", "names"),
    [
        (("real", "gan", "mixup"), ["real"]),
        (("gan+classical",), ["real"]),
        (("gan", "classical"), ["real", "classical"]),
    ],
)
def test_it_is_judged_by_real_images_and_classical_augmentation_if_the_study_has_it(
    monkeypatch, arms, names
):
    study = Steps(monkeypatch, of_steps(8))
    search_steps(budget_of(steps=8), PARTS, arms, 0)
    assert [name for name, _ in study.calls] == names


def test_it_is_judged_by_the_mean_of_both_arms(monkeypatch):
    # Alone, `real` would have 16 steps, of which `classical` is wrong.
    worth = {
        "real": {4: 0.1, 8: 0.1, 16: 0.3, 32: 0.2}, "classical": {4: -0.1, 8: 0.1, 16: -0.1},
    }  # fmt: skip
    for arms, steps, at_16 in (((), 16, 1.0), (("classical",), 8, 0.5)):
        Steps(monkeypatch, lambda steps, name: worth[name][steps])
        found = search_steps(budget_of(steps=8), PARTS, arms, 2)
        assert (found.steps, found.at_limit) == (steps, False)
        assert found.tried["8"] == 1.0 and found.tried["16"] == at_16
    # Of the log loss too: both arms are always right.
    worth["classical"] = {4: 0.01, 8: 0.4, 16: 0.01}
    found = search_steps(budget_of(steps=8), PARTS, ("classical",), 2)
    assert found.steps == 8 and found.tried == {"8": 1.0, "16": 1.0, "4": 1.0}


def test_a_search_has_one_classifier_of_each_rate_and_the_grid_stays(monkeypatch):
    study = Steps(monkeypatch, of_steps(8))
    budget = budget_of(steps=8)
    search_steps(budget, PARTS, (), 1)
    for _, short in study.calls:
        assert (short.seeds, short.widenings) == ((0,), 0)
        assert short.learning_rates == budget.learning_rates
    assert (budget.seeds, budget.widenings, budget.spec.steps) == ((0, 1), 2, 8)


def test_only_the_number_of_steps_changes():
    budget = budget_of(steps=8)
    other = with_steps(budget, 99)
    assert other.spec.steps == 99 and with_steps(other, 8) == budget


def test_the_words_name_every_number_that_was_tried():
    words = Searched(16, False, {"8": 0.5, "16": 0.75, "32": 0.7}).words()
    assert words == "16 steps, by the validation part (8: 0.500, 16: 0.750, 32: 0.700)"


def test_a_real_network_is_searched_for_and_fitted():
    parts = Parts(striped(16), striped(10, 1), striped(6, 2), striped(4, 3))
    budget = budget_of(steps=2, learning_rates=(1e-2,), widenings=0)
    found = search_steps(budget, parts, ("real",), 1)
    assert list(found.tried) == ["2", "4"] and found.steps in (2, 4)
    assert all(0.0 <= value <= 1.0 for value in found.tried.values())
    fitted = fit_arm("real", parts, None, with_steps(budget, found.steps), 0)
    assert fitted.tuned == {
        "optimizer_steps": found.steps, "learning_rate": 1e-2, "grid_ended": True,
    }  # fmt: skip
    for said, count in ((fitted.validation, 10), (fitted.test, 6), (fitted.external, 4)):
        assert said.shape == (2, count, 2)
        np.testing.assert_allclose(said.sum(axis=2), 1.0, rtol=1e-5)


def test_a_linear_model_reaches_what_scikit_learn_says_of_images_that_were_left_out():
    train = striped(40, 3)
    flat = train.images.reshape(40, -1) / 255.0
    folds = allocate_groups(train.labels, np.arange(40), np.full(5, 0.2), np.random.default_rng(5))
    right = []
    for fold in range(5):
        rest = folds != fold
        components = PCA(svd_solver="full").fit(flat[rest])
        seen = components.transform(flat[rest])
        # One scale for all features, and a penalty of 1 beside the mean loss.
        scale = np.sqrt(seen.var(axis=0).mean())
        model = LogisticRegression(C=2.0 / rest.sum(), tol=1e-9).fit(
            seen / scale, train.labels[rest]
        )
        said = model.predict(components.transform(flat[~rest]) / scale)
        right += list(said == train.labels[~rest])
    parts = Parts(train, None, None, None)
    found = cross_validated(parts, budget_of("pixels", widenings=0))
    assert found == pytest.approx(np.mean(right)) and len(right) == 40


def test_a_network_is_judged_by_one_classifier_of_each_rate_in_each_fold(monkeypatch):
    networks = Networks(monkeypatch, peak(0.03))
    seen = []
    monkeypatch.setattr(
        network_arm, "training_images", lambda images, *_, **options: seen.append(len(images))
    )
    assert cross_validated(PARTS, budget_of()) == pytest.approx(right_by_place(PARTS.train.labels))
    assert [call[:2] for call in networks.calls] == [([0.01, 0.03], [0, 0])] * 5
    assert sum(16 - count for count in seen) == 16


def right_by_place(labels):
    """The share that `Networks` has right, which takes a fold's images for 0, 1, 0, 1, ..."""
    folds = allocate_groups(labels, np.arange(len(labels)), np.full(5, 0.2),
                            np.random.default_rng(5))  # fmt: skip
    parts = [labels[folds == fold] for fold in range(5)]
    return np.mean(np.concatenate([part == np.arange(len(part)) % 2 for part in parts]))


def test_a_real_network_reaches_more_on_its_classes_than_on_shuffled_ones():
    train = striped(60)
    budget = budget_of(steps=60)
    assert cross_validated(Parts(train, None, None, None), budget) > 0.9
    shuffled = Labelled(train.images, np.random.default_rng(0).permutation(train.labels))
    assert cross_validated(Parts(shuffled, None, None, None), budget) < 0.75
    # A class of one patient is absent where its fold is judged.
    groups = np.where(train.labels == 1, 99, np.arange(60))
    found = cross_validated(Parts(train, None, None, None, groups), budget_of(steps=2))
    assert 0.0 <= found <= 1.0
