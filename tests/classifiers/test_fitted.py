"""The classifier: what it learns, that it repeats itself, and how it is written and read."""

import dataclasses

import jax
import numpy as np
import pytest

from gaug_jax.classifiers.fitted import (
    classifier_sha256,
    classify,
    fit_classifier,
    read_classifier,
    write_classifier,
)
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.errors import UserError
from gaug_jax.models.classifier import Classifier

SPEC = ClassifierSpec((8, 8, 1), ("columns", "rows", "none"), width=8, steps=200, batch_size=16)


def bars(count, seed=0):
    """Images with bright columns, bright rows or neither, and noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % 3
    images = random.integers(0, 120, (count, 8, 8, 1), np.uint8)
    images[labels == 0, :, ::4] += 120
    images[labels == 1, ::4] += 120
    return images, labels


@pytest.fixture(scope="module")
def fitted():
    return fit_classifier(*bars(60), SPEC, seed=0, learning_rate=1e-2)


def test_it_learns(fitted):
    images, labels = bars(90, seed=1)
    classified = classify(fitted.variables, images, spec=fitted.spec)
    assert classified.features.shape == (90, 8)
    assert classified.logits.dtype == np.float32
    # Chance is a third.
    assert np.mean(np.argmax(classified.logits, axis=1) == labels) > 0.9


def test_the_same_seed_gives_the_same_classifier(fitted):
    again = fit_classifier(*bars(60), SPEC, seed=0, learning_rate=1e-2)
    other = fit_classifier(*bars(60), SPEC, seed=1, learning_rate=1e-2)
    assert classifier_sha256(again) == classifier_sha256(fitted)
    assert classifier_sha256(other) != classifier_sha256(fitted)


def test_an_image_counts_for_itself_alone(fitted):
    # Padding a batch must not change the features of the images in it.
    images, _ = bars(9)
    alone = classify(fitted.variables, images[:1], spec=fitted.spec)
    among = classify(fitted.variables, images, spec=fitted.spec)
    np.testing.assert_allclose(alone.features[0], among.features[0], rtol=1e-5, atol=1e-6)


def test_width_doubles_with_every_halving():
    network = Classifier(num_classes=5, width=4)
    image = jax.ShapeDtypeStruct((2, 32, 32, 3), np.float32)
    variables = jax.eval_shape(
        lambda image: network.init(jax.random.key(0), image, train=False), image
    )
    classified = jax.eval_shape(lambda *given: network.apply(*given, train=False), variables, image)
    assert classified.features.shape == (2, 16)
    assert classified.logits.shape == (2, 5)


def test_what_was_written_is_read_back(fitted, tmp_path):
    path = tmp_path / "classifier.npz"
    write_classifier(path, fitted)
    read = read_classifier(path)
    assert read.spec == fitted.spec
    assert classifier_sha256(read) == classifier_sha256(fitted)


def test_what_is_no_classifier_is_refused(fitted, tmp_path):
    path = tmp_path / "classifier.npz"
    with pytest.raises(UserError, match=r"classifier\.npz does not exist"):
        read_classifier(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(UserError, match=r"classifier\.npz is no classifier of this project"):
        read_classifier(path)
    write_classifier(path, fitted)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is no classifier"):
        read_classifier(path)
    other = fitted._replace(spec=dataclasses.replace(fitted.spec, width=4))
    write_classifier(path, other)
    with pytest.raises(UserError, match="not those of its spec"):
        read_classifier(path)
    np.savez(path, spec=np.array([print], object))
    with pytest.raises(UserError, match="is no classifier"):
        read_classifier(path)


def test_what_cannot_be_fitted_is_refused():
    images, labels = bars(9)
    with pytest.raises(ValueError, match="two classes or more"):
        fit_classifier(images, labels, dataclasses.replace(SPEC, class_names=("one",)), 0)
    with pytest.raises(ValueError, match="and the spec says"):
        fit_classifier(images[:, :4], labels, SPEC, 0)
