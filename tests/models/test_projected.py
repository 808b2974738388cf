"""The discriminator through a frozen network: its mixtures, its scores, and what may learn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import small_spec

from gaug_jax.errors import UserError
from gaug_jax.gan.drawing import discriminator_features, score
from gaug_jax.gan.scores import of_images
from gaug_jax.gan.state import new_state
from gaug_jax.images import to_unit
from gaug_jax.models.efficientnet import network_input
from gaug_jax.models.projected import Mixtures, ProjectedDiscriminator
from gaug_jax.weights.efficientnet import frozen_depths, frozen_efficientnet

RANDOM = np.random.default_rng(0)
WIDTH = 4


def made_depths(images):
    """Features of made maps: sizes as of the frozen network, a few channels."""
    batch, size, _, _ = images.shape
    return tuple(
        jnp.repeat(jax.image.resize(images, (batch, size // stride, size // stride, 1), "linear"),
                   channels, axis=3) * jnp.arange(1, channels + 1)
        for stride, channels in ((4, 3), (8, 4), (16, 5), (32, 6))
    )  # fmt: skip


def network(**options):
    return ProjectedDiscriminator(WIDTH, made_depths, **options)


def images_of(size, count=3):
    return jnp.asarray(RANDOM.uniform(-1, 1, (count, size, size, 1)), jnp.float32)


def initialised(discriminator, images, labels=None):
    init = jax.jit(functools.partial(discriminator.init, train=False))
    return init(jax.random.key(0), images, labels)


def doubled(maps):
    """Bilinear enlargement with half-pixel centres, edges repeated: by its definition."""

    def along(values, axis):
        values = np.moveaxis(values, axis, 0)
        padded = np.concatenate([values[:1], values, values[-1:]])
        before, after = 0.25 * padded[:-2] + 0.75 * values, 0.75 * values + 0.25 * padded[2:]
        stacked = np.stack([before, after], axis=1)
        return np.moveaxis(stacked.reshape(-1, *values.shape[1:]), 0, axis)

    return along(along(maps, 1), 2)


def test_mixtures_are_those_of_the_paper():
    """Against the same sums in NumPy, float64: channels first, then scales from the coarsest."""
    images = images_of(64, 2)
    mixtures = Mixtures(WIDTH)
    variables = mixtures.init(jax.random.key(0), made_depths(images))
    stats = {name: np.asarray(each, np.float64) for name, each in variables["batch_stats"].items()}
    depths = [np.asarray(each, np.float64) for each in made_depths(images)]
    before, expected = None, []
    for number in (3, 2, 1, 0):
        maps = depths[number] @ stats[f"channels_{number}"]
        maps = maps if before is None else maps + before
        before = doubled(maps @ stats[f"scales_{number}"])
        expected.append(before)
    found = mixtures.apply(variables, made_depths(images))
    assert [each.shape[1:] for each in found] == [
        (32, 32, WIDTH), (16, 16, WIDTH), (8, 8, 2 * WIDTH), (4, 4, 4 * WIDTH),
    ]  # fmt: skip
    for mine, theirs in zip(found, reversed(expected), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [32, 64])
def test_every_image_has_sixteen_scores_of_each_discriminator(size):
    images = images_of(size)
    discriminator = network()
    variables = initialised(discriminator, images)
    scores, found = discriminator.apply(variables, images, train=False, mutable=["intermediates"])
    assert scores.shape == (3, 64) and np.isfinite(scores).all()
    assert found["intermediates"]["features"][0].shape[0] == 3
    # The coarsest one has 2x2 places of images of 32 pixels, each said four times.
    places = np.asarray(scores[:, -16:]).reshape(3, 4, 4)
    if size == 32:
        np.testing.assert_array_equal(places[:, ::2, ::2], places[:, 1::2, 1::2])
    np.testing.assert_allclose(of_images(scores), np.asarray(scores).mean(axis=1), rtol=1e-6)


def test_labels_tell_in_every_discriminator():
    images, labels = images_of(32), jnp.array([0, 1, 2])
    discriminator = network(num_classes=3)
    variables = initialised(discriminator, images, labels)
    one, other = (discriminator.apply(variables, images, each, train=False)
                  for each in (labels, (labels + 1) % 3))  # fmt: skip
    difference = np.abs(np.asarray(one - other)).reshape(3, 4, 16).max(axis=2)
    assert (difference > 0).all()


def test_projections_are_kept_and_never_learn():
    images = images_of(32)
    discriminator = network()
    variables = initialised(discriminator, images)
    _, updates = discriminator.apply(variables, images, train=True, mutable=["batch_stats"])
    assert "Mixtures_0" not in variables["params"]
    for name in ("channels_0", "scales_3"):
        kept = variables["batch_stats"]["Mixtures_0"][name]
        np.testing.assert_array_equal(updates["batch_stats"]["Mixtures_0"][name], kept)
        inputs = kept.shape[0]
        assert 0.5 < float(jnp.var(kept)) * inputs < 2.0
    kernels = variables["params"]["Downsample_0_0"]["kernel"]
    assert kernels.shape == (4, 4, WIDTH, 8 * WIDTH)


def test_the_frozen_networks_features_are_those_of_the_extractor():
    """Of uint8 images, as `--features=pretrained` has them, to 1e-5 of the largest."""
    pixels = RANDOM.integers(0, 256, (2, 32, 32, 1), np.uint8)
    frozen = frozen_efficientnet()
    as_extracted = jax.jit(lambda params, images: frozen.network.apply(
        {"params": params}, network_input(images), train=False).depths)  # fmt: skip
    expected = as_extracted(frozen.params, pixels)
    compute = jax.jit(frozen_depths)
    for mine, theirs in zip(compute(to_unit(pixels)), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5 * float(np.abs(theirs).max()))
    small = jax.eval_shape(frozen_depths, to_unit(pixels[:, ::2, ::2]))
    assert [each.shape[1] for each in small] == [8, 4, 2, 1]


@pytest.fixture(scope="module")
def spec():
    return small_spec(
        model__discriminator="projected", model__labels="conditional", objective__loss="hinge",
        objective__preset="spectral_norm", data__image_size=32,
    )  # fmt: skip


def test_a_gradient_reaches_the_image_through_the_frozen_network(spec):
    """Against a central difference along a random direction, to 2%."""
    state = new_state(jax.random.key(0), spec)
    variables = {"params": state.discriminator.params,
                 "batch_stats": state.discriminator.batch_stats}  # fmt: skip
    images, labels = images_of(32, 2), jnp.array([0, 1])
    direction = jnp.asarray(RANDOM.normal(size=images.shape), jnp.float32)

    @jax.jit
    def mean_score(images):
        return jnp.mean(spec.discriminator.apply(variables, images, labels, train=False))

    step = 2e-3
    expected = (mean_score(images + step * direction) - mean_score(images - step * direction)) / (
        2 * step
    )
    found = jnp.sum(jax.grad(mean_score)(images) * direction)
    assert abs(float(expected)) > 1e-6
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_one_score_and_one_row_of_features_for_each_image(spec):
    state = new_state(jax.random.key(0), spec)
    images = RANDOM.integers(0, 256, (4, 32, 32, 1), np.uint8)
    assert score(state.discriminator, images, 1, spec=spec).shape == (4,)
    features = discriminator_features(state.discriminator, images, 1, spec=spec)
    assert features.ndim == 2 and len(features) == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model__residual", True),
        ("model__attention", True),
        ("train__growing_steps", 5),
        ("objective__private", True),
    ],
)
def test_what_it_cannot_be_had_with_is_named(field, value):
    name = field.replace("__", ".")
    with pytest.raises(UserError, match=f"config.{name}={value} is not to be had with"):
        small_spec(model__discriminator="projected", **{field: value})
