"""What each arm draws from, and that all make the same steps."""

import dataclasses

import jax
import numpy as np
import pytest

from gaug_jax.classifiers.fit import class_probabilities, fit_classifiers, training_images
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream import network_arm
from gaug_jax.downstream.arms import ARMS, FLOOR, WITHOUT_GAN, synthetic_count, take
from gaug_jax.downstream.fitting import fit_arm
from gaug_jax.downstream.runs import Budget, Parts
from gaug_jax.objectives.pseudo_label import pseudo_label_loss

REAL = Labelled(np.full((5, 8, 8, 1), 10, np.uint8), np.array([0, 0, 0, 0, 1]))
SYNTHETIC = Labelled(np.full((6, 8, 8, 1), 20, np.uint8), np.array([0, 0, 0, 0, 1, 1]))
SPEC = ClassifierSpec((8, 8, 1), ("a", "b"), width=4, steps=10, batch_size=8)


def budget_of(spec, **options):
    """Returns a budget of networks that are not tuned."""
    defaults = {"seeds": (0, 1), "learning_rates": (1e-2,), "penalties": (1.0,), "widenings": 0,
                "copies": 1, "balanced": False, "endpoint": "accuracy",
                "pseudo_label_weight": 0.1}  # fmt: skip
    return Budget(spec, **(defaults | options))


def made(name, synthetic=SYNTHETIC, **options):
    """Returns what a network of an arm is fitted to."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_arm, "fit_classifiers", lambda data, *_, **__: seen.append(data))
        said = lambda _, images, spec: np.full((2, len(images), 2), 0.5)  # noqa: E731
        patch.setattr(network_arm, "class_probabilities", said)
        synthetic = synthetic if ARMS[name].synthetic else None
        fit_arm(name, Parts(REAL, REAL, REAL, None), synthetic, budget_of(SPEC, **options), 0)
    (data,) = seen
    return data


def bounds(data):
    return [tuple(np.asarray(each).tolist()) for each in (data.first, data.then, data.unlabelled)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("real", [(0, 5), (0, 5), (0, 0)]),
        ("classical", [(0, 5), (0, 5), (0, 0)]),
        ("trivialaugment", [(0, 5), (0, 5), (0, 0)]),
        ("oversample", [(0, 10), (0, 10), (0, 0)]),
        ("gan", [(0, 11), (0, 11), (0, 0)]),
        ("gan_balanced", [(0, 11), (0, 11), (0, 0)]),
        ("gan_balanced+classical", [(0, 11), (0, 11), (0, 0)]),
        ("gan_shuffled", [(0, 11), (0, 11), (0, 0)]),
        ("pretrain", [(5, 11), (0, 5), (0, 0)]),
        ("synthetic_only", [(0, 11), (5, 11), (0, 0)]),
        ("pseudo_label", [(0, 11), (0, 5), (5, 11)]),
    ],
)
def test_what_each_arm_draws_from(name, expected):
    data = made(name)
    assert bounds(data) == expected
    assert int(data.switch) == (5 if name == "pretrain" else 0)


def test_generated_images_follow_the_real_ones():
    data = made("gan")
    np.testing.assert_array_equal(data.labels[:11], [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1])
    assert data.images.shape[0] == 16  # A power of two.
    assert np.unique(data.images[5:11]).tolist() == [20]


def test_all_arms_share_the_room_of_the_one_with_the_most_images():
    assert made("real").images.shape[0] == 8
    assert made("real", most_images=17).images.shape[0] == 32


def test_shuffled_labels_are_the_same_labels_elsewhere():
    data = made("gan_shuffled")
    np.testing.assert_array_equal(data.labels[:5], REAL.labels)
    shuffled = np.asarray(data.labels[5:11])
    assert sorted(shuffled) == sorted(SYNTHETIC.labels)
    assert not np.array_equal(shuffled, SYNTHETIC.labels)


def test_weights_balance_what_is_drawn_from():
    np.testing.assert_allclose(made("real").class_weights, [1, 1])
    np.testing.assert_allclose(made("real", balanced=True).class_weights, [5 / 8, 5 / 2])


def test_classes_that_generated_images_made_equal_have_equal_weights():
    filled = Labelled(SYNTHETIC.images[:3], np.array([1, 1, 1]))
    data = made("gan_balanced", filled, balanced=True)
    np.testing.assert_allclose(data.class_weights, [1, 1])


def test_taking_follows_the_order_and_refuses_too_many():
    images = Labelled(
        np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1), np.array([0, 1, 0, 1, 0, 0])
    )
    taken = take(images, np.array([2, 1]))
    assert taken.images.ravel().tolist() == [0, 1, 2] and taken.labels.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="class 1 has 2"):
        take(images, np.array([0, 3]))
    assert synthetic_count(7, 0.5) == 4 and synthetic_count(10, 0.0) == 0


def test_the_arms_without_a_gan_have_none():
    assert not any(ARMS[name].synthetic for name in WITHOUT_GAN)
    assert not {"borders_only", *FLOOR} & set(WITHOUT_GAN)


def striped(count, seed=0):
    """Classes told by bright rows or bright columns."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.integers(0, 100, (count, 8, 8, 1), np.uint8)
    images[labels == 0, ::4] += 150
    images[labels == 1, :, ::4] += 150
    return Labelled(images, labels)


def fits(data, spec, seeds=(0, 1), rates=(1e-2, 1e-2)):
    return fit_classifiers(data, spec, np.array(seeds), np.array(rates), quiet=True)


@pytest.mark.parametrize("architecture", ["cnn", "resnet"])
def test_fits_side_by_side_are_the_fits_alone(architecture):
    spec = dataclasses.replace(SPEC, architecture=architecture, steps=40)
    real = striped(40)
    data = training_images(*real, 2)
    together = fits(data, spec)
    test = striped(30, seed=1)
    said = class_probabilities(together, test.images, spec)
    assert said.shape == (2, 30, 2)
    np.testing.assert_allclose(said.sum(axis=2), 1.0, rtol=1e-5)
    alone = class_probabilities(fits(data, spec, (1,), (1e-2,)), test.images, spec)
    np.testing.assert_allclose(said[1], alone[0], atol=2e-3)
    assert (said.argmax(axis=2) == test.labels).mean() > 0.75  # Chance is a half.


def test_a_smaller_learning_rate_learns_less():
    data = training_images(*striped(40), 2)
    spec = dataclasses.replace(SPEC, steps=40)
    said = class_probabilities(fits(data, spec, (0, 0), (1e-2, 1e-6)), striped(30, 1).images, spec)
    assert said[0].max(axis=1).mean() > said[1].max(axis=1).mean() + 0.1


def test_pretraining_ends_on_real_images():
    """Synthetic images with exchanged labels are unlearnt in the second half."""
    real, wrong = striped(40), striped(40, seed=2)
    wrong = Labelled(wrong.images, 1 - wrong.labels)
    budget = budget_of(dataclasses.replace(SPEC, steps=200))
    parts = Parts(real, striped(30, 3), striped(30, 1), None)
    right = {}
    for name in ("pretrain", "synthetic_only"):
        fitted = fit_arm(name, parts, wrong, budget, 0)
        assert fitted.tuned["optimizer_steps"] == 200 and fitted.test.shape == (2, 30, 2)
        right[name] = (fitted.test.argmax(axis=2) == parts.test.labels).mean()
    assert right["pretrain"] > 0.7 and right["synthetic_only"] < 0.15


def test_pseudo_labels_count_only_where_the_classifier_is_sure():
    logits = np.array([[5.0, 0.0], [0.1, 0.0]])
    expected = -np.log(1 / (1 + np.exp(-5.0))) / 2
    np.testing.assert_allclose(pseudo_label_loss(logits), expected, rtol=1e-5)
    gradient = jax.grad(lambda logits: pseudo_label_loss(logits))(logits)
    np.testing.assert_allclose(gradient[1], 0.0)
