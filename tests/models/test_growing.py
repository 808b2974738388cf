"""Progressive growing: its arithmetic, and what each stage of the networks draws and sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models import growing
from gaug_jax.models.dcgan import Discriminator, Generator
from gaug_jax.models.resampling import enlarged, shrunk

SIZE, LATENT = 32, 6


def random_images(size=SIZE, count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 2)).astype(np.float32)


def grown(network, arguments, progress):
    """Returns the variables of a growing network at a progress."""
    variables = network.init(jax.random.key(0), *arguments, None, train=False)
    return {**variables, "batch_stats": {**variables["batch_stats"], "progress": progress}}


def test_shrinking_takes_means_over_squares():
    images = random_images()
    found = shrunk(jnp.asarray(images), 8)
    for row, column in ((0, 0), (3, 7), (7, 2)):
        square = images[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].astype(np.float64)
        np.testing.assert_allclose(found[:, row, column], square.mean((1, 2)), atol=1e-6)


def test_shrinking_undoes_enlarging():
    images = random_images(8)
    larger = enlarged(jnp.asarray(images), SIZE)
    np.testing.assert_array_equal(larger, images.repeat(4, 1).repeat(4, 2))
    np.testing.assert_allclose(shrunk(larger, 8), images, atol=1e-7)


@pytest.mark.parametrize(
    ("progress", "stage", "fade"),
    [(0.0, 0, 1.0), (0.9, 0, 1.0), (1.0, 1, 0.0), (1.25, 1, 0.5), (1.5, 1, 1.0), (2.0, 2, 0.0),
     (9.0, 2, 1.0)],
)  # fmt: skip
def test_a_stage_fades_in_over_its_first_half(progress, stage, fade):
    progress = jnp.float32(progress)
    assert int(growing.stage_of(progress, 3)) == stage
    assert float(growing.fade_of(progress, stage)) == fade


def test_real_images_are_seen_as_the_generator_could_draw_them():
    images = jnp.asarray(random_images())
    np.testing.assert_allclose(growing.as_drawn_at(images, jnp.float32(2.5), 2), images, atol=1e-7)
    at_start = growing.as_drawn_at(images, jnp.float32(2.0), 2)
    before = growing.as_drawn_at(images, jnp.float32(1.5), 1)
    np.testing.assert_allclose(at_start, before, atol=1e-6)
    between = growing.as_drawn_at(images, jnp.float32(2.25), 2)
    np.testing.assert_allclose(between, 0.5 * images + 0.5 * before, atol=1e-6)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_stage_draws_squares_of_its_resolution(stage):
    generator = Generator(image_size=SIZE, channels=2, width=4, growing=True)
    latents = jax.random.normal(jax.random.key(1), (3, LATENT))
    variables = grown(generator, [latents], jnp.float32(stage + 0.5))
    images = generator.clone(stage=stage).apply(variables, latents, None, train=False)
    assert images.shape == (3, SIZE, SIZE, 2)
    resolution = growing.resolution_of(stage)
    coarse = shrunk(images, resolution)
    np.testing.assert_allclose(enlarged(coarse, SIZE), images, atol=1e-6)
    if resolution > 8:
        coarser = enlarged(shrunk(images, resolution // 2), SIZE)
        assert float(jnp.abs(coarser - images).max()) > 1e-4


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("parts", [{}, {"residual": True, "attention": True}])
def test_a_new_stage_begins_as_the_one_before(norm, parts):
    latents = jax.random.normal(jax.random.key(1), (3, LATENT))
    generator = Generator(image_size=SIZE, channels=2, width=4, growing=True, **parts)
    variables = grown(generator, [latents], jnp.float32(2.0))
    ended = {**variables, "batch_stats": {**variables["batch_stats"], "progress": jnp.float32(2)}}
    first, then = (
        generator.clone(stage=stage).apply(ended, latents, None, train=False) for stage in (1, 2)
    )
    np.testing.assert_allclose(first, then, atol=1e-6)
    # The discriminator's new layer counts nothing yet, whatever images of full size show.
    images = jnp.asarray(random_images())
    discriminator = Discriminator(
        width=4, norm=norm, spectral_norm=norm == "none", growing=True, **parts
    )
    variables = grown(discriminator, [images], jnp.float32(2.0))
    coarse = enlarged(shrunk(images, 16), SIZE)
    newer = discriminator.clone(stage=2)
    seen = newer.apply(variables, images, None, train=False)
    np.testing.assert_allclose(seen, newer.apply(variables, coarse, None, train=False), atol=1e-6)
    older = discriminator.clone(stage=1).apply(variables, images, None, train=False)
    np.testing.assert_allclose(seen, older, atol=1e-6)


def test_the_last_stage_at_its_end_is_the_plain_network():
    latents = jax.random.normal(jax.random.key(1), (3, LATENT))
    images = jnp.asarray(random_images())
    for kind, options, inputs in (
        (Generator, {"image_size": SIZE, "channels": 2, "width": 4}, latents),
        (Discriminator, {"width": 4, "spectral_norm": True, "norm": "none"}, images),
    ):
        network = kind(**options, growing=True)
        variables = grown(network, [inputs], jnp.float32(2.5))
        found = network.clone(stage=2).apply(variables, inputs, None, train=False)
        plain = kind(**options).apply(variables, inputs, None, train=False)
        np.testing.assert_allclose(found, plain, atol=1e-6)
