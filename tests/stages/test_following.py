"""How training follows its generator: what is drawn, by which features, and what is said."""

import numpy as np
import pytest
from support.settings_for_tests import NUM_CLASSES, small_images, small_settings

from gaug_jax.classifiers.fitted import FittedClassifier
from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError
from gaug_jax.evaluation.features import Extractor
from gaug_jax.evaluation.metrics.kid import kid
from gaug_jax.stages import following as module
from gaug_jax.stages.following import check_validation, make_score
from gaug_jax.workfolder import WorkFolder

TRAIN = Labelled(*small_images(30))
VALIDATION = Labelled(*(each[::-1] for each in small_images(36)))
NAMES = ("a", "b", "c")


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_validation_part_that_is_too_small_is_refused(count):
    message = f"of 6 images, and it has {count}: raise config.data.validation_fraction"
    with pytest.raises(UserError, match=message):
        check_validation(count)


@pytest.mark.parametrize("count", [6, 7, 1000])
def test_six_images_are_enough_and_have_every_figure(tmp_path, count):
    check_validation(count)
    six = Labelled(VALIDATION.images[:6], VALIDATION.labels[:6])
    assert None not in made(tmp_path, validation=six)(Drawing(six.images)).values()


class Drawing:
    """Draws given images, and keeps the labels that it is asked for."""

    def __init__(self, images):
        self.images, self.labels = images, []

    def __call__(self, labels):
        self.labels.append(labels)
        return self.images[: len(labels)]


def made(path, *, names=NAMES, validation=VALIDATION, features="pixels"):
    settings = small_settings(evaluate__training_features=features)
    return make_score(settings, WorkFolder(path), TRAIN, validation, names)


def test_as_many_of_the_same_classes_are_drawn_at_every_score(tmp_path):
    score, drawing = made(tmp_path), Drawing(VALIDATION.images)
    for _ in range(2):
        score(drawing)
    assert len(drawing.labels) == 2
    for labels in drawing.labels:
        np.testing.assert_array_equal(labels, VALIDATION.labels)
        assert np.bincount(labels).tolist() == [36 // NUM_CLASSES] * NUM_CLASSES


def test_the_figures_of_images_like_the_validation_part_and_of_others(tmp_path):
    score = made(tmp_path)
    same = score(Drawing(VALIDATION.images))
    other = score(Drawing(255 - VALIDATION.images))
    assert list(same) == ["kid_mean", "precision_k5", "recall_k5"]
    assert all(type(value) is float for value in same.values())
    assert (same["precision_k5"], same["recall_k5"]) == (1.0, 1.0)
    assert (other["precision_k5"], other["recall_k5"]) == (0.0, 0.0)
    assert other["kid_mean"] > same["kid_mean"]
    assert score(Drawing(VALIDATION.images)) == same


def test_pixels_are_between_minus_one_and_one(tmp_path):
    drawn = np.roll(VALIDATION.images, 1, axis=2)
    real, fake = (
        images.reshape(36, -1).astype(np.float32) / 127.5 - 1
        for images in (VALIDATION.images, drawn)
    )
    expected = kid(real, fake, np.random.default_rng([0, 0])).mean
    assert made(tmp_path)(Drawing(drawn))["kid_mean"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("names", "features"), [(("a",), "classifier"), (NAMES, "pixels")])
def test_no_classifier_is_fitted_of_one_class_or_where_pixels_are_asked_for(
    tmp_path, monkeypatch, names, features
):
    monkeypatch.delattr(module, "domain_classifier")
    score = made(tmp_path / "W", names=names, features=features)
    assert score(Drawing(VALIDATION.images))["precision_k5"] == 1.0
    assert not (tmp_path / "W").exists()


def test_the_classifier_is_of_the_training_part_and_made_once(tmp_path, monkeypatch):
    asked, seen = [], []

    def fit(path, train, names, seed):
        asked.append((path, train, names, seed))
        return FittedClassifier(None, {})

    def see(images):
        seen.append(len(images))
        return images.mean(axis=(2, 3)), None

    monkeypatch.setattr(module, "domain_classifier", fit)
    monkeypatch.setattr(module, "classifier_extractor", lambda _: Extractor("rows", see))
    score = made(tmp_path, features="classifier")
    assert asked == [(WorkFolder(tmp_path).classifier, TRAIN, NAMES, 0)]
    assert len(seen) == 1
    for _ in range(2):
        score(Drawing(VALIDATION.images))
    # The validation part is seen once, and what is drawn each time.
    assert len(asked) == 1 and len(seen) == 3
