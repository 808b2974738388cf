"""Linear models of an arm: their penalty by cross-validation, and what each arm is fitted to."""

import types

import numpy as np
import pytest

from gaug_jax.classifiers.fit import class_weights
from gaug_jax.classifiers.frozen import pretrained_features
from gaug_jax.classifiers.logistic import fit_logistic, logistic_probabilities
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream import linear_arm as module
from gaug_jax.downstream.arms import ARMS
from gaug_jax.downstream.cross_validation import Judged
from gaug_jax.downstream.linear_arm import fit_linear_arm
from gaug_jax.downstream.runs import Budget, Parts


def budget_of(architecture="pixels", classes=2, flip=False, **options):
    defaults = {"seeds": (0, 1), "learning_rates": (1.0,), "penalties": (1.0,), "widenings": 0,
                "copies": 3, "balanced": False, "endpoint": "auroc",
                "pseudo_label_weight": 0.1}  # fmt: skip
    spec = ClassifierSpec((8, 8, 1), tuple("abc"[:classes]), architecture, flip=flip)
    return Budget(spec, **(defaults | options))


def brightened(count, by=60, seed=0, classes=2):
    """Noise whose upper rows are brighter the higher the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = random.integers(0, 100, (count, 8, 8, 1)).astype(np.uint8)
    images[:, :3] += (by * labels).astype(np.uint8)[:, None, None, None]
    return Labelled(images, labels)


def parts_of(train, groups=None, external=None):
    return Parts(train, brightened(20, seed=1), brightened(10, seed=2), external, groups)


REAL = Labelled(
    np.broadcast_to(np.arange(10, 15, dtype=np.uint8)[:, None, None, None], (5, 8, 8, 1)),
    np.array([0, 0, 0, 1, 0]),
)
SYNTHETIC = Labelled(
    np.broadcast_to(np.arange(100, 106, dtype=np.uint8)[:, None, None, None], (6, 8, 8, 1)),
    np.array([0, 0, 1, 0, 1, 1]),
)


class Fits:
    """Keeps what models are fitted to, with features that are the mean and the first pixel."""

    def __init__(self, patch):
        self.fits, self.copied = [], []
        self._regression, self._copies = module.Regression, module.augmented_copies
        patch.setattr(module, "Regression", self._kept_regression)
        patch.setattr(module, "augmented_copies", self._augmented_copies)
        patch.setattr(module, "features_of", lambda kind, images: self.features)
        patch.setattr(module, "best_penalty", lambda *_: Judged(0.5, True, 0.9))

    @staticmethod
    def features(images):
        flat = images.reshape(len(images), -1).astype(np.float64)
        return np.stack([flat.mean(axis=1), flat[:, 0]], axis=1)

    def _kept_regression(self, *rows, around=None):
        def model(penalty, start=None):
            found = self._regression(*rows, around=around).model(penalty, start)
            self.fits.append((*rows, penalty, {"around": around, "start": start}, found))
            return found

        return types.SimpleNamespace(model=model)

    def _augmented_copies(self, images, targets, policy, seed, number, **options):
        made = self._copies(images, targets, policy, seed, number, **options)
        self.copied.append(((policy, seed, number), options, made))
        return made

    def of(self, name, synthetic=SYNTHETIC, seed=0, real=REAL, **options):
        """Returns the fits of an arm."""
        self.fits.clear()
        self.copied.clear()
        synthetic = synthetic if ARMS[name].synthetic else None
        parts = Parts(real, REAL, REAL, None)
        self.fitted = fit_linear_arm(ARMS[name], parts, synthetic, budget_of(**options), seed)
        return self.fits


@pytest.fixture
def fits(monkeypatch):
    return Fits(monkeypatch)


def one_hot(labels):
    return np.eye(2)[labels]


@pytest.mark.parametrize("name", ["real", "pixels"])
def test_real_images_are_fitted_to_once_and_as_they_are(fits, name):
    ((features, targets, weights, penalty, options, model),) = fits.of(name)
    np.testing.assert_array_equal(features, fits.features(REAL.images))
    np.testing.assert_array_equal(targets, one_hot(REAL.labels))
    np.testing.assert_allclose(weights, np.full(5, 1 / 5))
    assert penalty == 0.5 and options == {"around": None, "start": None} and not fits.copied
    expected = logistic_probabilities(model, features)
    assert fits.fitted.validation.shape == fits.fitted.test.shape == (2, 5, 2)
    np.testing.assert_array_equal(fits.fitted.test, [expected, expected])
    assert fits.fitted.tuned == {"penalty": 0.5, "grid_ended": True}
    assert fits.fitted.external is None


@pytest.mark.parametrize("name", ["classical", "cutout"])
def test_copies_stand_beside_their_images_and_weigh_together_as_one(fits, name):
    made = fits.of(name, copies=3)
    assert [given for given, *_ in fits.copied] == [
        (name, seed, number) for seed in (0, 1) for number in range(3)
    ]
    assert len(made) == 2
    for place, (features, targets, weights, *_) in enumerate(made):
        copies = [copy for _, _, (copy, _) in fits.copied[3 * place : 3 * place + 3]]
        images = np.concatenate([REAL.images, *copies])
        np.testing.assert_array_equal(features, fits.features(images))
        np.testing.assert_array_equal(targets, np.tile(one_hot(REAL.labels), (4, 1)))
        # Of an image and its three copies together a fifth.
        np.testing.assert_allclose(weights.reshape(4, 5).sum(axis=0), np.full(5, 1 / 5))
        np.testing.assert_allclose(weights, weights[0])
    said = fits.fitted.test
    for place, (*_, model) in enumerate(made):
        seen = fits.features(REAL.images)
        np.testing.assert_array_equal(said[place], logistic_probabilities(model, seen))


def test_the_number_of_copies_is_the_budgets(fits):
    assert [len(fits.of("classical", copies=copies)[0][0]) for copies in (1, 4)] == [10, 25]


def test_seeds_differ_only_where_the_arm_augments(fits):
    fits.of("classical")
    assert (fits.fitted.test[0] != fits.fitted.test[1]).any()
    for name in ("real", "oversample", "gan", "pretrain", "pseudo_label"):
        fits.of(name)
        np.testing.assert_array_equal(fits.fitted.test[0], fits.fitted.test[1])
    fits.of("real", seeds=(3, 4, 5))
    assert fits.fitted.test.shape == fits.fitted.validation.shape == (3, 5, 2)
    fits.of("classical", seeds=(3, 4, 5))
    assert fits.fitted.test.shape == (3, 5, 2) and len(fits.fits) == 3


def test_copies_are_mirrored_where_the_spec_says_so(fits):
    for flip in (False, True):
        fits.of("classical", flip=flip)
        assert {options["flip"] for _, options, _ in fits.copied} == {flip}


def test_mixup_has_soft_labels_that_are_the_shares_of_its_copies(fits):
    made = fits.of("mixup", copies=2)
    features, targets, weights, *_ = made[0]
    np.testing.assert_array_equal(targets[:5], one_hot(REAL.labels))
    shares = np.concatenate([share for _, _, (_, share) in fits.copied[:2]])
    np.testing.assert_array_equal(targets[5:], shares)
    np.testing.assert_array_equal(
        features[5:], fits.features(np.concatenate([copy for *_, (copy, _) in fits.copied[:2]]))
    )
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, rtol=1e-6)
    assert ((targets > 0.0) & (targets < 1.0)).any()
    np.testing.assert_allclose(weights, np.full(15, 1 / 15), rtol=1e-6)


def test_oversampling_has_every_image_twice(fits):
    ((features, targets, weights, *_),) = fits.of("oversample")
    np.testing.assert_array_equal(features, np.tile(fits.features(REAL.images), (2, 1)))
    np.testing.assert_array_equal(targets, np.tile(one_hot(REAL.labels), (2, 1)))
    np.testing.assert_allclose(weights, np.full(10, 1 / 10))


def both():
    return np.concatenate([REAL.images, SYNTHETIC.images])


def test_mixed_images_are_real_and_generated_ones_that_weigh_alike(fits):
    ((features, targets, weights, *_),) = fits.of("gan")
    np.testing.assert_array_equal(features, fits.features(both()))
    labels = np.concatenate([REAL.labels, SYNTHETIC.labels])
    np.testing.assert_array_equal(targets, one_hot(labels))
    np.testing.assert_allclose(weights, np.full(11, 1 / 11))


def test_generated_images_are_augmented_too(fits):
    features, targets, weights, *_ = fits.of("gan+classical", copies=2)[0]
    assert len(features) == len(targets) == 33
    np.testing.assert_array_equal(features[:11], fits.features(both()))
    # Copies of the darker real ones, then of the brighter generated ones.
    means = features[:, 0].reshape(3, 11)
    assert (means[1:, :5].max() < means[1:, 5:].min()) and (means[1:] != means[0]).any()


def test_only_generated_images_are_fitted_to(fits):
    ((features, targets, weights, *_),) = fits.of("synthetic_only")
    np.testing.assert_array_equal(features, fits.features(SYNTHETIC.images))
    np.testing.assert_array_equal(targets, one_hot(SYNTHETIC.labels))
    np.testing.assert_allclose(weights, np.full(6, 1 / 6))


def test_pretraining_shrinks_the_model_of_real_images_to_that_of_generated_ones(fits):
    first, then = fits.of("pretrain")
    np.testing.assert_array_equal(first[0], fits.features(SYNTHETIC.images))
    np.testing.assert_array_equal(first[1], one_hot(SYNTHETIC.labels))
    assert first[4] == {"around": None, "start": None}
    np.testing.assert_array_equal(then[0], fits.features(REAL.images))
    np.testing.assert_array_equal(then[1], one_hot(REAL.labels))
    assert then[4]["around"] is first[5] and first[3] == then[3] == 0.5
    expected = logistic_probabilities(then[5], fits.features(REAL.images))
    np.testing.assert_array_equal(fits.fitted.test[0], expected)


def test_unlabelled_images_get_the_classes_that_the_model_gives_them(fits):
    wrong = Labelled(SYNTHETIC.images, 1 - SYNTHETIC.labels)
    said = []
    for synthetic in (SYNTHETIC, wrong):
        first, then = fits.of("pseudo_label", synthetic, pseudo_label_weight=0.3)
        np.testing.assert_array_equal(first[0], fits.features(REAL.images))
        np.testing.assert_array_equal(then[0], fits.features(both()))
        given = logistic_probabilities(first[5], fits.features(SYNTHETIC.images)).argmax(axis=1)
        np.testing.assert_array_equal(then[1], one_hot(np.concatenate([REAL.labels, given])))
        np.testing.assert_allclose(then[2], [*[1 / 5] * 5, *[0.3 / 6] * 6])
        # The last one is what speaks.
        expected = logistic_probabilities(then[5], fits.features(REAL.images))
        np.testing.assert_array_equal(fits.fitted.test[0], expected)
        said.append(fits.fitted.test)
    np.testing.assert_array_equal(*said)


def test_shuffled_labels_are_those_of_the_generated_images_elsewhere(fits):
    shuffled = set()
    for seed in range(4):
        ((features, targets, *_),) = fits.of("gan_shuffled", seed=seed)
        np.testing.assert_array_equal(features, fits.features(both()))
        labels = targets.argmax(axis=1)
        np.testing.assert_array_equal(labels[:5], REAL.labels)
        assert sorted(labels[5:]) == sorted(SYNTHETIC.labels)
        shuffled.add(tuple(labels[5:]))
    assert len(shuffled) > 1 and shuffled != {tuple(SYNTHETIC.labels)}


def test_classes_weigh_by_the_inverse_of_their_number_where_that_is_wanted(fits):
    ((_, _, weights, *_),) = fits.of("real", balanced=True)
    np.testing.assert_allclose(weights * 5, [5 / 8, 5 / 8, 5 / 8, 5 / 2, 5 / 8], rtol=1e-6)
    # Of what is fitted to, generated images included: 7 and 4.
    ((_, targets, weights, *_),) = fits.of("gan", balanced=True)
    np.testing.assert_allclose(weights @ targets, [0.5, 0.5], rtol=1e-6)
    _, targets, weights, *_ = fits.of("mixup", balanced=True)[0]
    of_classes = class_weights(REAL.labels, 2, True)
    np.testing.assert_allclose(weights * 20, targets @ of_classes, rtol=1e-5)
    np.testing.assert_allclose((weights[:5] * 20)[[0, 3]], [5 / 8, 5 / 2], rtol=1e-6)


def test_an_external_set_is_said_of_too(fits):
    parts = Parts(REAL, REAL, REAL, SYNTHETIC)
    fitted = fit_linear_arm(ARMS["real"], parts, None, budget_of(), 0)
    assert fitted.external.shape == (2, 6, 2)


@pytest.fixture
def searches(monkeypatch):
    """What each search for a penalty is given."""
    seen, cross_validate = [], module.cross_validate

    def search(real, groups, *others, **options):
        seen.append((real, groups))
        return cross_validate(real, groups, *others, **options)

    monkeypatch.setattr(module, "cross_validate", search)
    return seen


def test_arms_of_the_same_augmentation_share_a_search_without_generated_images(searches):
    train = brightened(24)
    parts, budget = parts_of(train, np.arange(24) // 2), budget_of()
    synthetic = Labelled(np.full((6, 8, 8, 1), 255, np.uint8), np.arange(6) % 2)
    penalties = {}
    for name in ("real", "pixels", "oversample", "gan", "pretrain", "synthetic_only",
                 "gan_shuffled", "pseudo_label"):  # fmt: skip
        given = synthetic if ARMS[name].synthetic else None
        penalties[name] = fit_linear_arm(ARMS[name], parts, given, budget, 0).tuned["penalty"]
    assert len(searches) == 1 and len(set(penalties.values())) == 1
    for name in ("classical", "gan+classical"):
        given = synthetic if ARMS[name].synthetic else None
        fit_linear_arm(ARMS[name], parts, given, budget, 0)
    assert len(searches) == 2
    for real, groups in searches:
        assert real is train
        np.testing.assert_array_equal(groups, np.arange(24) // 2)
    # Other images, or another budget, are searched for by themselves.
    fit_linear_arm(ARMS["real"], parts_of(train), None, budget, 0)
    fit_linear_arm(ARMS["real"], parts, None, budget_of(penalties=(2.0,)), 0)
    assert len(searches) == 4
    np.testing.assert_array_equal(searches[2][1], np.arange(24))


@pytest.mark.parametrize(("copies", "searched"), [(1, 1), (2, 2), (5, 2)])
def test_the_search_has_two_copies_of_an_image_at_most(monkeypatch, copies, searched):
    numbers = []
    copy = module.augmented_copies

    def augmented_copies(images, targets, policy, seed, number, **options):
        numbers.append((len(images) == 20, seed, number))
        return copy(images, targets, policy, seed, number, **options)

    monkeypatch.setattr(module, "augmented_copies", augmented_copies)
    budget = budget_of(copies=copies, seeds=(4, 7))
    fit_linear_arm(ARMS["cutout"], parts_of(brightened(20)), None, budget, 0)
    inner = [number for whole, *number in numbers if not whole]
    assert sorted(inner) == sorted([[4, number] for number in range(searched)] * 5)
    fits = [number for whole, *number in numbers if whole]
    assert fits == [[seed, number] for seed in (4, 7) for number in range(copies)]


def test_components_of_an_inner_fit_are_of_its_images_alone(monkeypatch):
    made = []
    features_of = module.features_of
    monkeypatch.setattr(
        module, "features_of", lambda kind, images: made.append(images) or features_of(kind, images)
    )
    train = brightened(25)
    fit_linear_arm(ARMS["real"], parts_of(train), None, budget_of(), 0)
    *inner, whole = sorted(made, key=len)
    assert whole is train.images and len(inner) == 5
    # Every image is left out of one of the five.
    assert sum(map(len, inner)) == 4 * 25 and max(map(len, inner)) < 25


def test_noise_is_penalised_more_than_what_tells_classes_apart():
    budget = budget_of(penalties=(1e-3, 1e-1, 10.0, 1e3), endpoint="accuracy")
    random = np.random.default_rng(0)
    clear, noise = brightened(40, by=120), brightened(40, by=0)
    noise = Labelled(noise.images, random.permutation(noise.labels))
    found = [
        fit_linear_arm(ARMS["real"], parts_of(train), None, budget, 0).tuned["penalty"]
        for train in (clear, noise)
    ]
    assert found[0] <= 0.1 and found[1] > found[0]


def test_it_tells_classes_apart_and_an_external_set_too():
    parts = parts_of(brightened(40), external=brightened(12, seed=3))
    for name in ("real", "classical", "mixup", "pixels"):
        fitted = fit_linear_arm(ARMS[name], parts, None, budget_of(penalties=(0.1,)), 0)
        for said, part in ((fitted.validation, parts.validation), (fitted.test, parts.test),
                           (fitted.external, parts.external)):  # fmt: skip
            assert said.shape == (2, len(part.labels), 2)
            np.testing.assert_allclose(said.sum(axis=2), 1.0)
            assert (said.argmax(axis=2) == part.labels).mean() > 0.85


@pytest.mark.parametrize("name", ["real", "classical", "mixup", "oversample"])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("endpoint", ["auroc", "accuracy", "macro_f1"])
def test_one_image_of_a_class_is_enough(name, balanced, endpoint):
    """The inner fits without it know nothing of its class."""
    train = brightened(13, classes=3)
    rare = Labelled(train.images, np.where(np.arange(13) == 5, 2, np.arange(13) % 2))
    budget = budget_of(
        classes=3, balanced=balanced, endpoint=endpoint, copies=1, widenings=1, seeds=(0,)
    )
    fitted = fit_linear_arm(ARMS[name], parts_of(rare), None, budget, 0)
    assert np.isfinite(fitted.test).all() and fitted.tuned["penalty"] > 0
    np.testing.assert_allclose(fitted.test.sum(axis=2), 1.0)


def test_a_class_of_one_patient_is_absent_from_an_inner_fold():
    train = brightened(20)
    groups = np.where(train.labels == 1, 99, np.arange(20))
    fitted = fit_linear_arm(ARMS["real"], parts_of(train, groups), None, budget_of(), 0)
    assert np.isfinite(fitted.test).all() and np.isfinite(fitted.tuned["penalty"])


@pytest.mark.filterwarnings("ignore:invalid value encountered", "ignore:Mean of empty slice")
@pytest.mark.parametrize("name", ["real", "classical"])
def test_one_image_of_each_class_is_the_least(name):
    fitted = fit_linear_arm(ARMS[name], parts_of(brightened(2)), None, budget_of(), 0)
    assert np.isfinite(fitted.test).all() and np.isfinite(fitted.tuned["penalty"])


@pytest.mark.parametrize("architecture", ["linear", "linear_map"])
def test_the_linear_architectures_are_on_the_pretrained_networks_features(architecture):
    train = brightened(8)
    parts, budget = parts_of(train), budget_of(architecture, copies=1)
    fitted = fit_linear_arm(ARMS["real"], parts, None, budget, 0)
    features = pretrained_features(architecture)
    model = fit_logistic(features(train.images), one_hot(train.labels), np.ones(8), 1.0)
    expected = logistic_probabilities(model, features(parts.test.images))
    np.testing.assert_allclose(fitted.test, [expected, expected], atol=1e-6)
    augmented = fit_linear_arm(ARMS["classical"], parts, None, budget, 0)
    assert np.abs(augmented.test - fitted.test).max() > 1e-4
    # The floor is of pixels there too.
    floor = fit_linear_arm(ARMS["pixels"], parts, None, budget, 0)
    pixels = fit_linear_arm(ARMS["pixels"], parts, None, budget_of("pixels"), 0)
    np.testing.assert_array_equal(floor.test, pixels.test)
    assert np.abs(floor.test - fitted.test).max() > 1e-4
