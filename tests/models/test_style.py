"""The two networks of StyleGAN2: what their images and scores may and may not depend on."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.style import StyleGenerator, channels_at, keys_of_latents
from gaug_jax.models.style_discriminator import StyleDiscriminator

LATENTS = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
LABELS = np.arange(6, dtype=np.int32) % 3


def initial(network, key, *inputs):
    return jax.jit(functools.partial(network.init, train=False))(key, *inputs)


def called(network, variables, *inputs, train=False, **others):
    """Returns what a network makes of its inputs, as one program."""
    apply = jax.jit(functools.partial(network.apply, train=train, **others))
    return apply(variables, *inputs)


def generator(**options):
    return StyleGenerator(**{"image_size": 16, "channels": 1, "width": 4, **options})


def variables_of(network, *inputs, noise=0.0):
    """Returns variables in which every bias, and the noise of every layer, is something."""
    variables = initial(network, jax.random.key(1), *inputs)

    def moved(path, leaf):
        name = jax.tree_util.keystr(path)
        if "noise" in name:
            return leaf + noise
        return leaf + 0.1 * np.arange(leaf.size).reshape(leaf.shape) / leaf.size

    return jax.tree_util.tree_map_with_path(moved, variables)


@pytest.mark.parametrize(("size", "channels", "num_classes"), [(8, 1, 0), (16, 3, 3), (64, 1, 3)])
def test_images_have_their_shape_and_about_unit_spread(size, channels, num_classes):
    network = generator(image_size=size, channels=channels, num_classes=num_classes)
    variables = initial(network, jax.random.key(0), LATENTS, LABELS)
    images = called(network, variables, LATENTS, LABELS, train=False)
    assert images.shape == (6, size, size, channels) and images.dtype == jnp.float32
    assert 0.2 < float(images.std()) < 5.0
    assert float(jnp.abs(images[0] - images[3]).max()) > 1e-3


def test_channels_double_down_to_eight_times_the_width():
    assert [channels_at(size, 64, 4) for size in (64, 32, 16, 8, 4)] == [4, 8, 16, 32, 32]


def test_a_class_changes_the_image_and_its_number_alone_does_not():
    network = generator(num_classes=3)
    variables = variables_of(network, LATENTS, LABELS)
    images = called(network, variables, LATENTS, LABELS, train=False)
    others = called(network, variables, LATENTS, (LABELS + 1) % 3, train=False)
    assert float(jnp.abs(images - others).max()) > 1e-2
    plain = generator()
    variables = variables_of(plain, LATENTS)
    np.testing.assert_array_equal(
        called(plain, variables, LATENTS, LABELS, train=False),
        called(plain, variables, LATENTS, (LABELS + 1) % 3, train=False),
    )


def test_without_noise_a_latents_length_says_nothing():
    network = generator()
    variables = variables_of(network, LATENTS)
    found = [called(network, variables, share * LATENTS, train=False) for share in (1.0, 3.0)]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-4)


def test_noise_is_of_the_latent_and_of_nothing_else():
    network = generator()
    variables = variables_of(network, LATENTS, noise=0.5)
    images = np.asarray(called(network, variables, LATENTS, train=False))
    alone = np.asarray(called(network, variables, LATENTS[2:3], train=False))
    np.testing.assert_allclose(images[2:3], alone, rtol=0, atol=1e-5)
    silent = variables_of(network, LATENTS)
    with_noise = images - np.asarray(called(network, silent, LATENTS, train=False))
    assert np.abs(with_noise).max() > 0.1
    keys = jax.random.key_data(keys_of_latents(LATENTS))
    assert len(np.unique(np.asarray(keys), axis=0)) == len(LATENTS)
    assert jax.random.key_data(keys_of_latents(LATENTS[:, :1])).shape == (6, 2)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_two_styles_meet_in_training_alone(probability):
    network = generator(style_mixing=probability)
    variables = variables_of(network, LATENTS)
    drawn, trained = (called(network, variables, LATENTS, train=train) for train in (False, True))
    differs = np.abs(np.asarray(drawn - trained)).max(axis=(1, 2, 3)) > 1e-4
    assert differs.all() == differs.any() == bool(probability)
    again = called(network, variables, LATENTS, train=True)
    np.testing.assert_array_equal(trained, again)


def test_styles_that_are_moved_nowhere_draw_the_same():
    network = generator(image_size=8)
    variables = variables_of(network, LATENTS)
    nowhere = jnp.zeros((6, network.num_styles, 7))
    moved_by = jax.jit(lambda moved: network.apply(variables, LATENTS, train=False, moved=moved))
    drawn = called(network, variables, LATENTS)
    np.testing.assert_allclose(drawn, moved_by(nowhere), rtol=0, atol=1e-5)
    for layer in range(network.num_styles):
        moved = moved_by(nowhere.at[:, layer].set(0.3))
        assert float(jnp.abs(drawn - moved).max()) > 1e-3, layer


def test_scores_are_of_each_image_on_its_own():
    network = StyleDiscriminator(width=4, num_classes=3)
    images = np.random.default_rng(1).normal(size=(6, 16, 16, 3)).astype(np.float32)
    variables = variables_of(network, images, LABELS)
    scores, found = called(
        network, variables, images, LABELS, train=False, mutable=["intermediates"]
    )
    assert scores.shape == (6,) and scores.dtype == jnp.float32
    assert found["intermediates"]["features"][0].shape == (6, channels_at(4, 16, 4))
    alone = called(network, variables, images[4:5], LABELS[4:5], train=True)
    np.testing.assert_allclose(scores[4:5], alone, rtol=1e-4, atol=1e-5)
    others = called(network, variables, images, (LABELS + 1) % 3, train=False)
    assert float(jnp.abs(scores - others).min()) > 1e-4


def test_both_implementations_and_a_short_type_draw_and_score_alike():
    network, judge = generator(image_size=32), StyleDiscriminator(width=4)
    variables = variables_of(network, LATENTS, noise=0.1)
    images = called(network, variables, LATENTS, train=False)
    of_judge = variables_of(judge, images)
    scores = called(judge, of_judge, images, train=False)
    for options, bound in (
        ({"implementation": "matrix_product"}, 1e-4),
        ({"dtype": jnp.bfloat16}, 0.1),
    ):
        drawn = called(network.clone(**options), variables, LATENTS, train=False)
        np.testing.assert_allclose(drawn, images, rtol=0, atol=bound * np.abs(images).max())
        seen = called(judge.clone(**options), of_judge, images, train=False)
        np.testing.assert_allclose(seen, scores, rtol=0, atol=bound * np.abs(scores).max())
