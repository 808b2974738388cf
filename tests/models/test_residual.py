"""Residual blocks: the sum of their two ways, and their place in the networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.dcgan import Discriminator, Generator
from gaug_jax.models.layers import Convolution, Downsample, NearestUpsample, Upsample
from gaug_jax.models.resampling import enlarged, shrunk
from gaug_jax.models.residual import ResidualBlock


@pytest.mark.parametrize("resample", [Upsample, NearestUpsample, Downsample])
def test_a_block_is_the_sum_of_its_two_ways(resample):
    inputs = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    block = ResidualBlock(resample, 5, use_bias=True)
    activated = lambda hidden: jax.nn.leaky_relu(hidden, 0.2)  # noqa: E731
    variables = block.init(jax.random.key(0), inputs, activated, train=False)
    params = jax.tree.map(lambda leaf: leaf + 0.1, variables["params"])
    found = block.apply({"params": params}, inputs, activated, train=False)
    size = 4 if resample is Downsample else 16
    assert found.shape == (2, size, size, 5)
    apply = lambda layer, name, x: layer.apply({"params": params[name]}, x)  # noqa: E731
    hidden = apply(resample(5, use_bias=True), f"{resample.__name__}_0", inputs)
    hidden = apply(Convolution(5, use_bias=True), "Convolution_0", activated(hidden))
    resized = shrunk(jnp.asarray(inputs), 4) if size == 4 else enlarged(jnp.asarray(inputs), 16)
    shortcut = resized @ params["Convolution_1"]["kernel"][0, 0]
    np.testing.assert_allclose(found, hidden + shortcut, atol=1e-5)


def test_every_kernel_of_a_block_has_spectral_norm():
    discriminator = Discriminator(width=4, norm="none", spectral_norm=True, residual=True)
    image = jax.random.uniform(jax.random.key(0), (2, 16, 16, 1))
    variables = discriminator.init(jax.random.key(0), image, train=False)
    params, stats = variables["params"], variables["batch_stats"]
    for _ in range(100):
        _, updates = discriminator.apply(
            {"params": params, "batch_stats": stats}, image, train=True, mutable=["batch_stats"]
        )
        stats = updates["batch_stats"]
    sigmas = [
        float(value)
        for path, value in jax.tree_util.tree_flatten_with_path(stats["ResidualBlock_1"])[0]
        if "sigma" in path[-1].key
    ]
    kernels = [
        np.asarray(layer["kernel"]).reshape(-1, layer["kernel"].shape[-1])
        for layer in params["ResidualBlock_1"].values()
    ]
    largest = [np.linalg.svd(kernel, compute_uv=False)[0] for kernel in kernels]
    assert len(largest) == 3
    np.testing.assert_allclose(sorted(sigmas), sorted(largest), rtol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_both_networks_have_a_block_for_every_hidden_layer_that_resamples(norm):
    labels = jnp.array([0, 2])
    generator = Generator(image_size=32, channels=3, width=2, num_classes=3, residual=True)
    images, variables = generator.init_with_output(
        jax.random.key(0), jnp.ones((2, 5)), labels, train=True
    )
    assert images.shape == (2, 32, 32, 3)
    assert {"ResidualBlock_0", "ResidualBlock_1", "Upsample_2"} <= set(variables["params"])
    discriminator = Discriminator(width=2, norm=norm, num_classes=3, residual=True)
    scores, variables = discriminator.init_with_output(
        jax.random.key(0), images, labels, train=True
    )
    assert scores.shape == (2,) and np.isfinite(scores).all()
    assert {"Downsample_0", "ResidualBlock_1", "ResidualBlock_2"} <= set(variables["params"])
    normed = "BatchNorm_0" in variables["params"]["ResidualBlock_1"]
    assert normed == (norm == "batch")
