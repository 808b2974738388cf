"""The diffusion family, where its network knows nothing yet: all it does has a closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from support.settings_for_tests import small_settings, small_spec

from gaug_jax.errors import UserError
from gaug_jax.gan.diffusion import how_well_known, sampled_images
from gaug_jax.gan.drawing import draw, latents_of, score
from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.spec import make_spec
from gaug_jax.gan.state import new_state
from gaug_jax.synthesis.latents import LatentChoice, chosen_latents

DIFFUSION = {"model__family": "diffusion", "objective__preset": "denoising"}


@pytest.fixture(scope="module")
def new():
    """Returns spec and parameters of a conditional network at its first step: F is zero."""
    overrides = {"model__labels": "conditional", "model__sampling_steps": 60, **DIFFUSION}
    spec = small_spec(axis_name=None, **overrides)
    return spec, jax.jit(new_state, static_argnames="spec")(jax.random.key(0), spec=spec).ema


def test_a_network_of_zeros_draws_the_noise_at_the_datas_deviation(new):
    spec, ema = new
    latents = latents_of(jax.random.key(1), 0, 4, spec)
    assert latents.shape == (4, 64)
    sample = jax.jit(sampled_images, static_argnames="spec")
    images = sample(ema.params, latents, jnp.zeros(4, jnp.int32), spec=spec)
    # dx/dsigma = x sigma / (sigma^2 + 0.25) is solved by the square root of sigma^2 + 0.25.
    expected = np.asarray(latents).reshape(4, 8, 8, 1) * 80 * 0.5 / np.sqrt(80**2 + 0.25)
    # Sixty steps of Heun's method are so near (eighteen, the default: 5%).
    np.testing.assert_allclose(images, expected, rtol=0.01, atol=1e-4)
    drawn = draw(ema, latents, 0, spec=spec)
    assert drawn.dtype == jnp.uint8 and drawn.shape == (4, 8, 8, 1)


def test_how_well_an_image_is_known_is_its_mean_loss_at_four_levels(new):
    spec, ema = new
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
    look = jax.jit(how_well_known, static_argnames="spec")
    found, features = look(ema.params, images, jnp.zeros(3, jnp.int32), spec=spec)
    assert features.shape[0] == 3 and features.ndim == 2
    expected = []
    keys = jax.random.split(jax.random.key(0), 4)
    for quantile, key in zip((0.125, 0.375, 0.625, 0.875), keys, strict=True):
        sigma = np.exp(-1.2 + 1.2 * stats.norm.ppf(quantile))
        noisy = images + sigma * np.asarray(jax.random.normal(key, (8, 8, 1)))
        errors = noisy * 0.25 / (sigma**2 + 0.25) - images
        weight = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
        expected.append(weight * np.mean(errors**2, axis=(1, 2, 3)))
    np.testing.assert_allclose(found, -np.mean(expected, axis=0), rtol=1e-4)
    pixels = ((images + 1) * 127.5).round().astype(np.uint8)
    by_score = score(ema, pixels, 0, spec=spec)
    np.testing.assert_allclose(by_score, found, rtol=0.05)


def test_an_image_begins_with_its_own_key_alone():
    spec = small_spec(axis_name=None, **DIFFUSION)
    keys = jax.random.split(jax.random.key(0), 5)
    whole = draw_latents(keys, spec)
    assert whole.shape == (5, 64)
    np.testing.assert_array_equal(draw_latents(keys[3:4], spec)[0], whole[3])


def test_truncated_latents_are_of_the_noises_length(new):
    latents = chosen_latents(jax.random.key(1), 0, 3, new[0], LatentChoice(truncation=0.5))
    assert latents.shape == (3, 64) and float(jnp.abs(latents).max()) <= 0.5


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"model__discriminator": "projected"}, "model.discriminator='projected'"),
        ({"model__attention": True}, "model.attention=True"),
        ({"objective__private": True}, "objective.private=True"),
        ({"objective__preset": "wgan_gp"}, "objective.preset='wgan_gp'"),
        ({"augment__policy": "cutout"}, "augment.policy='cutout'"),
        ({"data__image_size": 128}, "data.image_size=128"),
    ],
)
def test_what_gans_alone_have_is_refused(overrides, named):
    with pytest.raises(UserError, match=f"config.{named} is "):
        make_spec(small_settings(**{**DIFFUSION, **overrides}), 3)


def test_the_preset_of_denoising_is_of_no_gan():
    with pytest.raises(UserError, match="is of config.model.family='diffusion'"):
        make_spec(small_settings(objective__preset="denoising"), 3)
