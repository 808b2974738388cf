"""The classifier that begins with EfficientNet-Lite0's published weights, and how it is fitted."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gaug_jax.classifiers.fit import fit_classifiers, training_images
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.images import to_unit
from gaug_jax.models.efficientnet import EfficientNetLite0, network_input
from gaug_jax.models.pretrained_classifier import PretrainedClassifier, layer_scales, started
from gaug_jax.weights.efficientnet import pretrained_efficientnet

SPEC = ClassifierSpec(
    (32, 32, 1), ("a", "b"), "pretrained", steps=2, batch_size=4, augmentation="none",
    frozen_statistics=True, layer_decay=0.8, weight_decay=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def published():
    return pretrained_efficientnet().variables


@functools.cache
def drawn():
    """Returns variables that a classifier of two classes draws."""
    image = jnp.zeros((1, 64, 64, 3))
    init = jax.jit(lambda key: PretrainedClassifier(2).init(key, image, train=False))
    return init(jax.random.key(0))


def noise(size, channels, count=3):
    """Images that are smoother than noise, with values at both ends."""
    random = np.random.default_rng(size + channels)
    small = random.integers(0, 256, (count, size // 4, size // 4, channels))
    images = small.repeat(4, axis=1).repeat(4, axis=2) + random.normal(
        0.0, 20.0, (count, size, size, channels)
    )
    return images.clip(0, 255).astype(np.uint8)


@jax.jit
def at_first(variables, images):
    return PretrainedClassifier(2).apply(variables, images, train=False)


@jax.jit
def theirs(variables, x):
    return EfficientNetLite0(1000).apply(variables, x, train=False).features


@pytest.mark.parametrize("channels", [1, 3])
def test_it_begins_with_the_published_features_and_logits_of_zero(published, channels):
    images = noise(64, channels)
    found = at_first(started(drawn(), published), to_unit(images))
    assert found.features.shape == (3, 1280) and found.logits.dtype == jnp.float32
    np.testing.assert_array_equal(found.logits, np.zeros((3, 2)))
    expected = theirs(published, network_input(images))
    np.testing.assert_allclose(found.features, expected, atol=2e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_are_resized_to_64x64_as_by_pillow(published, channels):
    images = noise(32, channels)
    planes = [
        Image.fromarray(image[..., channel].astype(np.float32)).resize(
            (64, 64), Image.Resampling.BICUBIC
        )
        for image in images
        for channel in range(channels)
    ]
    larger = np.stack([np.asarray(plane) for plane in planes]).reshape(3, channels, 64, 64)
    larger = larger.transpose(0, 2, 3, 1)
    # Beyond the ends: what the filter makes there is clipped.
    assert larger.min() < -5.0 and larger.max() > 260.0
    found = at_first(started(drawn(), published), to_unit(images))
    expected = theirs(published, network_input(larger.clip(0.0, 255.0)))
    np.testing.assert_allclose(found.features, expected, atol=5e-3)


def test_only_the_classifier_is_drawn(published):
    variables = started(drawn(), published)
    assert jax.tree.structure(variables) == jax.tree.structure(drawn())
    network = variables["params"]["network"]
    jax.tree.map(
        np.testing.assert_array_equal,
        network["classifier"], drawn()["params"]["network"]["classifier"],
    )  # fmt: skip
    assert network["classifier"]["kernel"].shape == (1280, 2)
    for name, unit in network.items():
        if name != "classifier":
            jax.tree.map(np.testing.assert_array_equal, unit, published["params"][name])
    jax.tree.map(
        np.testing.assert_array_equal,
        variables["batch_stats"]["network"], published["batch_stats"],
    )  # fmt: skip
    assert published["params"]["classifier"]["kernel"].shape == (1280, 1000)


def scales(decay):
    found = layer_scales(drawn()["params"], decay)["network"]
    return {name: set(map(float, jax.tree.leaves(unit))) for name, unit in found.items()}


def test_rates_fall_from_the_classifier_to_the_stem():
    found = scales(0.5)
    assert found["classifier"] == {1.0} and found["head"] == {0.5}
    for block in range(16):
        units = {name: each for name, each in found.items() if name.startswith(f"block{block}.")}
        assert len(units) == (3 if block else 2)
        assert set.union(*units.values()) == {0.5 ** (2 + 15 - block)}
    assert found["stem"] == {0.5**18} and min(map(min, found.values())) == 0.5**18
    assert len(found) == 3 + 47


def test_without_a_decay_all_rates_are_the_same():
    assert set.union(*scales(1.0).values()) == {1.0}


def test_only_the_pretrained_architecture_has_rates_by_layer():
    params = drawn()["params"]
    pretrained = ClassifierSpec((64, 64, 1), ("a", "b"), "pretrained", layer_decay=0.5)
    found = pretrained.rate_scales(params)["network"]
    assert float(found["stem"]["kernel"]) == 0.5**18
    other = ClassifierSpec((64, 64, 1), ("a", "b"), "cnn", layer_decay=0.5)
    assert set(jax.tree.leaves(other.rate_scales(params))) == {1.0}


def fit(seeds, rates):
    data = training_images(noise(32, 1, 8), np.arange(8) % 2, 2)
    return fit_classifiers(data, SPEC, np.array(seeds), np.array(rates), quiet=True)


def of_fit(variables, place):
    return jax.tree.map(lambda leaf: np.asarray(leaf[place]), variables)


@functools.cache
def fitted(rate):
    """Returns the variables of a fit by itself."""
    return of_fit(fit([1], [rate]), 0)


def test_a_learning_rate_of_0_leaves_what_was_published(published):
    params = fitted(0.0)["params"]["network"]
    assert not params["classifier"]["kernel"].any()
    for name in set(params) - {"classifier"}:
        jax.tree.map(np.testing.assert_array_equal, params[name], published["params"][name])


def test_frozen_statistics_stay_as_they_were_published(published):
    statistics = fitted(1e-3)["batch_stats"]["network"]
    jax.tree.map(np.testing.assert_array_equal, statistics, published["batch_stats"])


def test_layers_learn_by_the_rate_that_is_theirs(published):
    """The classifier begins at zero, so that the first of the two steps has no gradient for others.

    At the second the cosine is at a half, and Adam's step is of 0.1 / (1 - 0.9^2) of a gradient
    over the root of 0.001 / (1 - 0.999^2) of its square.
    """
    params = fitted(1e-3)["params"]["network"]
    step = 0.5e-3 * (0.1 / (1 - 0.9**2)) / (0.001 / (1 - 0.999**2)) ** 0.5
    for name, below in (("head", 1), ("block15.project", 2), ("block8.expand", 9),
                        ("block0.depthwise", 17), ("stem", 18)):  # fmt: skip
        moved = np.abs(params[name]["kernel"] - published["params"][name]["kernel"])
        assert moved.max() == pytest.approx(step * 0.8**below, rel=0.1), name
    assert 1e-3 < np.abs(params["classifier"]["kernel"]).max() < 1.6e-3


@pytest.mark.slow
def test_fits_side_by_side_are_the_fits_alone():
    """Three, since two are made one after another, or at the same time by a program each."""
    together = fit([0, 1, 1], [1e-3, 1e-3, 0.0])
    images = to_unit(noise(32, 1))
    logits = [at_first(of_fit(together, place), images).logits for place in range(3)]
    alone = at_first(fitted(1e-3), images).logits
    np.testing.assert_allclose(logits[1], alone, atol=1e-3 * np.abs(alone).max())
    assert np.abs(logits[0] - alone).max() > 0.01 * np.abs(alone).max() > 1e-5
    assert not np.any(logits[2])


@pytest.mark.parametrize("frozen", [True, False])
def test_statistics_move_in_training_unless_they_are_frozen(published, frozen):
    network = PretrainedClassifier(2, frozen_statistics=frozen)
    apply = functools.partial(network.apply, train=True, mutable=["batch_stats"])
    variables = started(drawn(), published)
    found, changed = jax.jit(apply)(variables, to_unit(noise(64, 1)))
    before = variables["batch_stats"]["network"]["stem"]["norm"]["mean"]
    after = changed["batch_stats"]["network"]["stem"]["norm"]["mean"]
    assert (np.abs(after - before).max() > 1e-6) != frozen
    running = at_first(variables, to_unit(noise(64, 1))).features
    assert np.allclose(found.features, running, atol=1e-3) == frozen
