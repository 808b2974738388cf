"""The probability of augmentation: which way it goes, how fast, and where it ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.augmentation.adaptive import mean_sign, next_probability
from gaug_jax.augmentation.differentiable import TRANSFORMS, augment

OPTIONS = {"target": 0.6, "most": 0.8, "images": 10, "adaptation_images": 100.0}
ALL = tuple(TRANSFORMS)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (400, 8, 8, 1)).astype(np.float32)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
@pytest.mark.parametrize(
    ("probability", "sign", "expected"),
    [
        (0.3, 0.9, 0.4),  # Overfits: 10 of 100 images up.
        (0.3, 0.2, 0.2),
        (0.3, 0.6, 0.3),
        (0.75, 1.0, 0.8),
        (0.05, -1.0, 0.0),
    ],
)
def test_the_next_probability_by_hand(wrap, probability, sign, expected):
    step = wrap(lambda probability, sign: next_probability(probability, sign, **OPTIONS))
    assert step(probability, sign) == pytest.approx(expected, abs=1e-6)


def test_the_sign_is_averaged_over_about_four_batches():
    first = mean_sign(jnp.float32(0.0), jnp.float32(1.0), jnp.bool_(True))
    assert first == 1.0
    assert mean_sign(first, jnp.float32(-1.0), jnp.bool_(False)) == pytest.approx(0.5)


def test_at_probability_0_images_are_the_same_to_the_bit_and_at_1_all_are_changed():
    keys = jax.random.split(jax.random.key(0), len(IMAGES))
    as_they_are = augment(keys, IMAGES, ALL, jnp.float32(0.0))
    np.testing.assert_array_equal(np.asarray(as_they_are), IMAGES)
    always = augment(keys, IMAGES, ALL, jnp.float32(1.0))
    np.testing.assert_allclose(always, augment(keys, IMAGES, ALL), atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_each_transform_is_made_that_often(name):
    keys = jax.random.split(jax.random.key(1), len(IMAGES))
    sometimes = np.asarray(augment(keys, IMAGES, (name,), jnp.float32(0.3)))
    always = np.asarray(augment(keys, IMAGES, (name,)))
    changed = np.any(sometimes != IMAGES, axis=(1, 2, 3))
    possible = np.any(always != IMAGES, axis=(1, 2, 3)).mean()
    # The standard error of a share of 400 images is 0.023.
    assert changed.mean() == pytest.approx(0.3 * possible, abs=0.08)
    np.testing.assert_allclose(sometimes[changed], always[changed], atol=1e-6)


def test_real_and_generated_images_get_transforms_of_one_distribution():
    """The same picture as a real and as a generated one: means and deviations agree."""
    picture = np.repeat(IMAGES[:1], 4000, axis=0)
    real, fake = (
        np.asarray(augment(jax.random.split(jax.random.key(seed), 4000), picture, ALL, 0.5))
        for seed in (2, 3)
    )
    error = np.sqrt((real.var(axis=0) + fake.var(axis=0)) / 4000)
    assert np.abs((real.mean(axis=0) - fake.mean(axis=0)) / error).max() < 5
    np.testing.assert_allclose(real.std(axis=0), fake.std(axis=0), rtol=0.15)
