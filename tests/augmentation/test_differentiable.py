"""Differentiable augmentation: its gradients and constants, one for real and generated images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from gaug_jax.augmentation.differentiable import TRANSFORMS, augment, parse_policy

ALL = tuple(TRANSFORMS)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 1)).astype(np.float32)


def keys_of(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


@pytest.mark.parametrize("names", [(name,) for name in ALL] + [ALL])
def test_gradients_pass_through_to_the_second_order(names):
    images = IMAGES[:2, :8, :8]
    function = lambda images: jnp.sum(jnp.sin(augment(keys_of(2), images, names)))  # noqa: E731
    check_grads(function, (images,), order=2, atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("name", ALL)
def test_an_image_depends_on_its_own_key_alone(name):
    keys = keys_of(6)
    whole = augment(keys, IMAGES, (name,))
    np.testing.assert_allclose(augment(keys[2:3], IMAGES[2:3], (name,))[0], whole[2], atol=1e-6)
    assert not np.allclose(whole, IMAGES)


def test_no_transform_gives_the_very_images():
    images = jnp.asarray(IMAGES)
    assert augment(keys_of(6), images, ()) is images


def test_brightness_and_contrast_are_uniform_over_their_ranges():
    flat = np.full((4000, 2, 2, 1), 0.25, np.float32)
    shifts = np.asarray(augment(keys_of(4000), flat, ("brightness",)))[:, 0, 0, 0] - 0.25
    assert -0.5 <= shifts.min() < -0.48 and 0.48 < shifts.max() <= 0.5
    assert abs(shifts.mean()) < 0.02 and abs(shifts.std() - 1 / np.sqrt(12)) < 0.01
    pair = np.tile(np.array([-0.5, 0.5], np.float32).reshape(1, 1, 2, 1), (4000, 2, 1, 1))
    factors = np.ptp(np.asarray(augment(keys_of(4000), pair, ("contrast",))), axis=(1, 2, 3))
    assert 0.5 <= factors.min() < 0.52 and 1.48 < factors.max() <= 1.5
    np.testing.assert_allclose(augment(keys_of(5), flat[:5], ("contrast",)), 0.25, atol=1e-6)


def test_translations_are_whole_pixels_up_to_an_eighth():
    images = np.zeros((3000, 16, 24, 1), np.float32)
    images[:, 8, 12] = 1.0
    moved = np.asarray(augment(keys_of(3000), images, ("translation",)))[..., 0]
    places = np.stack(np.nonzero(moved), axis=1)
    assert len(places) == 3000 and np.all(moved[moved > 0] == 1.0)
    offsets = places[:, 1:] - [8, 12]
    assert set(offsets[:, 0]) == set(range(-2, 3)) and set(offsets[:, 1]) == set(range(-3, 4))
    corner = augment(keys_of(1), np.ones((1, 8, 8, 1), np.float32), ("translation",))
    assert set(np.unique(corner)) <= {0.0, 1.0}


def test_the_hole_is_grey_and_at_most_a_quarter():
    holes = np.asarray(augment(keys_of(200), np.ones((200, 16, 16, 1), np.float32), ("cutout",)))
    areas = (holes == 0).mean(axis=(1, 2, 3))
    assert set(np.unique(holes)) == {0.0, 1.0} and areas.max() == 0.25 and areas.min() > 0


def test_policies_are_read_by_name():
    assert parse_policy("none") == ()
    assert parse_policy("translation, cutout") == ("translation", "cutout")
    with pytest.raises(ValueError, match="colour"):
        parse_policy("colour")
