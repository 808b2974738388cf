"""StyleGAN2's layers against the published equations, written out in NumPy for each image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import signal

from gaug_jax.models.equalised import EqualisedConvolution, EqualisedDense, ModulatedConvolution
from gaug_jax.models.resampling import blurred

BATCH, SIZE, IN, OUT, STYLE = 3, 8, 5, 4, 6
# The filter of the paper's code, of gain 1.
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def seen_by(kernel, image):
    """Returns a 3x3 or 1x1 kernel at every position of an image, zeros around it, float64."""
    planes = [
        sum(
            signal.correlate2d(image[..., i], kernel[..., i, o], mode="same")
            for i in range(kernel.shape[2])
        )
        for o in range(kernel.shape[3])
    ]
    return np.stack(planes, axis=-1)


def doubled(image):
    """Returns an image with zeros between its pixels, filtered: twice the height and width."""
    height, width, features = image.shape
    spread = np.zeros((2 * height, 2 * width, features))
    spread[::2, ::2] = image
    full = [signal.convolve2d(spread[..., i], 4 * FILTER) for i in range(features)]
    return np.stack(full, axis=-1)[1 : 1 + 2 * height, 1 : 1 + 2 * width]


def modulated(params, images, styles, demodulate):
    """Returns equations 1 and 3 of the paper: a kernel for each image."""
    kernel = params["kernel"].astype(np.float64)
    kernel = kernel / np.sqrt(kernel.shape[0] * kernel.shape[1] * kernel.shape[2])
    affine = params["affine"]
    scales = styles @ affine["kernel"] / np.sqrt(styles.shape[1]) + affine["bias"]
    for image, scale in zip(images, scales, strict=True):
        own = kernel * scale[None, None, :, None]
        if demodulate:
            own = own / np.sqrt(np.sum(own**2, axis=(0, 1, 2)) + 1e-8)
        yield image, own


@pytest.mark.parametrize("implementation", ["native", "matrix_product"])
@pytest.mark.parametrize("resample", ["same", "up"])
@pytest.mark.parametrize("demodulate", [True, False])
def test_a_modulated_convolution_is_the_papers(resample, demodulate, implementation):
    layer = ModulatedConvolution(
        OUT, resample=resample, demodulate=demodulate, implementation=implementation
    )
    images, styles = drawn(BATCH, SIZE, SIZE, IN), drawn(BATCH, STYLE, seed=1)
    variables = layer.init(jax.random.key(0), images, styles)
    found = np.asarray(jax.jit(layer.apply)(variables, images, styles))
    params = jax.tree.map(np.asarray, variables["params"])
    for mine, (image, kernel) in zip(
        found, modulated(params, images, styles, demodulate), strict=True
    ):
        expected = seen_by(kernel, doubled(image) if resample == "up" else image)
        # The filter is made in two steps, each with zeros around: they tell at the border alone.
        inner = slice(2, -2) if resample == "up" else slice(None)
        np.testing.assert_allclose(mine[inner, inner], expected[inner, inner], rtol=0, atol=2e-5)


def test_downsampling_filters_and_keeps_every_second():
    layer = EqualisedConvolution(OUT, resample="down", implementation="matrix_product")
    images = drawn(BATCH, SIZE, SIZE, IN)
    variables = layer.init(jax.random.key(0), images)
    kernel = np.asarray(variables["params"]["kernel"], np.float64) / np.sqrt(9 * IN)
    found = np.asarray(layer.apply(variables, images))
    assert found.shape == (BATCH, SIZE // 2, SIZE // 2, OUT)
    for mine, image in zip(found, images, strict=True):
        full = [signal.convolve2d(image[..., i], FILTER, mode="full") for i in range(IN)]
        # Pixel p of the full filter is centred half a pixel before pixel p - 1.
        filtered = np.stack(full, axis=-1)
        wide = [
            sum(signal.correlate2d(filtered[..., i], kernel[..., i, o], mode="same")
                for i in range(IN))
            for o in range(OUT)
        ]  # fmt: skip
        expected = np.stack(wide, axis=-1)[2:-1:2, 2:-1:2]
        np.testing.assert_allclose(mine[1:-1, 1:-1], expected[1:-1, 1:-1], rtol=0, atol=2e-5)


def test_second_derivatives_through_a_modulated_convolution_are_those_of_a_kernel_an_image():
    layer = ModulatedConvolution(OUT, resample="same", implementation="matrix_product")
    images, styles = drawn(BATCH, SIZE, SIZE, IN), drawn(BATCH, STYLE, seed=1)
    params = layer.init(jax.random.key(0), images, styles)["params"]

    def plain(params, images, styles):
        kernel = params["kernel"] / jnp.sqrt(9 * IN)
        scales = styles @ params["affine"]["kernel"] / jnp.sqrt(STYLE) + params["affine"]["bias"]

        def of_one(image, scale):
            own = kernel * scale[None, None, :, None]
            own = own / jnp.sqrt(jnp.sum(own**2, axis=(0, 1, 2)) + 1e-8)
            layout = ("NHWC", "HWIO", "NHWC")
            return lax.conv_general_dilated(
                image[None], own, (1, 1), "SAME", dimension_numbers=layout
            )[0]

        return jax.vmap(of_one)(images, scales)

    def squared_gradients(function, params):
        """Returns the squared gradient norm, as R1 and the path length have it."""

        def total(images, styles):
            return jnp.sum(jnp.tanh(function(params, images, styles)) ** 2)

        by_image, by_style = jax.grad(total, argnums=(0, 1))(images, styles)
        return jnp.sum(by_image**2) + jnp.sum(by_style**2)

    mine = jax.grad(
        lambda params: squared_gradients(
            lambda *arguments: layer.apply({"params": arguments[0]}, *arguments[1:]), params
        )
    )(params)
    other = jax.grad(lambda params: squared_gradients(plain, params))(params)
    for one, two in zip(jax.tree.leaves(mine), jax.tree.leaves(other), strict=True):
        scale = np.abs(two).max()
        assert scale > 0
        np.testing.assert_allclose(one, two, rtol=0, atol=2e-4 * scale)


def test_outputs_of_unit_inputs_have_about_unit_variance():
    images, styles = drawn(64, SIZE, SIZE, 32), drawn(64, 16, seed=1)
    layer = ModulatedConvolution(32)
    variables = layer.init(jax.random.key(0), images, styles)
    inner = np.asarray(layer.apply(variables, images, styles))[:, 1:-1, 1:-1]
    # Demodulation divides by each kernel's length: the variance of 64 x 36 x 32 numbers is near 1.
    assert inner.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_the_rate_of_a_dense_layer_scales_its_gradient_and_not_its_outputs(rate):
    layer = EqualisedDense(400, rate, bias_start=1.0)
    inputs = drawn(50, 100)
    variables = layer.init(jax.random.key(0), inputs)
    outputs = np.asarray(layer.apply(variables, inputs))
    assert outputs.mean() == pytest.approx(1.0, abs=0.03)
    assert outputs.std() == pytest.approx(1.0, abs=0.03)
    gradient = jax.grad(lambda variables: jnp.sum(layer.apply(variables, inputs)))(variables)
    np.testing.assert_allclose(gradient["params"]["bias"], 50 * rate, rtol=1e-5)


def test_a_blur_keeps_what_is_even_inside():
    images = np.ones((1, 6, 6, 1), np.float32)
    found = np.asarray(blurred(images))[0, :, :, 0]
    np.testing.assert_allclose(found[1:-1, 1:-1], 1.0)
    np.testing.assert_allclose(found[0, 1:-1], 0.75)
    np.testing.assert_allclose(found[0, 0], 0.5625)
