"""Penalties of critics whose input gradients are known in closed form."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.objectives.gradient_penalty import gradient_penalty
from gaug_jax.objectives.lecam import lecam_penalty
from gaug_jax.objectives.r1 import r1_penalty

SHAPE = (3, 8, 8, 2)


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    return [jnp.asarray(random.uniform(-1, 1, SHAPE), jnp.float32) for _ in range(2)]


@pytest.fixture
def weights():
    return jnp.asarray(np.random.default_rng(1).normal(size=SHAPE[1:]), jnp.float32)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_gradient_penalty_of_a_linear_critic(images, weights, wrap):
    # The gradient of w.x is w at every point, so the penalty is (|w| - 1)^2.
    def penalty(weights):
        critic = lambda x: jnp.einsum("bhwc,hwc->b", x, weights)  # noqa: E731
        return gradient_penalty(critic, *images, jnp.array([0.0, 0.5, 1.0]))

    norm = float(jnp.linalg.norm(weights))
    value, gradient = wrap(jax.value_and_grad(penalty))(weights)
    assert value == pytest.approx((norm - 1) ** 2, rel=1e-5)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|.
    np.testing.assert_allclose(gradient, 2 * (norm - 1) * weights / norm, rtol=1e-4)


def test_gradient_penalty_looks_between_the_two_images(images):
    # The gradient of |x|^2/2 is x itself, so the penalty tells where it was taken.
    real, fake = images
    mixing = jnp.array([0.0, 0.25, 1.0])
    critic = lambda x: 0.5 * jnp.sum(x**2, axis=(1, 2, 3))  # noqa: E731
    points = mixing[:, None, None, None] * real + (1 - mixing[:, None, None, None]) * fake
    norms = np.linalg.norm(np.asarray(points, np.float64).reshape(3, -1), axis=1)
    assert gradient_penalty(critic, real, fake, mixing) == pytest.approx(
        np.mean((norms - 1) ** 2), rel=1e-5
    )


def test_gradient_penalty_through_spectral_norm(images, weights):
    # One output: the largest singular value of w is |w|, so the normalised critic has
    # gradient w / |w| of length 1 at once, and the penalty and its gradient vanish.
    layer = nn.SpectralNorm(nn.Dense(1, use_bias=False))
    flat = [image.reshape(3, -1) for image in images]
    variables = layer.init(jax.random.key(0), flat[0], update_stats=False)

    def penalty(kernel, scale):
        params = jax.tree.map(lambda _: kernel, variables["params"])
        critic = lambda x: (  # noqa: E731
            scale
            * layer.apply(
                {"params": params, "batch_stats": variables["batch_stats"]},
                x.reshape(3, -1),
                update_stats=False,
            )[:, 0]
        )
        return gradient_penalty(critic, *images, jnp.full(3, 0.3))

    kernel = weights.reshape(-1, 1)
    value, gradient = jax.value_and_grad(penalty)(kernel, 1.0)
    assert value == pytest.approx(0.0, abs=1e-10)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-5)
    # Scaled by 3 behind the normalisation, whatever the kernel's own length: (3 - 1)^2.
    for size in (0.1, 10.0):
        assert penalty(size * kernel, 3.0) == pytest.approx(4.0, rel=1e-5)


def test_gradient_penalty_of_a_constant_critic_is_one_and_finite(images):
    value, gradient = jax.value_and_grad(
        lambda weight: gradient_penalty(
            lambda x: weight * jnp.sum(x, axis=(1, 2, 3)), *images, jnp.full(3, 0.5)
        )
    )(0.0)
    assert value == pytest.approx(1.0, abs=3e-6)
    assert jnp.isfinite(gradient)


def test_r1_of_a_linear_critic(images, weights):
    # Half the squared length of w, wherever it is taken.
    critic = lambda x: jnp.einsum("bhwc,hwc->b", x, weights)  # noqa: E731
    assert r1_penalty(critic, images[0]) == pytest.approx(
        0.5 * float(jnp.sum(weights**2)), rel=1e-5
    )


def test_r1_is_a_mean_over_images(images):
    # The gradient of |x|^2/2 is x: half the mean squared length of the images.
    critic = lambda x: 0.5 * jnp.sum(x**2, axis=(1, 2, 3))  # noqa: E731
    lengths = np.sum(np.asarray(images[0], np.float64) ** 2, axis=(1, 2, 3))
    assert r1_penalty(critic, images[0]) == pytest.approx(0.5 * lengths.mean(), rel=1e-5)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_lecam_by_hand(wrap):
    # ((1 - 2)^2 + (3 - 2)^2) / 2 + ((-1 - 5)^2 + (0 - 5)^2) / 2.
    scores = (jnp.array([1.0, 3.0]), jnp.array([-1.0, 0.0]))
    assert wrap(lecam_penalty)(*scores, 5.0, 2.0) == pytest.approx(1.0 + 30.5, rel=1e-6)


def test_lecam_of_scores_at_the_others_mean_is_nothing():
    value, gradient = jax.value_and_grad(lecam_penalty)(
        jnp.full(4, 0.5), jnp.full(4, -2.0), jnp.float32(-2.0), jnp.float32(0.5)
    )
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
