"""The U-Net, trained on four images, against the denoiser that they have in closed form."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gaug_jax.models.unet import UNet
from gaug_jax.objectives.denoising import denoiser_of, denoising_loss, drawn_noise, loss_weight
from gaug_jax.objectives.ideal_denoiser import ideal_denoiser

# Of standard deviation 0.5, as the preconditioning assumes.
POINTS = 0.5 * np.random.default_rng(0).choice([-1.0, 1.0], (4, 8, 8, 1)).astype(np.float32)
NETWORK = UNet(8, blocks=1, attention_sizes=(), dropout=0.0)
STEPS, BATCH = 300, 32


def denoiser_with(params):
    return denoiser_of(lambda *inputs: NETWORK.apply({"params": params}, *inputs))


def noisy_batch(seed, count):
    """Returns images, each of the four as often, and noise of training's distribution."""
    keys = jax.random.split(seed, count)
    return jnp.tile(POINTS, (count // 4, 1, 1, 1)), drawn_noise(keys, POINTS.shape[1:])


@jax.jit
def distance_from_ideal(params):
    """Returns the mean of lambda(sigma) |D - ideal|^2 over pixels and noise of its own."""
    images, noise = noisy_batch(jax.random.key(99), 8 * BATCH)
    noisy = images + noise.added
    errors = denoiser_with(params)(noisy, noise.sigma) - ideal_denoiser(POINTS, noisy, noise.sigma)
    return jnp.mean(loss_weight(noise.sigma) * jnp.mean(jnp.square(errors), axis=(1, 2, 3)))


@pytest.mark.slow
def test_a_trained_network_comes_near_the_ideal_denoiser():
    """From 0.96 to between 0.065 and 0.091, of five seeds that were tried, after 300 steps.

    Before it has learnt anything the answer is c_skip times the image, the best linear one.
    """
    optimizer = optax.adam(optax.cosine_decay_schedule(1e-2, STEPS))

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params, state, key):
        def loss(params):
            return jnp.mean(denoising_loss(denoiser_with(params), *noisy_batch(key, BATCH)))

        updates, state = optimizer.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    params = jax.jit(NETWORK.init)(jax.random.key(0), POINTS, jnp.zeros(4))["params"]
    state, before = optimizer.init(params), float(distance_from_ideal(params))
    for number in range(STEPS):
        params, state = step(params, state, jax.random.key(number))
    after = float(distance_from_ideal(params))
    assert before > 0.9 and after < 0.15, (before, after)
