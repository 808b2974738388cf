"""Self-attention: the paper's equations in float64, and its place in the networks."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.attention import SelfAttention
from gaug_jax.models.dcgan import Discriminator, Generator


def attended(inputs, variables):
    """Returns the layer's outputs by its definition, position by position, in float64."""
    params, stats = variables["params"], variables["batch_stats"]

    def projected(images, name):
        found = stats[f"SpectralNorm_{name}"]
        sigma = next(float(found[key]) for key in found if "sigma" in key)
        return images @ (np.asarray(params[name]["kernel"][0, 0], np.float64) / sigma)

    def largest(images):
        return np.maximum.reduce([images[:, r::2, c::2] for r in (0, 1) for c in (0, 1)])

    batch, height, width, features = inputs.shape
    queries = projected(inputs, "query")
    keys, values = (largest(projected(inputs, name)) for name in ("key", "value"))
    outputs = np.zeros((batch, height, width, values.shape[-1]))
    for place in np.ndindex(batch, height, width):
        energies = (keys[place[0]] @ queries[place]).ravel()
        weights = np.exp(energies - energies.max())
        weights /= weights.sum()
        outputs[place] = weights @ values[place[0]].reshape(-1, values.shape[-1])
    return inputs + float(params["share"]) * projected(outputs, "output")


@pytest.mark.parametrize("implementation", ["native", "matrix_product"])
def test_attention_is_the_papers(implementation):
    inputs = 3.0 * np.random.default_rng(0).normal(size=(2, 4, 4, 16)).astype(np.float32)
    layer = SelfAttention(implementation=implementation)
    variables = layer.init(jax.random.key(0), inputs, train=False)
    shapes = jax.tree.map(jnp.shape, variables["params"])
    assert shapes["query"]["kernel"] == shapes["key"]["kernel"] == (1, 1, 16, 2)
    assert shapes["value"]["kernel"] == (1, 1, 16, 8)
    assert shapes["output"]["kernel"] == (1, 1, 8, 16)
    # It begins as the identity.
    np.testing.assert_array_equal(layer.apply(variables, inputs, train=False), inputs)
    for _ in range(100):  # Until the singular values no longer move.
        _, updates = layer.apply(variables, inputs, train=True, mutable=["batch_stats"])
        variables = {**variables, **updates}
    params = {**variables["params"], "share": jnp.float32(0.7)}
    variables = {**variables, "params": params}
    expected = attended(inputs.astype(np.float64), variables)
    assert np.abs(expected - inputs).max() > 0.1
    found = layer.apply(variables, inputs, train=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    jitted = jax.jit(lambda inputs: layer.apply(variables, inputs, train=False))
    np.testing.assert_allclose(jitted(inputs), expected, atol=1e-5)


def test_equal_positions_attend_equally():
    inputs = jnp.ones((1, 4, 4, 8))
    layer = SelfAttention()
    variables = layer.init(jax.random.key(0), inputs, train=False)
    variables["params"]["share"] = jnp.float32(1.0)
    outputs = layer.apply(variables, inputs, train=False)
    np.testing.assert_allclose(
        outputs, jnp.broadcast_to(outputs[:, :1, :1], outputs.shape), atol=1e-6
    )


def seen_by_attention(network, *arguments):
    """Returns the shapes that attention sees in a network."""
    shapes = []

    def watch(call, arguments, options, context):
        if isinstance(context.module, SelfAttention) and context.method_name == "__call__":
            shapes.append(arguments[0].shape)
        return call(*arguments, **options)

    with nn.intercept_methods(watch):
        jax.eval_shape(lambda: network.init(jax.random.key(0), *arguments, train=False))
    return shapes


def test_attention_is_at_half_the_images_height():
    latents, images = jnp.zeros((1, 5)), jnp.zeros((1, 64, 64, 1))
    generator = Generator(image_size=64, channels=1, width=8, attention=True)
    assert seen_by_attention(generator, latents) == [(1, 32, 32, 8)]
    discriminator = Discriminator(width=8, norm="none", attention=True)
    assert seen_by_attention(discriminator, images) == [(1, 32, 32, 8)]


def test_networks_begin_as_those_without_attention():
    latents, images = jnp.ones((2, 5)), jnp.ones((2, 16, 16, 1))
    for network, inputs in (
        (Generator(image_size=16, channels=1, width=4), latents),
        (Discriminator(width=4, norm="none", spectral_norm=True), images),
    ):
        attentive = network.clone(attention=True)
        variables = attentive.init(jax.random.key(0), inputs, train=False)
        assert "SelfAttention_0" in variables["params"]
        params = {k: v for k, v in variables["params"].items() if k != "SelfAttention_0"}
        stats = {k: v for k, v in variables["batch_stats"].items() if k != "SelfAttention_0"}
        plain = network.apply({"params": params, "batch_stats": stats}, inputs, train=False)
        np.testing.assert_array_equal(attentive.apply(variables, inputs, train=False), plain)
