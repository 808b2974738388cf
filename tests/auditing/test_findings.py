"""Copies are found where they are planted, and not where there are none."""

import numpy as np
import pytest

from gaug_jax.auditing import findings
from gaug_jax.auditing.findings import Part
from gaug_jax.evaluation.metrics.intervals import UndefinedFigureError

FEATURES = 30


def patients(generator, count, images=2):
    """Returns images of so many patients, those of one patient alike."""
    persons = generator.normal(size=(count, FEATURES))
    noise = generator.normal(size=(count * images, FEATURES))
    return Part(np.repeat(persons, images, 0) + 0.3 * noise, np.repeat(np.arange(count), images))


@pytest.fixture(params=[50, 200, 1000])
def real(request):
    """Returns training, held-out and further images, of different patients."""
    generator = np.random.default_rng(request.param)
    count = request.param
    train, held_out, further = (
        patients(generator, size // 2) for size in (count, count, 2 * count)
    )
    return train, held_out._replace(groups=held_out.groups + 10**6), further.features


def audited(generated, train, held_out):
    return (
        findings.copies(generated, train, held_out, seed=0),
        findings.membership_by_closeness(generated, train, held_out, seed=0),
    )


def test_a_generator_that_copies_is_caught(real):
    train, held_out, _ = real
    generator = np.random.default_rng(1)
    rows = generator.integers(0, len(train.features), 2 * len(train.features))
    generated = train.features[rows] + 0.2 * generator.normal(size=(len(rows), FEATURES))
    copies, attack = audited(generated, train, held_out)
    assert findings.is_copying(copies) and findings.is_attacked(attack)
    assert copies["data_copying_score"] < -5 and attack["auroc"] > 0.9
    assert copies["nearer_to_training"] > 0.7
    assert copies["authenticity"] < 0.2 < copies["authenticity_held_out"]
    assert copies["closer_than_strangers"] > 0.5 > copies["closer_than_strangers_held_out"]


def test_real_images_passed_off_as_generated_are_not_caught(real):
    train, held_out, further = real
    copies, attack = audited(further, train, held_out)
    assert not findings.is_copying(copies) and not findings.is_attacked(attack)
    assert attack["auroc_low"] < 0.5 < attack["auroc_high"]
    control = attack["control"]
    assert control["auroc_low"] < 0.5 < control["auroc_high"]
    assert copies["nearer_to_training"] == pytest.approx(0.5, abs=0.2)  # Few patients.


def test_the_control_finds_nothing_in_a_copy_either(real):
    train, held_out, _ = real
    attack = findings.membership_by_closeness(train.features + 0.01, train, held_out, seed=2)
    assert findings.is_attacked(attack)
    assert attack["control"]["auroc_low"] < 0.5 < attack["control"]["auroc_high"]


def test_a_control_that_finds_something_is_said():
    control = {"auroc_low": 0.55, "auroc_high": 0.7}
    assert not findings.is_sound({"auroc_low": 0.6, "control": control})
    assert findings.is_sound({"auroc_low": 0.6, "control": {"auroc_low": 0.45, "auroc_high": 0.6}})


def test_a_shift_between_the_parts_is_no_membership(real):
    # Held-out images that are spread wider are farther from everything.
    train, held_out, further = real
    wider = held_out._replace(features=1.25 * held_out.features)
    copies, attack = audited(further, train, wider)
    assert attack["shift"]["auroc"] > 0.6
    assert not findings.is_attacked(attack)


def test_images_near_to_everything_are_no_copies(real):
    train, held_out, further = real
    copies, attack = audited(0.5 * further, train, held_out)
    assert copies["data_copying_score"] < -3 and copies["data_copying_score_exchanged"] < -3
    assert not findings.is_copying(copies) and not findings.is_attacked(attack)


def test_a_few_copies_among_others_are_found(real):
    train, held_out, further = real
    generated = np.concatenate([further, train.features[::10] + 0.01])
    copies, _ = audited(generated, train, held_out)
    assert copies["data_copying_score"] > -3
    if len(held_out.features) > 50:  # Fifty images cannot be told apart by so few.
        assert findings.is_copying(copies)


def test_scores_of_each_class_get_one_scale():
    scores = [np.array([1.0, 2.0, 300.0]), np.array([3.0, 100.0])]
    first, second = findings.standardised(scores, [np.array([0, 0, 1]), np.array([0, 1])])
    np.testing.assert_allclose(first, [-1.2247449, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(second, [1.2247449, -1.0], atol=1e-6)


def test_one_group_has_neither_strangers_nor_halves():
    generator = np.random.default_rng(0)
    one, many = patients(generator, 1, 30), patients(generator, 30)
    many = many._replace(groups=many.groups + 1)
    with pytest.raises(UndefinedFigureError, match="of one group"):
        findings.copies(many.features, one, many, seed=0)
    for train, held_out in ((one, many), (many, one)):
        with pytest.raises(UndefinedFigureError):
            findings.membership_by_closeness(many.features, train, held_out, seed=0)


@pytest.mark.parametrize("count", [50, 200, 1000])
@pytest.mark.parametrize("copying", [True, False], ids=["copies", "honest"])
def test_on_real_digits_copies_are_caught_and_honest_samples_are_not(count, copying):
    from sklearn.datasets import load_digits

    generator = np.random.default_rng(count)
    images = generator.permutation(load_digits().data / 16.0)
    held_out = Part(images[count : count + 300], np.arange(300) + 10**6)
    train = Part(images[:count], np.arange(count))
    generated = images[count + 300 :][: 2 * count]
    if copying:
        generated = np.tile(train.features, (2, 1))
        generated = (generated + 0.05 * generator.normal(size=generated.shape)).clip(0.0, 1.0)
    copies, attack = audited(generated, train, held_out)
    assert findings.is_copying(copies) is copying
    assert findings.is_attacked(attack) is copying
    assert findings.is_sound(attack)
