"""Preconditioning, the loss, and the ideal denoiser: against their formulas in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.objectives.denoising import (
    Noise,
    denoiser_of,
    denoising_loss,
    drawn_noise,
    loss_weight,
    preconditioning,
)
from gaug_jax.objectives.ideal_denoiser import ideal_denoiser

RANDOM = np.random.default_rng(0)
SIGMAS = np.geomspace(0.002, 80.0, 13)


def posterior_mean(points, noisy, sigma):
    """The ideal denoiser by its definition, image by image, in float64 and in logarithms."""
    points, noisy = np.asarray(points, np.float64), np.asarray(noisy, np.float64)
    means = []
    for image, deviation in zip(noisy, np.asarray(sigma, np.float64), strict=True):
        logs = np.array([-np.sum((image - point) ** 2) / (2 * deviation**2) for point in points])
        likelihoods = np.exp(logs - logs.max())
        means.append(np.tensordot(likelihoods / likelihoods.sum(), points, 1))
    return np.stack(means)


@pytest.mark.parametrize("sigma_data", [0.5, 0.3])
def test_preconditioning_is_that_of_table_1(sigma_data):
    found = preconditioning(jnp.asarray(SIGMAS, jnp.float32), sigma_data)
    sigma = SIGMAS.astype(np.float32).astype(np.float64)
    total = sigma**2 + sigma_data**2
    expected = (
        sigma_data**2 / total,
        sigma * sigma_data / np.sqrt(total),
        1 / np.sqrt(total),
        np.log(sigma) / 4,
    )
    for mine, formula in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, formula, rtol=1e-6, atol=1e-6)
    weight = loss_weight(jnp.asarray(SIGMAS, jnp.float32), sigma_data)
    np.testing.assert_allclose(weight, total / (sigma * sigma_data) ** 2, rtol=1e-6)
    np.testing.assert_allclose(weight * found.out**2, 1.0, rtol=1e-6)


@pytest.mark.parametrize("sigma", [0.002, 0.1, 0.5, 3.0, 80.0])
def test_the_network_sees_and_aims_at_unit_variance(sigma):
    """Of data of variance sigma_data^2, 200,000 numbers: within 2%, six standard errors."""
    sigma_data = 0.4
    clean = sigma_data * RANDOM.normal(size=200_000)
    noisy = clean + sigma * RANDOM.normal(size=200_000)
    factors = jax.tree.map(float, preconditioning(jnp.float32(sigma), sigma_data))
    assert abs(np.var(factors.scale * noisy) - 1) < 0.02
    assert abs(np.var((clean - factors.skip * noisy) / factors.out) - 1) < 0.02


def test_the_denoiser_is_the_networks_and_the_loss_is_of_its_target():
    """By equation 8 in float64: the mean squared distance of F from what it aims at."""
    images = RANDOM.uniform(-1, 1, (5, 8, 8, 1)).astype(np.float32)
    sigma = np.geomspace(0.01, 20, 5).astype(np.float32)
    added = (sigma[:, None, None, None] * RANDOM.normal(size=images.shape)).astype(np.float32)
    seen = {}

    def network(inputs, c_noise):
        seen.update(inputs=inputs, c_noise=c_noise)
        return jnp.sin(inputs) + c_noise[:, None, None, None]

    losses = denoising_loss(denoiser_of(network), images, Noise(sigma, added))
    wide = sigma.astype(np.float64)[:, None, None, None]
    total = wide**2 + 0.25
    inputs = (images + added.astype(np.float64)) / np.sqrt(total)
    np.testing.assert_allclose(seen["inputs"], inputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen["c_noise"], np.log(sigma) / 4, rtol=1e-5, atol=1e-6)
    outputs = np.sin(inputs) + np.log(wide) / 4
    target = (wide**2 * images - 0.25 * added) / total / (wide * 0.5 / np.sqrt(total))
    expected = np.mean((outputs - target) ** 2, axis=(1, 2, 3))
    assert losses.shape == (5,)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_noise_is_log_normal_and_each_examples_own():
    keys = jax.random.split(jax.random.key(0), 20_000)
    noise = jax.jit(lambda keys: drawn_noise(keys, (2, 2, 1)))(keys)
    logs = np.log(np.asarray(noise.sigma))
    # Within four standard errors, and of the noise as well.
    assert abs(logs.mean() + 1.2) < 4 * 1.2 / np.sqrt(20_000)
    assert abs(logs.std() - 1.2) < 4 * 1.2 / np.sqrt(40_000)
    standard = np.asarray(noise.added) / np.asarray(noise.sigma)[:, None, None, None]
    assert abs(standard.mean()) < 4 / np.sqrt(80_000)
    assert abs(standard.std() - 1) < 4 / np.sqrt(160_000)
    # The level says nothing of the noise.
    assert abs(np.corrcoef(logs, standard[:, 0, 0, 0])[0, 1]) < 4 / np.sqrt(20_000)
    alone = drawn_noise(keys[7:8], (2, 2, 1))
    np.testing.assert_allclose(alone.sigma[0], noise.sigma[7], rtol=1e-6)
    np.testing.assert_allclose(alone.added[0], noise.added[7], rtol=1e-5)
    other = drawn_noise(keys, (2, 2, 1), log_mean=0.5, log_deviation=0.1)
    assert abs(np.log(np.asarray(other.sigma)).mean() - 0.5) < 0.01


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_ideal_denoiser_is_the_posterior_mean(sigma):
    points = RANDOM.uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    clean = np.concatenate([points, points[:1]])
    noisy = (clean + sigma * RANDOM.normal(size=clean.shape)).astype(np.float32)
    sigmas = np.full(len(noisy), sigma, np.float32)
    found = jax.jit(ideal_denoiser)(points, noisy, sigmas)
    np.testing.assert_allclose(found, posterior_mean(points, noisy, sigmas), atol=2e-5)


def test_the_ideal_denoiser_overflows_nowhere():
    """Of images that are far from all points for their noise, the nearest point."""
    points = RANDOM.uniform(-1, 1, (5, 8, 8, 1)).astype(np.float32)
    noisy = (100.0 * RANDOM.normal(size=(4, 8, 8, 1))).astype(np.float32)
    for sigma in (0.002, 1e-4):
        sigmas = np.full(4, sigma, np.float32)
        found = ideal_denoiser(points, noisy, sigmas)
        np.testing.assert_allclose(found, posterior_mean(points, noisy, sigmas), atol=2e-5)
        gradient = jax.grad(lambda noisy: jnp.sum(ideal_denoiser(points, noisy, sigmas)))(noisy)  # noqa: B023
        assert np.isfinite(gradient).all()


def test_of_far_noise_it_is_the_mean_and_of_two_equal_points_their_middle():
    points = np.stack([np.full((8, 8, 1), value, np.float32) for value in (-0.5, 0.0, 0.8)])
    far = ideal_denoiser(points, np.zeros((1, 8, 8, 1), np.float32), jnp.array([1e4]))
    np.testing.assert_allclose(far, 0.1, atol=1e-5)
    between = np.full((1, 8, 8, 1), -0.25, np.float32)
    np.testing.assert_allclose(ideal_denoiser(points, between, jnp.array([0.002])), -0.25)


def test_the_score_of_one_point_with_noise_is_that_of_a_normal_distribution():
    """(D - x) / sigma^2 of equation 3: (y - x) / sigma^2, whatever sigma."""
    point = RANDOM.uniform(-1, 1, (1, 8, 8, 1)).astype(np.float32)
    noisy = RANDOM.normal(size=(3, 8, 8, 1)).astype(np.float32)
    sigma = np.array([0.002, 0.5, 80.0], np.float32)
    square = sigma[:, None, None, None] ** 2
    score = (ideal_denoiser(point, noisy, sigma) - noisy) / square
    np.testing.assert_allclose(score, (point - noisy) / square, rtol=1e-6)


def test_the_score_is_the_gradient_of_the_logarithm_of_the_density():
    points = RANDOM.uniform(-1, 1, (4, 2, 2, 1)).astype(np.float32)
    noisy = RANDOM.normal(size=(3, 2, 2, 1)).astype(np.float32)
    sigma = np.array([0.5, 0.7, 2.0], np.float32)

    def log_density(image, sigma):
        distances = jnp.sum(jnp.square(image - points), axis=(1, 2, 3))
        return jax.nn.logsumexp(-distances / (2 * sigma**2))

    score = (ideal_denoiser(points, noisy, sigma) - noisy) / sigma[:, None, None, None] ** 2
    expected = jax.vmap(jax.grad(log_density))(noisy, sigma)
    np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-5)
