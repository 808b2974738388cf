"""Extractors, and the cache of what they give."""

import dataclasses

import jax
import numpy as np
import pytest
from support.random_weights import weights_folder

from gaug_jax.classifiers.fitted import classify, fit_classifier, write_classifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.errors import UserError
from gaug_jax.evaluation import features
from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract, make_extractor
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.evaluation.statistics_cache import cache_entry, cached_extract
from gaug_jax.models.efficientnet import EfficientNetLite0, network_input
from gaug_jax.weights.efficientnet import SHA256, pretrained_efficientnet

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (150, 8, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier():
    spec = ClassifierSpec((8, 8, 1), ("a", "b"), width=4, steps=2, batch_size=8)
    return fit_classifier(IMAGES, np.arange(150) % 2, spec, seed=0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("count", [1, 63, 64, 65, 150])
def test_every_image_counts_whatever_is_left_for_the_last_batch(classifier, count):
    assert jax.local_device_count() == 4
    extracted = extract(classifier_extractor(classifier), array_set("images", IMAGES[:count]))
    expected = classify(classifier.variables, IMAGES[:count], spec=classifier.spec)
    np.testing.assert_allclose(extracted.features, expected.features, atol=1e-5)
    np.testing.assert_allclose(extracted.logits, expected.logits, atol=1e-5)


def test_a_classifiers_file_is_an_extractor(tmp_path, classifier):
    write_classifier(tmp_path / "c.npz", classifier)
    extractor = make_extractor(f"classifier:{tmp_path / 'c.npz'}", resize_mode="tf1")
    assert extractor.weights_sha256 == classifier_extractor(classifier).weights_sha256
    with pytest.raises(UserError, match="does not exist"):
        make_extractor(f"classifier:{tmp_path / 'gone.npz'}", resize_mode="tf1")


def test_a_classifier_takes_images_of_its_shape_alone(classifier):
    other = array_set("wide images", np.zeros((3, 8, 9, 1), np.uint8))
    with pytest.raises(UserError, match="wide images has images of"):
        extract(classifier_extractor(classifier), other)


def test_pixels_are_scaled_and_flat():
    extracted = extract(make_extractor("pixels", resize_mode="tf1"), array_set("images", IMAGES))
    np.testing.assert_allclose(extracted.features, IMAGES.reshape(150, -1) / 127.5 - 1, atol=1e-6)
    assert extracted.logits is None


def test_a_users_function_by_its_path(tmp_path, monkeypatch):
    (tmp_path / "my_features.py").write_text(
        "def means(images):\n    return images.mean(axis=(1, 2))\n"
        "def wrong(images):\n    return images\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    images = array_set("images", IMAGES)
    extractor = make_extractor("my_features.means", resize_mode="tf1")
    np.testing.assert_allclose(
        extract(extractor, images).features, IMAGES.mean(axis=(1, 2)), rtol=1e-6
    )
    cached_extract(extractor, images)
    assert not cache_entry(extractor, images).exists()  # Its code may change.
    with pytest.raises(UserError, match="returned the shape"):
        extract(make_extractor("my_features.wrong", resize_mode="tf1"), images)
    with pytest.raises(UserError, match="cannot be imported"):
        make_extractor("my_features.none", resize_mode="tf1")
    with pytest.raises(UserError, match="cannot be imported"):
        make_extractor("no_such_package.means", resize_mode="tf1")


@pytest.mark.parametrize("name", ["incepton", "a b.c", "classifier", ""])
def test_unknown_extractors_are_refused(name):
    with pytest.raises(UserError, match="--features"):
        make_extractor(name, resize_mode="tf1")


def test_an_unknown_resize_mode_is_refused():
    with pytest.raises(UserError, match="tf2"):
        make_extractor("pixels", resize_mode="tf2")


def counted(extractor):
    """The same extractor, and how often it was called."""
    calls = []

    def function(images):
        calls.append(len(images))
        return extractor.function(images)

    return dataclasses.replace(extractor, function=function), calls


def test_the_cache_gives_the_same_features_without_the_extractor(classifier):
    extractor, calls = counted(classifier_extractor(classifier))
    images = array_set("images", IMAGES)
    first = cached_extract(extractor, images)
    assert calls
    calls.clear()
    second = cached_extract(extractor, images)
    assert not calls
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.logits, second.logits)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other rows"])
def test_a_damaged_entry_is_made_anew(classifier, damage):
    extractor, calls = counted(classifier_extractor(classifier))
    images = array_set("images", IMAGES)
    first = cached_extract(extractor, images)
    entry = cache_entry(extractor, images)
    content = bytearray(entry.read_bytes())
    if damage == "cut":
        entry.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[len(content) // 3] ^= 1
        entry.write_bytes(content)
    elif damage == "empty":
        entry.write_bytes(b"")
    else:
        np.savez(entry, features=first.features[:-1], logits=first.logits[:-1])
    calls.clear()
    np.testing.assert_array_equal(cached_extract(extractor, images).features, first.features)
    assert calls
    calls.clear()
    cached_extract(extractor, images)
    assert not calls


def test_every_option_and_every_pixel_is_in_the_key(classifier):
    extractor = classifier_extractor(classifier)
    images = array_set("images", IMAGES)
    changed = IMAGES.copy()
    changed[7, 3, 3] ^= 1
    others = [
        (dataclasses.replace(extractor, name="inception"), images),
        (dataclasses.replace(extractor, resize="clean"), images),
        (dataclasses.replace(extractor, weights_sha256="0" * 64), images),
        (extractor, array_set("images", changed)),
        (extractor, array_set("images", IMAGES[::-1])),
        (extractor, array_set("images", IMAGES[:-1])),
    ]
    keys = {cache_entry(*pair).name for pair in [(extractor, images), *others]}
    assert len(keys) == 7
    assert cache_entry(extractor, array_set("elsewhere", IMAGES)) == cache_entry(extractor, images)


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch, classifier):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "file"))
    extracted = cached_extract(classifier_extractor(classifier), array_set("images", IMAGES))
    assert len(extracted.features) == 150


def small_ones(size, channels):
    return np.random.default_rng(1).integers(0, 256, (3, *size, channels), dtype=np.uint8)


def pooled(x):
    """What the network with its batch norms, as the file has them, says."""
    network = EfficientNetLite0(implementation="shifts")
    variables = pretrained_efficientnet().variables
    return jax.jit(lambda x: network.apply(variables, x, train=False).features)(x)


def test_pretrained_features_are_the_networks():
    images = small_ones((40, 33), 3)
    extractor = make_extractor("pretrained", resize_mode="tf1")
    extracted = extract(extractor, array_set("images", images))
    weights = pretrained_efficientnet()
    expected = pooled(network_input(images))
    np.testing.assert_allclose(extracted.features, expected, atol=1e-4)
    assert extracted.logits is None
    assert extractor.weights_sha256 == weights.sha256 == SHA256
    assert extractor.cacheable and extractor.official
    assert extractor.batch_size % jax.local_device_count() == 0


def test_pretrained_takes_grey_and_small_images():
    extractor = make_extractor("pretrained", resize_mode="tf1")
    grey = small_ones((8, 40), 1)
    ours = extract(extractor, array_set("grey", grey)).features
    larger = np.asarray(jax.image.resize(network_input(grey), (3, 32, 40, 3), "bilinear"))
    np.testing.assert_allclose(ours, pooled(larger), atol=1e-4)


def test_without_a_choice_it_is_inception_only_where_its_file_is(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("GAUG_INCEPTION_WEIGHTS", raising=False)
    assert features.resolved_features("") == "pretrained"
    assert features.resolved_features("pixels") == "pixels"
    monkeypatch.setenv("GAUG_INCEPTION_WEIGHTS", str(weights_folder()))
    assert features.resolved_features("") == "inception"
    with pytest.raises(UserError, match="gone.pth does not exist"):
        features.resolved_features("", str(tmp_path / "gone.pth"))


def test_the_batch_is_shared_by_the_devices():
    extractor = make_extractor(
        "inception", resize_mode="tf1", inception_weights=str(weights_folder()),
        allow_unofficial_weights=True,
    )  # fmt: skip
    assert isinstance(extractor, Extractor)
    assert extractor.batch_size % jax.local_device_count() == 0
    assert features._whole_batch(9) == 12
