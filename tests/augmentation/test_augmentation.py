"""Augmentations against small arrays made by hand, and what all of them keep."""

import functools

import dm_pix
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.augmentation import POLICIES, policy_of
from gaug_jax.augmentation.affine import rotation, transform
from gaug_jax.augmentation.augmix import augmix
from gaug_jax.augmentation.classical import classical
from gaug_jax.augmentation.cutmix import paste
from gaug_jax.augmentation.cutout import box, cutout
from gaug_jax.augmentation.intensities import autocontrast, equalise
from gaug_jax.augmentation.mixup import blend

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 1)).astype(np.float32)
LABELS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", [(16, 16, 1), (8, 12, 3)])
def test_every_policy_keeps_shapes_ranges_and_label_sums(policy, shape):
    images = np.random.default_rng(0).uniform(-1, 1, (6, *shape)).astype(np.float32)
    function = jax.jit(POLICIES[policy])
    for seed in range(5):
        changed, labels = function(jax.random.key(seed), images, LABELS)
        assert changed.shape == images.shape and labels.shape == LABELS.shape
        assert changed.dtype == jnp.float32
        assert np.abs(changed).max() <= 1 + 1e-5 and np.isfinite(changed).all()
        np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-5)
        assert (np.asarray(labels) >= 0).all()


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"none"}))
def test_every_policy_changes_images_and_follows_its_key(policy):
    one, again, other = (
        POLICIES[policy](jax.random.key(seed), IMAGES, LABELS)[0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one, IMAGES)


def test_mixup_by_hand():
    images = np.array([0.0, 1.0, -1.0], np.float32).reshape(3, 1, 1, 1)
    mixed, labels = blend(images, np.eye(3), np.array([1, 2, 0]), 0.75)
    np.testing.assert_allclose(mixed.ravel(), [0.25, 0.5, -0.75])
    expected = [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]]
    np.testing.assert_allclose(labels, expected)


def test_cutmix_by_hand():
    images = np.stack([np.zeros((2, 4, 1)), np.ones((2, 4, 1))]).astype(np.float32)
    pasted = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    mixed, labels = paste(images, np.eye(2), np.array([1, 0]), pasted)
    np.testing.assert_array_equal(mixed[0, ..., 0], [[1, 1, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(mixed[1, ..., 0], [[0, 0, 0, 1], [1, 1, 1, 1]])
    np.testing.assert_allclose(labels, [[5 / 8, 3 / 8], [3 / 8, 5 / 8]])


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        ((2, 2), [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]),
        ((0, 3), [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
        ((0, 0), [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
    ],
)
def test_a_box_is_cut_at_the_edge(centre, expected):
    np.testing.assert_array_equal(box(np.array(centre), 4, 4, 0.5), np.array(expected, bool))


def test_cutout_cuts_one_grey_box_of_at_most_a_quarter():
    images = np.ones((200, 16, 16, 1), np.float32)
    holes = np.asarray(cutout(jax.random.key(0), images, np.ones((200, 1)))[0]) == 0
    areas = holes.mean(axis=(1, 2, 3))
    assert areas.max() == 0.25 and (areas > 0).all()
    # A centre that is uniform over the pixels: the mean side is (0.5 - 0.125 + ...) of the size.
    sides = [np.mean([min(16, c + 4) - max(0, c - 4) for c in range(16)]) / 16] * 2
    np.testing.assert_allclose(areas.mean(), np.prod(sides), rtol=0.1)


def test_affine_transforms_by_hand():
    image = np.arange(9.0).reshape(3, 3, 1)
    still = transform(image, np.eye(2), np.zeros(2))
    np.testing.assert_allclose(still, image, atol=1e-5)
    moved = transform(image, np.eye(2), np.array([1.0, 0.0]))[..., 0]
    np.testing.assert_allclose(moved, [[0, 1, 2], [0, 1, 2], [3, 4, 5]], atol=1e-5)
    turned = transform(image, rotation(jnp.deg2rad(90.0)), np.zeros(2))[..., 0]
    assert any(np.allclose(turned, np.rot90(image[..., 0], k), atol=1e-4) for k in (1, 3))
    half = transform(image, np.eye(2), np.array([0.0, 0.5]))[..., 0]
    np.testing.assert_allclose(half[:, 1:], image[:, :2, 0] + 0.5, atol=1e-5)


def test_affine_transforms_are_dm_pixs():
    image = np.random.default_rng(0).normal(size=(9, 12, 3)).astype(np.float32)
    matrix, shift = np.array([[0.9, -0.2], [0.3, 1.1]]), np.array([1.3, -0.4])
    centre = np.array([4.0, 5.5])
    whole = np.eye(3)
    whole[:2, :2] = matrix
    offset = np.append(centre - matrix @ centre - shift, 0.0)
    expected = dm_pix.affine_transform(image, whole, offset=offset, order=1, mode="nearest")
    np.testing.assert_allclose(transform(image, matrix, shift), expected, atol=1e-4)


def test_classical_keeps_what_is_constant_up_to_its_light():
    images = np.full((50, 8, 8, 1), 0.25, np.float32)
    changed = np.asarray(classical(jax.random.key(0), images, np.ones((50, 1)))[0])
    np.testing.assert_allclose(changed.std(axis=(1, 2, 3)), 0.0, atol=1e-5)
    offsets = changed.mean(axis=(1, 2, 3)) - 0.25
    assert np.abs(offsets).max() <= 0.2 + 1e-5 and offsets.std() > 0.05


def test_flips_are_made_only_where_they_are_asked_for():
    images = np.zeros((200, 16, 16, 1), np.float32) - 1
    images[:, :, :8] = 1
    left = functools.partial(np.mean, axis=(1, 2, 3))
    for flip in (False, True):
        policy = policy_of("classical", flip)
        changed = np.asarray(policy(jax.random.key(0), images, np.ones((200, 1)))[0])
        mirrored = left(changed[:, :, :8]) < left(changed[:, :, 8:])
        assert (0.35 < mirrored.mean() < 0.65) if flip else not mirrored.any()


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"classical"}))
def test_no_policy_but_the_classical_one_mirrors(policy):
    assert policy_of(policy, True) is policy_of(policy, False) is POLICIES[policy]


def test_autocontrast_and_equalise_by_hand():
    image = np.array([0.2, 0.4, 0.6, 0.4]).reshape(2, 2, 1)
    np.testing.assert_allclose(autocontrast(image).ravel(), [0, 0.5, 1, 0.5], atol=1e-6)
    np.testing.assert_allclose(equalise(image).ravel(), [0, 2 / 3, 1, 2 / 3], atol=1e-6)
    constant = np.full((2, 2, 1), 0.3)
    np.testing.assert_allclose(autocontrast(constant), constant)
    np.testing.assert_allclose(equalise(constant), constant)


def test_augmix_is_what_it_was():
    """Values of commit 9eb64a9, before its operations were moved: a pixel of each image."""
    expected = [-0.85309088, -0.32386506, -0.73317194, -0.10583649, -0.46277383, -0.08008003]
    mixed = jax.jit(augmix)(jax.random.key(3), IMAGES, LABELS)[0]
    np.testing.assert_allclose(mixed[:, 3, 5, 0], expected, atol=1e-6)
