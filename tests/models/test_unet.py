"""The U-Net: its shapes, what it is told, how it begins, and that it learns to denoise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.unet import UNet, level_sizes, noise_waves
from gaug_jax.models.unet_blocks import Attention, Options, dropped, group_norm

RANDOM = np.random.default_rng(0)
SMALL = UNet(8, num_classes=3, num_augmentations=5, blocks=1, attention_sizes=(8,))
IMAGES = RANDOM.normal(size=(4, 8, 8, 1)).astype(np.float32)
C_NOISE = np.linspace(-1.5, 1.0, 4).astype(np.float32)
LABELS = np.array([0, 1, 2, 3], np.int32)
AUGMENTATION = RANDOM.uniform(-1, 1, (4, 5)).astype(np.float32)


@functools.cache
def compiled(network):
    """Returns a network as a function of its parameters and inputs, compiled once for a shape."""
    return jax.jit(lambda params, *inputs: network.apply({"params": params}, *inputs))


@functools.cache
def started():
    """Returns the parameters of `SMALL` as they begin."""
    inputs = (IMAGES, C_NOISE, LABELS, AUGMENTATION)
    return jax.jit(SMALL.init)(jax.random.key(0), *inputs)["params"]


@functools.cache
def perturbed():
    """Returns parameters of which none is zero."""
    leaves, structure = jax.tree.flatten(started())
    keys = jax.random.split(jax.random.key(1), len(leaves))
    moved = [
        leaf + 0.1 * jax.random.normal(key, leaf.shape)
        for leaf, key in zip(leaves, keys, strict=True)
    ]
    return jax.tree.unflatten(structure, moved)


def answers(params, images=IMAGES, c_noise=C_NOISE, labels=LABELS, augmentation=AUGMENTATION):
    return np.asarray(compiled(SMALL)(params, images, c_noise, labels, augmentation))


def test_sizes_of_levels():
    assert level_sizes(8) == (8, 4)
    assert level_sizes(16) == (16, 8)
    assert level_sizes(32) == (32, 16, 8)
    assert level_sizes(64) == (64, 32, 16, 8)
    with pytest.raises(ValueError, match="image size 12 is not one of 8, 16, 32, 64"):
        level_sizes(12)


@pytest.mark.parametrize("size", [8, 16, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_answer_has_the_images_shape(size, channels):
    network = UNet(8)
    images, c_noise = jnp.zeros((2, size, size, channels)), jnp.zeros(2)
    found, variables = jax.eval_shape(
        lambda: network.init_with_output(jax.random.key(0), images, c_noise)
    )
    assert found.shape == images.shape and found.dtype == jnp.float32
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
    kernels = variables["params"]
    assert kernels["convolution_out"]["kernel"].shape == (3, 3, 8, channels)
    widest = max(leaf["adapt"]["bias"].shape[0] // 2 for name, leaf in kernels.items()
                 if name.startswith("block"))  # fmt: skip
    assert widest == 16


def test_positions_attend_at_the_sizes_asked_for_and_in_the_middle():
    def attending(**options):
        shapes = jax.eval_shape(
            lambda: UNet(8, blocks=1, **options).init(
                jax.random.key(0), jnp.zeros((1, 32, 32, 1)), jnp.zeros(1)
            )
        )
        return [name for name, block in shapes["params"].items() if "attention" in block]

    assert len(attending(attention_sizes=())) == 1
    assert len(attending()) == 1 + 1 + 2  # At 16: one on the way down, two on the way up.
    assert len(attending(attention_sizes=(16, 8))) == 1 + 3 + 3


def test_it_begins_at_zero_and_so_does_what_each_block_adds():
    assert not answers(started()).any()
    blocks = [block for name, block in started().items() if name.startswith("block")]
    assert not any(np.any(block["convolution_out"]["kernel"]) for block in blocks)
    attentions = [block["attention"] for block in blocks if "attention" in block]
    assert attentions and not any(np.any(each["project_out"]["kernel"]) for each in attentions)


def test_every_parameter_has_a_finite_gradient():
    def loss(params):
        found = SMALL.apply({"params": params}, IMAGES, C_NOISE, LABELS, AUGMENTATION)
        return jnp.mean(jnp.square(found - IMAGES))

    gradients = jax.jit(jax.grad(loss))(perturbed())
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        assert np.isfinite(leaf).all() and np.any(leaf), jax.tree_util.keystr(path)


def test_each_thing_that_it_is_told_changes_the_answer():
    params = perturbed()
    as_is = answers(params)
    for others in (
        {"c_noise": C_NOISE + 0.1},
        {"labels": (LABELS + 1) % 4},
        {"augmentation": 0.5 * AUGMENTATION},
    ):
        changed = np.abs(answers(params, **others) - as_is).max(axis=(1, 2, 3))
        assert np.all(changed > 1e-3), others


def test_no_class_is_a_class_of_its_own():
    params = perturbed()
    each = [answers(params, labels=np.full(4, label, np.int32)) for label in range(4)]
    for label in range(3):
        assert np.abs(each[3] - each[label]).max() > 1e-2
    assert params["class_embedding"].shape[0] == 4


def test_a_vector_of_zeros_is_no_augmentation():
    params = perturbed()
    zeros = np.zeros_like(AUGMENTATION)
    none = compiled(SMALL)(params, IMAGES, C_NOISE, LABELS)
    np.testing.assert_allclose(answers(params, augmentation=zeros), none, atol=1e-4)
    # Nor has a network that knows of none anything else to add.
    assert set(params["augmentation_embedding"]) == {"kernel"}


def test_an_image_does_not_depend_on_who_shares_its_batch():
    params = perturbed()
    inputs = (IMAGES, C_NOISE, LABELS, AUGMENTATION)
    others = tuple(each[[2, 2, 1, 1]] for each in inputs)
    np.testing.assert_allclose(answers(params, *others), answers(params)[[2, 2, 1, 1]], atol=1e-4)


def test_dropout_is_each_examples_own_and_only_where_keys_are_given():
    params, keys = perturbed(), jax.random.split(jax.random.key(0), 4)
    inputs = (IMAGES, C_NOISE, LABELS, AUGMENTATION, keys)
    drop = compiled(SMALL.clone(dropout=0.3))
    found = np.asarray(drop(params, *inputs))
    # `SMALL` has a rate too, and no keys.
    assert np.all(np.abs(found - answers(params)).max(axis=(1, 2, 3)) > 1e-2)
    others = tuple(each[jnp.array([2, 2, 1, 1])] for each in inputs)
    np.testing.assert_allclose(drop(params, *others), found[[2, 2, 1, 1]], atol=1e-4)


def test_dropped_features_keep_their_mean():
    """Of 64,000: within four standard errors."""
    found = np.asarray(dropped(jnp.ones((10, 8, 8, 100)), jax.random.split(jax.random.key(0), 10),
                               0.2))  # fmt: skip
    assert set(np.unique(found)) == {0.0, np.float32(1.25)}
    assert abs((found == 0).mean() - 0.2) < 4 * 0.4 / np.sqrt(64_000)


def test_implementations_agree():
    params = perturbed()
    inputs = (IMAGES, C_NOISE, LABELS, AUGMENTATION)
    found = compiled(SMALL.clone(implementation="patches"))(params, *inputs)
    np.testing.assert_allclose(found, answers(params), atol=1e-4)


def test_activations_in_bfloat16_come_near():
    """Relative to the answers' size, as eight bits of a mantissa through some ten layers may."""
    params = perturbed()
    inputs = (IMAGES, C_NOISE, LABELS, AUGMENTATION)
    found = compiled(SMALL.clone(dtype=jnp.bfloat16))(params, *inputs)
    expected = answers(params)
    assert found.dtype == jnp.float32
    assert 0 < np.std(found - expected) < 0.05 * np.std(expected)


def test_groups_of_a_norm_have_four_features_or_more():
    for features, groups in ((8, 2), (24, 6), (32, 8), (144, 24), (256, 32), (3, 1), (18, 3)):
        assert group_norm(features, Options(), "norm").num_groups == groups


def test_waves_are_of_unit_power_and_tell_levels_apart():
    waves = np.asarray(noise_waves(jnp.linspace(-1.6, 1.1, 50), 32))
    np.testing.assert_allclose(np.mean(waves**2, axis=1), 1.0, rtol=1e-5)
    distances = np.linalg.norm(waves[:, None] - waves[None], axis=-1)
    assert (distances + 100 * np.eye(50)).min() > 0.5


def test_attention_is_the_softmax_of_products():
    """Position by position in float64, of random weights."""
    inputs = RANDOM.normal(size=(2, 4, 4, 8)).astype(np.float32)
    layer = Attention()
    params = layer.init(jax.random.key(0), inputs)["params"]
    np.testing.assert_allclose(layer.apply({"params": params}, inputs), inputs / np.sqrt(2))
    params["project_out"]["kernel"] = jnp.asarray(RANDOM.normal(size=(1, 1, 8, 8)), jnp.float32)
    grouped = inputs.astype(np.float64).reshape(2, 16, 2, 4)
    spread = np.sqrt(grouped.var(axis=(1, 3), keepdims=True) + 1e-5)
    normed = ((grouped - grouped.mean(axis=(1, 3), keepdims=True)) / spread).reshape(2, 16, 8)
    into, out = (np.asarray(params[name]["kernel"][0, 0], np.float64)
                 for name in ("project_in", "project_out"))  # fmt: skip
    queries, keys, values = np.split(normed @ into, 3, axis=-1)
    expected = np.zeros((2, 16, 8))
    for image, position in np.ndindex(2, 16):
        likelihoods = np.exp(keys[image] @ queries[image, position] / np.sqrt(8))
        expected[image, position] = likelihoods / likelihoods.sum() @ values[image] @ out
    expected = (inputs + expected.reshape(inputs.shape)) / np.sqrt(2)
    np.testing.assert_allclose(layer.apply({"params": params}, inputs), expected, atol=1e-5)
