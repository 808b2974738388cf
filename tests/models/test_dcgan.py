"""The two tables of the paper, layer by layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.dcgan import Discriminator, Generator, num_stages
from gaug_jax.models.layers import NearestUpsample, Upsample


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def layer_shapes(module, *arguments):
    """Returns the output shape of every convolution, in order, without the batch."""
    _, captured = module.init_with_output(
        jax.random.key(0), *arguments, train=False, capture_intermediates=True, mutable=True
    )
    found = []
    for path, value in jax.tree_util.tree_flatten_with_path(
        captured["intermediates"], is_leaf=lambda node: isinstance(node, tuple)
    )[0]:
        names = [part.key for part in path]
        if len(names) == 2 and names[0].startswith(("FromLatent", "Upsample", "Downsample", "ToS")):
            found.append((names[0], value[0].shape[1:]))
    return dict(found)


def test_generator_of_the_paper():
    generator = Generator(image_size=64, channels=3, width=64)
    latents = jnp.zeros((1, 100))
    assert layer_shapes(generator, latents, None) == {
        "FromLatent_0": (4, 4, 512),
        "Upsample_0": (8, 8, 256),
        "Upsample_1": (16, 16, 128),
        "Upsample_2": (32, 32, 64),
        "Upsample_3": (64, 64, 3),
    }
    params = jax.eval_shape(lambda: generator.init(jax.random.key(0), latents, None, train=False))[
        "params"
    ]
    # 16 (100*512 + 512*256 + 256*128 + 128*64 + 64*3) + 2 (512 + 256 + 128 + 64): the number
    # of the reference implementation.
    assert count(params) == 3_576_704


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        # 16 (3*64 + 64*128 + 128*256 + 256*512 + 512) + 2 (64 + 128 + 256 + 512).
        ("batch", 2_765_696),
        # The same kernels, and a bias in place of scale and shift.
        ("none", 2_764_736),
    ],
)
def test_discriminator_of_the_paper(norm, expected):
    discriminator = Discriminator(width=64, norm=norm)
    image = jnp.zeros((1, 64, 64, 3))
    assert layer_shapes(discriminator, image, None) == {
        "Downsample_0": (32, 32, 64),
        "Downsample_1": (16, 16, 128),
        "Downsample_2": (8, 8, 256),
        "Downsample_3": (4, 4, 512),
        "ToScore_0": (1,),
    }
    params = jax.eval_shape(
        lambda: discriminator.init(jax.random.key(0), image, None, train=False)
    )["params"]
    assert count(params) == expected


@pytest.mark.parametrize("size", [8, 16, 32, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_other_sizes_and_labels(size, channels):
    generator = Generator(image_size=size, channels=channels, width=2, num_classes=3)
    discriminator = Discriminator(width=2, spectral_norm=True, norm="none", num_classes=3)

    def both(key):
        labels = jnp.array([0, 2])
        latents = jax.random.normal(key, (2, 5))
        images, _ = generator.init_with_output(key, latents, labels, train=True)
        scores, _ = discriminator.init_with_output(key, images, labels, train=True)
        return images, scores

    images, scores = jax.eval_shape(both, jax.random.key(0))
    assert images.shape == (2, size, size, channels)
    assert images.dtype == jnp.float32
    assert scores.shape == (2,)


def test_images_are_within_the_range():
    generator = Generator(image_size=8, channels=3, width=4)
    latents = 100 * jax.random.normal(jax.random.key(0), (16, 5))
    images, _ = generator.init_with_output(jax.random.key(1), latents, train=True)
    assert jnp.abs(images).max() <= 1.0
    assert images.std() > 0.0


@pytest.mark.parametrize("size", [4, 12, 48, 63, 0])
def test_a_size_that_is_not_4_times_a_power_of_two_is_refused(size):
    with pytest.raises(ValueError, match=f"image size {size} is not"):
        num_stages(size)


def test_labels_change_images_and_scores():
    latents = jnp.ones((1, 5))
    generator = Generator(image_size=8, channels=1, width=4, num_classes=2)
    variables = generator.init(jax.random.key(0), latents, jnp.array([0]), train=False)
    images = [generator.apply(variables, latents, jnp.array([k]), train=False) for k in (0, 1)]
    assert jnp.abs(images[0] - images[1]).max() > 1e-4
    discriminator = Discriminator(width=4, norm="none", num_classes=2)
    variables = discriminator.init(jax.random.key(0), images[0], jnp.array([0]), train=False)
    scores = [
        discriminator.apply(variables, images[0], jnp.array([k]), train=False)[0] for k in (0, 1)
    ]
    assert scores[0] != scores[1]


def test_projection_is_the_product_with_the_pooled_features():
    # With a kernel of zeros only the projection is left: embedding[y] . sum of the features.
    discriminator = Discriminator(width=3, norm="none", num_classes=2)
    image = jax.random.uniform(jax.random.key(3), (1, 8, 8, 1))
    variables = discriminator.init(jax.random.key(0), image, jnp.array([1]), train=False)
    params = jax.tree.map(lambda leaf: leaf, variables["params"])
    params["ToScore_0"]["kernel"] = jnp.zeros_like(params["ToScore_0"]["kernel"])
    _, captured = discriminator.apply(
        {"params": params}, image, jnp.array([1]), train=False, capture_intermediates=True
    )
    hidden = np.asarray(captured["intermediates"]["Downsample_0"]["__call__"][0], np.float64)
    features = np.where(hidden > 0, hidden, 0.2 * hidden).sum(axis=(1, 2))[0]
    expected = features @ np.asarray(params["class_embedding"][1], np.float64)
    score = discriminator.apply({"params": params}, image, jnp.array([1]), train=False)
    assert score[0] == pytest.approx(expected, rel=1e-5)


def test_every_kernel_of_spectral_norm_has_largest_singular_value_one():
    discriminator = Discriminator(width=4, norm="none", spectral_norm=True)
    image = jax.random.uniform(jax.random.key(0), (2, 16, 16, 1))
    variables = discriminator.init(jax.random.key(0), image, train=False)
    params, stats = variables["params"], variables["batch_stats"]
    for _ in range(100):
        _, updates = discriminator.apply(
            {"params": params, "batch_stats": stats}, image, train=True, mutable=["batch_stats"]
        )
        stats = updates["batch_stats"]
    sigmas = {
        "/".join(part.key for part in path): float(value)
        for path, value in jax.tree_util.tree_flatten_with_path(stats)[0]
        if "sigma" in path[-1].key
    }
    assert len(sigmas) == 3
    kernels = {name: params[name]["kernel"] for name in params}
    for name, kernel in kernels.items():
        largest = np.linalg.svd(np.asarray(kernel).reshape(-1, kernel.shape[-1]), compute_uv=False)
        stored = next(value for path, value in sigmas.items() if name in path)
        assert stored == pytest.approx(largest[0], rel=1e-4)


def test_bfloat16_keeps_parameters_and_outputs_in_float32():
    generator = Generator(image_size=8, channels=1, width=4, dtype=jnp.bfloat16)
    latents = jax.random.normal(jax.random.key(0), (4, 5))
    images, variables = generator.init_with_output(jax.random.key(1), latents, train=True)
    assert images.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    exact = Generator(image_size=8, channels=1, width=4)
    expected, _ = exact.apply(variables, latents, train=True, mutable=["batch_stats"])
    # bfloat16 keeps 8 bits: a few parts in a hundred after three layers.
    np.testing.assert_allclose(images, expected, atol=0.05)


def test_nearest_upsampling_is_the_convolution_of_enlarged_features():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    for implementation in ("native", "matrix_product"):
        layer = NearestUpsample(5, implementation=implementation)
        variables = layer.init(jax.random.key(0), inputs)
        kernel = np.asarray(variables["params"]["kernel"], np.float64)
        assert kernel.shape == (3, 3, 3, 5)
        padded = np.pad(inputs.repeat(2, 1).repeat(2, 2), ((0, 0), (1, 1), (1, 1), (0, 0)))
        expected = sum(
            padded[:, row : row + 8, column : column + 8] @ kernel[row, column]
            for row in range(3)
            for column in range(3)
        )
        np.testing.assert_allclose(layer.apply(variables, inputs), expected, atol=1e-6)


def test_nearest_upsampling_has_no_checkerboard():
    # Inner outputs of constant features: all the same, where transposed ones take turns.
    def spread(kind):
        layer, inputs = kind(2), jnp.ones((1, 8, 8, 3))
        outputs = layer.apply(layer.init(jax.random.key(0), inputs), inputs)[0, 1:-1, 1:-1]
        return float(jnp.abs(outputs - outputs[0, 0]).max())

    assert spread(NearestUpsample) <= 1e-6
    assert spread(Upsample) > 1e-3


def test_a_generator_of_nearest_upsampling_draws_the_same_shapes():
    generator = Generator(image_size=16, channels=3, width=4, upsampling="nearest")
    latents = jnp.ones((2, 5))
    images, variables = generator.init_with_output(jax.random.key(0), latents, train=False)
    assert images.shape == (2, 16, 16, 3)
    assert {"NearestUpsample_0", "NearestUpsample_1"} <= set(variables["params"])


def test_the_discriminators_features_are_the_means_of_what_the_score_is_made_of():
    # With the kernel of the score at one it is their sum over positions: 16 times the mean.
    discriminator = Discriminator(width=3, norm="none")
    image = jax.random.uniform(jax.random.key(3), (2, 16, 16, 1))
    variables = discriminator.init(jax.random.key(0), image, train=False)
    params = {**variables["params"], "ToScore_0": {"kernel": jnp.ones((4, 4, 6, 1))}}
    scores, found = discriminator.apply(
        {"params": params}, image, train=False, mutable=["intermediates"]
    )
    (features,) = found["intermediates"]["features"]
    assert features.shape == (2, 6)
    np.testing.assert_allclose(scores, 16 * features.sum(axis=1), rtol=1e-5)
