"""Attributes of patients: how they are read of metadata, and what tells them of images."""

import warnings

import numpy as np
import pytest

from gaug_jax.auditing.attributes import attribute_reader, read_attributes, told_by_labels


def of(column, *texts):
    """Returns metadata with one column; of None there is no entry."""
    return [{} if text is None else {column: text} for text in texts]


def the_only(metadata, train):
    (found,) = read_attributes(metadata, np.array(train))
    return found


def test_sex_is_the_rarer_value_of_the_training_images():
    # Of all six F is rarer, of the four that are trained on M is.
    metadata = of("sex", "F", "F", "M", "F", "M", "M", "M")
    found = the_only(metadata, [0, 1, 2, 3])
    assert found.name == "sex is M"
    assert found.value.tolist() == [False, False, True, False, True, True, True]
    assert found.known.all()


def test_location_is_the_commonest_value_of_the_training_images():
    metadata = of("location", "Rome", "Oslo", "Oslo", "Rome", "Rome")
    assert the_only(metadata, [0, 1, 2]).name == "location is Oslo"
    assert the_only(metadata, [0, 1, 3]).name == "location is Rome"


def test_age_is_above_the_median_of_the_training_images():
    metadata = of("age", "30", "40", "7.5", "100", "41")
    found = the_only(metadata, [0, 1, 2])
    assert found.name == "age is above 30"
    assert found.value.tolist() == [False, True, False, True, True]
    assert the_only(metadata, [0, 1, 3, 4]).name == "age is above 40.5"


@pytest.mark.parametrize("unknown", ["", None])
def test_what_is_not_there_is_not_known_and_does_not_count(unknown):
    # The empty text is the rarest of three.
    metadata = of("sex", "F", "M", "M", "F", "F", unknown)
    found = the_only(metadata, range(6))
    assert found.name == "sex is M"
    assert found.known.tolist() == [True] * 5 + [False]
    assert not found.value[5]


def test_an_age_that_is_no_number_is_not_known():
    metadata = of("age", "30", "old", "50", "", "nan", "70", None)
    found = the_only(metadata, range(7))
    assert found.name == "age is above 50"
    assert found.known.tolist() == [True, False, True, False, False, True, False]
    assert found.value.tolist() == [False, False, False, False, False, True, False]


def test_ages_that_are_no_numbers_are_no_attribute():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_attributes(of("age", "old", "young", "old"), np.arange(3)) == []


@pytest.mark.parametrize("column", ["sex", "age", "location"])
def test_one_value_among_the_training_images_is_no_attribute(column):
    metadata = of(column, "5", "5", None, "6")
    assert read_attributes(metadata, np.array([0, 1, 2])) == []
    assert len(read_attributes(metadata, np.array([0, 1, 3]))) == 1


def test_several_columns_are_several_attributes_and_others_are_none():
    metadata = [
        {"sex": "FM"[index % 2], "age": str(index), "location": "AB"[index % 3 == 0], "view": "PA"}
        for index in range(9)
    ]
    names = [found.name for found in read_attributes(metadata, np.arange(9))]
    assert names == ["sex is M", "age is above 4", "location is A"]
    assert read_attributes([{"view": "PA"}, {"view": "AP"}], np.arange(2)) == []


def planted(count, seed, strength=3.0):
    """Returns features of noise, of which one direction tells the value."""
    rng = np.random.default_rng(seed)
    value = np.arange(count) % 3 == 0
    features = rng.normal(size=(count, 8))
    features[:, 2] += strength * value
    features[:, 5] -= strength * value
    return features, value


def test_a_planted_attribute_is_told_of_images_that_were_not_seen():
    read = attribute_reader(*planted(90, seed=0))
    features, value = planted(120, seed=1)
    probability = read(features)
    assert probability.shape == (120,)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert np.mean((probability > 0.5) == value) > 0.95
    assert np.mean(probability[value][:, None] > probability[~value]) > 0.99


def test_what_is_not_there_is_not_told():
    read = attribute_reader(*planted(90, seed=0, strength=0.0))
    features, value = planted(600, seed=1, strength=0.0)
    probability = read(features)
    # The share of pairs in their right order, which is a half by chance.
    assert np.mean(probability[value][:, None] > probability[~value]) == pytest.approx(0.5, abs=0.1)


def test_the_other_value_has_the_other_probability():
    features, value = planted(60, seed=2)
    one, other = attribute_reader(features, value), attribute_reader(features, ~value)
    np.testing.assert_allclose(one(features), 1 - other(features), atol=1e-3)


@pytest.mark.parametrize(("count", "columns"), [(2, 1), (2, 8), (3, 200), (90, 1)])
def test_few_images_or_features_are_enough(count, columns):
    features = np.linspace(0, 1, count)[:, None] + np.zeros((1, columns))
    read = attribute_reader(features, np.arange(count) == count - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = read(features)
    assert told[-1] > told[0] and np.isfinite(told).all()


@pytest.mark.parametrize("value", [True, False])
def test_one_value_alone_is_refused(value):
    with pytest.raises(ValueError, match="one value of the attribute alone"):
        attribute_reader(np.eye(4), np.full(4, value))


def test_a_label_tells_the_share_of_its_class():
    labels = np.array([0, 0, 0, 0, 2, 2])
    value = np.array([True, False, False, False, True, True])
    # Of class 1 nothing is known: the share of all, a half.
    told = told_by_labels(labels, value, np.array([2, 0, 1, 0, -1]))
    np.testing.assert_array_equal(told, [1.0, 0.25, 0.5, 0.25, 0.5])
