"""Augmentation that tells what it did: the vector says it all, and zeros say nothing was done."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from gaug_jax.augmentation.conditioned import NUM_PARAMETERS, augmented_and_how

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 1)).astype(np.float32)


def keys_of(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def augmented(keys, images, probability=1.0, flip=False):
    compute = jax.jit(lambda keys, images: augmented_and_how(keys, images, probability, flip=flip))
    return tuple(np.asarray(each) for each in compute(keys, images))


def as_told(image, vector):
    """What a vector says, by SciPy in float64: mirrored, then turned and scaled, then moved."""
    image = np.asarray(image, np.float64)[..., 0]
    image = image[:, ::-1] if vector[4] else image
    angle, scale = np.deg2rad(10 * vector[3]), 1.2 ** vector[2]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    centre = (np.array(image.shape) - 1) / 2
    shift = vector[:2] * np.array(image.shape) / 8
    offset = centre - shift - turn @ centre
    return ndimage.affine_transform(image, turn, offset, order=1, mode="nearest")[..., None]


@pytest.mark.parametrize("size", [8, 16])
def test_an_image_is_what_its_vector_says(size):
    """Every pixel, those at the edge too: to 1e-4, as float32 has the places between pixels."""
    images = np.tile(IMAGES[:, :size, :size], (4, 1, 1, 1))
    found, vectors = augmented(keys_of(24), images, probability=0.7, flip=True)
    assert vectors.shape == (24, NUM_PARAMETERS)
    for image, mine, vector in zip(images, found, vectors, strict=True):
        np.testing.assert_allclose(mine, as_told(image, vector), atol=1e-4)


def test_zeros_are_the_very_image_and_an_image_left_alone_has_zeros():
    found, vectors = augmented(keys_of(6), IMAGES, probability=0.0, flip=True)
    np.testing.assert_array_equal(found, IMAGES)
    assert not vectors.any()
    many = np.tile(IMAGES, (100, 1, 1, 1))
    found, vectors = augmented(keys_of(600), many, probability=0.3)
    untouched = ~vectors.any(axis=1)
    assert 0 < untouched.sum() < 600
    np.testing.assert_array_equal(found[untouched], many[untouched])
    assert not np.any(np.all(found[~untouched] == many[~untouched], axis=(1, 2, 3)))


def test_each_transform_is_made_as_often_as_asked():
    """2,000 images: within four standard errors. A shift is by nothing at all once in 25."""
    _, vectors = augmented(keys_of(2000), np.zeros((2000, 16, 16, 1), np.float32), 0.4, flip=True)
    made = np.stack([vectors[:, :2].any(axis=1), *(vectors[:, 2:] != 0).T])
    expected = np.array([0.4 * 24 / 25, 0.4, 0.4, 0.4])
    errors = np.sqrt(expected * (1 - expected) / 2000)
    assert np.all(np.abs(made.mean(axis=1) - expected) < 4 * errors)
    # One says nothing of another.
    assert np.abs(np.corrcoef(made) - np.eye(4)).max() < 4 / np.sqrt(2000)


def test_amounts_are_even_over_their_range_and_shifts_are_whole_pixels():
    _, vectors = augmented(keys_of(3000), np.zeros((3000, 16, 16, 1), np.float32))
    for entry in (0, 1):
        values, counts = np.unique(vectors[:, entry], return_counts=True)
        np.testing.assert_array_equal(values, [-1, -0.5, 0, 0.5, 1])
        assert counts.min() > 500
    for entry in (2, 3):
        values = vectors[:, entry]
        assert values.min() < -0.98 and values.max() > 0.98 and np.abs(values).max() <= 1
        assert abs(values.std() - 1 / np.sqrt(3)) < 0.02
    assert not vectors[:, 4].any()


def test_a_shift_alone_blurs_nothing():
    images = np.tile(IMAGES[:1], (500, 1, 1, 1))
    found, vectors = augmented(keys_of(500), images, 0.5)
    shifted = vectors[:, :2].any(axis=1) & ~vectors[:, 2:].any(axis=1)
    assert shifted.sum() > 20
    for image, (down, right, *_) in zip(found[shifted], vectors[shifted], strict=True):
        rows, columns = (np.clip(np.arange(16) - int(2 * by), 0, 15) for by in (down, right))
        np.testing.assert_array_equal(image, IMAGES[0][rows][:, columns])


def test_images_are_mirrored_only_where_asked():
    ramp = np.tile(np.linspace(-1, 1, 16, dtype=np.float32)[None, None, :, None], (64, 16, 1, 1))
    for flip in (False, True):
        found, vectors = augmented(keys_of(64), ramp, 0.5, flip=flip)
        falls = found[:, 8, 4, 0] > found[:, 8, 12, 0]
        np.testing.assert_array_equal(falls, vectors[:, 4] == 1)
        assert falls.any() == flip


def test_an_image_depends_on_its_own_key_alone_and_stays_in_its_range():
    images = np.repeat(IMAGES, 3, axis=3)
    whole, vectors = augmented(keys_of(6), images)
    alone, vector = augmented(keys_of(6)[4:5], images[4:5])
    np.testing.assert_array_equal(vector[0], vectors[4])
    np.testing.assert_allclose(alone[0], whole[4], atol=1e-6)
    assert np.abs(whole).max() <= 1 + 1e-6 and whole.dtype == np.float32
    assert jnp.allclose(whole[..., 0], whole[..., 2])
