"""Samplers: where they arrive, and how fast they come nearer with more steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.objectives.ideal_denoiser import ideal_denoiser
from gaug_jax.objectives.sampling import guided, noise_levels, sampled

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)


def of_points(noisy, sigma):
    return ideal_denoiser(POINTS, noisy, sigma)


def mixture_denoiser(centres, spread):
    """The exact denoiser of a mixture of normal distributions around centres.

    By Bayes: the centres' own denoiser at the sum of both variances says which centre, and within
    it the answer lies between the centre and the image, by their variances.
    """

    def denoiser(noisy, sigma):
        total = jnp.sqrt(sigma**2 + spread**2)
        centre = ideal_denoiser(centres, noisy, total)
        share = (spread / total)[:, None, None, None] ** 2
        return share * noisy + (1 - share) * centre

    return denoiser


def test_levels_are_those_of_equation_5():
    levels = noise_levels(18)
    assert levels.shape == (19,) and levels.dtype == np.float64
    assert levels[0] == pytest.approx(80) and levels[17] == pytest.approx(0.002)
    assert levels[18] == 0 and np.all(np.diff(levels) < 0)
    for i in (1, 9, 16):
        ends = 80 ** (1 / 7), 0.002 ** (1 / 7)
        assert levels[i] == pytest.approx((ends[0] + i / 17 * (ends[1] - ends[0])) ** 7)
    straight = noise_levels(5, sigma_min=1.0, sigma_max=5.0, rho=1.0)
    np.testing.assert_allclose(straight, [5, 4, 3, 2, 1, 0])
    np.testing.assert_allclose(noise_levels(1), [80, 0])
    with pytest.raises(ValueError, match="at least 1"):
        noise_levels(0)


@pytest.mark.parametrize("method", ["heun", "euler"])
def test_with_the_ideal_denoiser_it_ends_at_the_points(method):
    latents = jax.random.normal(jax.random.key(0), (32, 8, 8, 1))
    draw = jax.jit(lambda latents: sampled(of_points, latents, noise_levels(18), method))
    images = np.asarray(draw(latents))
    distances = np.abs(images[:, None] - POINTS[None]).max(axis=(2, 3, 4))
    assert distances.min(axis=1).max() < 1e-3
    assert len(set(distances.argmin(axis=1))) == len(POINTS)
    np.testing.assert_allclose(sampled(of_points, latents, noise_levels(18), method), images,
                               atol=1e-5)  # fmt: skip


def test_of_a_normal_distribution_it_draws_that_distribution():
    """Of variance s^2 the way is known: x(sigma) is as large as sqrt(s^2 + sigma^2)."""
    with jax.enable_x64(True):
        denoiser = mixture_denoiser(np.zeros((1, 1, 1, 1)), 0.5)
        latents = RANDOM.normal(size=(6, 1, 1, 1))
        levels = noise_levels(256)
        images = jax.jit(lambda latents: sampled(denoiser, latents, levels))(latents)
        np.testing.assert_allclose(images, latents * 80 * 0.5 / np.hypot(0.5, 80), rtol=1e-3)


@pytest.mark.parametrize(("method", "slopes"), [("heun", (1.7, 2.4)), ("euler", (0.8, 1.3))])
def test_errors_fall_with_the_order_of_the_method(method, slopes):
    """Of a smooth mixture, float64, against 2048 steps of Heun's method: log error by log steps.

    The last step to level 0 is the same map in all, so that it does not hide the order.
    """
    with jax.enable_x64(True):
        denoiser = mixture_denoiser(POINTS[:, :2, :2].astype(np.float64), 0.5)
        latents = RANDOM.normal(size=(16, 2, 2, 1))

        def drawn(method, steps):
            levels = noise_levels(steps, 0.02, 20.0)
            return np.asarray(jax.jit(lambda x: sampled(denoiser, x, levels, method))(latents))

        exact = drawn("heun", 2048)
        assert exact.dtype == np.float64
        counts = np.array([8, 16, 32, 64])
        errors = [np.sqrt(np.mean((drawn(method, count) - exact) ** 2)) for count in counts]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slopes[0] < slope < slopes[1], (slope, errors)


@pytest.mark.parametrize(("method", "calls"), [("heun", 2 * 9 + 1), ("euler", 10)])
def test_the_denoiser_is_called_twice_a_step_but_for_the_last(method, calls):
    count = [0]

    def counting(noisy, sigma):
        jax.debug.callback(lambda: count.__setitem__(0, count[0] + 1))
        return of_points(noisy, sigma)

    sampled(counting, np.ones((1, 8, 8, 1), np.float32), noise_levels(10), method)
    jax.effects_barrier()
    assert count[0] == calls


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'ddim' is not one of heun, euler"):
        sampled(of_points, np.zeros((1, 8, 8, 1), np.float32), noise_levels(2), "ddim")


def test_guidance_is_the_combination_and_at_1_the_conditional_itself():
    conditional = lambda noisy, sigma: 0.5 * noisy  # noqa: E731
    unconditional = lambda noisy, sigma: 0.25 * noisy  # noqa: E731
    assert guided(conditional, unconditional, 1.0) is conditional
    noisy, sigma = np.ones((2, 8, 8, 1), np.float32), np.ones(2, np.float32)
    for weight, expected in ((0.0, 0.25), (2.0, 0.75), (3.0, 1.0)):
        found = guided(conditional, unconditional, weight)(noisy, sigma)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_guided_images_are_those_of_the_class():
    """The class is two of the four points: every image ends at one of them."""
    conditional = lambda noisy, sigma: ideal_denoiser(POINTS[:2], noisy, sigma)  # noqa: E731
    latents = jax.random.normal(jax.random.key(1), (16, 8, 8, 1))
    denoiser = guided(conditional, of_points, 1.5)
    images = jax.jit(lambda latents: sampled(denoiser, latents, noise_levels(18)))(latents)
    distances = np.abs(np.asarray(images)[:, None] - POINTS[None, :2]).max(axis=(2, 3, 4))
    assert distances.min(axis=1).max() < 1e-3
