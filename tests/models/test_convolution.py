"""Both implementations against XLA's own convolutions, in every order that training needs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gaug_jax.models import patch_form, winograd_form
from gaug_jax.models.convolution import (
    _form,
    convolution,
    default_implementation,
    transposed_convolution,
)

LAYOUT = ("NHWC", "HWIO", "NHWC")
PRODUCTS = {
    "down": functools.partial(convolution, implementation="matrix_product"),
    "up": functools.partial(transposed_convolution, implementation="matrix_product"),
}
# Written out a second time, so that a change of the module's conventions is seen here.
EXPECTED = {
    "down": lambda x, kernel: lax.conv_general_dilated(
        x, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=LAYOUT
    ),
    "up": lambda x, kernel: lax.conv_transpose(
        x, kernel, (2, 2), ((2, 2), (2, 2)), dimension_numbers=LAYOUT
    ),
}
# Size, channels of the larger image and of the smaller, batch: for the form of patches, and
# from 16 channels on for Winograd's, which an odd size before or after (6: 3) does not fit.
PATCH_SHAPES = [(8, 1, 2, 1), (16, 3, 4, 2), (32, 5, 1, 3), (64, 3, 8, 2), (64, 1, 2, 1)]
WINOGRAD_SHAPES = [(4, 16, 3, 1), (16, 17, 4, 2), (12, 32, 40, 3)]
SHAPES = [*PATCH_SHAPES, *WINOGRAD_SHAPES, (6, 16, 4, 2)]
# Largest error as a share of the largest value: a few roundings of the longest sums.
TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "bfloat16": 3e-2}
SMALL = {"patches": (8, 3, 4, 2), "winograd": (8, 16, 4, 2)}


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def arguments(size, features, out_features, batch, kind, dtype="float64"):
    """Returns images and a kernel; `size` is the larger of the sizes before and after."""
    rng = np.random.default_rng(0)
    if kind == "up":
        size, features, out_features = size // 2, out_features, features
    x = rng.standard_normal((batch, size, size, features))
    kernel = rng.standard_normal((4, 4, features, out_features))
    return jnp.asarray(x, dtype), jnp.asarray(kernel, dtype)


def assert_close(actual, expected, tolerance):
    for ours, theirs in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert ours.shape == theirs.shape
        ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


def bent(function):
    """Returns a scalar of the function that is not linear in anything."""
    return lambda x, kernel: jnp.sum(jnp.sin(function(x, kernel)))


def penalty(function):
    """Returns a scalar of both gradients, as the gradient penalty takes one."""
    gradients = jax.grad(bent(function), argnums=(0, 1))
    return lambda x, kernel: sum(jnp.sum(jnp.cos(g)) for g in gradients(x, kernel))


def every_order(function):
    """Returns value, gradients, and gradients of a function of the gradients; compiled."""
    return jax.jit(
        lambda x, kernel: (
            function(x, kernel),
            jax.grad(bent(function), argnums=(0, 1))(x, kernel),
            jax.grad(penalty(function), argnums=(0, 1))(x, kernel),
        )
    )


@pytest.mark.parametrize("kind", ["down", "up"])
@pytest.mark.parametrize("shape", SHAPES)
def test_products_are_the_convolution_in_float64(kind, shape):
    inputs = arguments(*shape, kind)
    actual = every_order(PRODUCTS[kind])(*inputs)
    expected = every_order(EXPECTED[kind])(*inputs)
    assert_close(actual, expected, TOLERANCE["float64"])


@pytest.mark.parametrize("kind", ["down", "up"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("features", [8, 32])
def test_other_precisions(kind, dtype, features):
    inputs = arguments(16, features, 16, 4, kind, dtype)
    doubled = [value.astype("float64") for value in inputs]

    def value_and_pull(function):
        def both(x, kernel):
            value, pull = jax.vjp(function, x, kernel)
            return value, *pull(jnp.ones_like(value))

        return jax.jit(both)

    actual = value_and_pull(PRODUCTS[kind])(*inputs)
    assert {leaf.dtype for leaf in actual} == {jnp.dtype(dtype)}
    assert_close(actual, value_and_pull(EXPECTED[kind])(*doubled), TOLERANCE[dtype])


@pytest.mark.parametrize("kind", ["down", "up"])
@pytest.mark.parametrize("form", SMALL)
def test_stacked_kernels_and_images(kind, form):
    inputs = [arguments(*SMALL[form], kind) for _ in range(3)]
    stacked = [jnp.stack([(n + 1) * pair[i] for n, pair in enumerate(inputs)]) for i in (0, 1)]
    actual = jax.vmap(every_order(PRODUCTS[kind]))(*stacked)
    one_by_one = every_order(EXPECTED[kind])
    for n in range(3):
        one = jax.tree.map(lambda leaf, n=n: leaf[n], actual)
        assert_close(one, one_by_one(stacked[0][n], stacked[1][n]), 1e-12)
    # One batch of images for all kernels, and one kernel for all batches.
    for axes in ((None, 0), (0, None)):
        given = [leaf if axis == 0 else leaf[0] for leaf, axis in zip(stacked, axes, strict=True)]
        actual, expected = (
            jax.vmap(every_order(make[kind]), in_axes=axes)(*given) for make in (PRODUCTS, EXPECTED)
        )
        assert_close(actual, expected, 1e-12)


@pytest.mark.parametrize("kind", ["down", "up"])
@pytest.mark.parametrize("form", SMALL)
def test_inside_loops(kind, form):
    x, kernel = arguments(*SMALL[form], kind)

    def descend(function, steps):
        step = lambda kernel: kernel - 0.01 * jax.grad(bent(function), argnums=1)(x, kernel)  # noqa: E731
        scanned, _ = lax.scan(lambda kernel, _: (step(kernel), None), kernel, None, length=3)
        looped = lax.while_loop(
            lambda carry: carry[0] < steps,
            lambda carry: (carry[0] + 1, step(carry[1])),
            (0, kernel),
        )[1]
        return scanned, looped

    actual, expected = (
        jax.jit(functools.partial(descend, make[kind]))(jnp.int32(3))
        for make in (PRODUCTS, EXPECTED)
    )
    assert_close(actual, expected, 1e-12)
    assert jnp.abs(actual[0] - kernel).max() > 1e-3


@pytest.mark.parametrize("kind", ["down", "up"])
def test_devices_share_a_batch(kind):
    x, kernel = arguments(8, 2, 3, 8, kind)
    mean_gradient = lambda x, kernel: lax.pmean(  # noqa: E731
        jax.grad(bent(PRODUCTS[kind]), argnums=1)(x, kernel), "devices"
    )
    parallel = jax.pmap(mean_gradient, axis_name="devices", in_axes=(0, None), out_axes=None)
    shards = x.reshape(4, 2, *x.shape[1:])
    expected = jax.grad(bent(EXPECTED[kind]), argnums=1)(x, kernel) / 4
    assert_close(parallel(shards, kernel), expected, 1e-12)


@pytest.mark.parametrize("kind", ["down", "up"])
def test_native_is_xlas_own(kind):
    inputs = arguments(16, 3, 4, 2, kind)
    function = {"down": convolution, "up": transposed_convolution}[kind]
    actual = function(*inputs, implementation="native")
    assert_close(actual, EXPECTED[kind](*inputs), 1e-15)


def test_winograd_is_used_where_it_fits():
    shape_of = lambda features, rows, dtype="float32": (features, rows, rows, jnp.dtype(dtype))  # noqa: E731
    assert _form(*shape_of(16, 4)) is winograd_form
    for shape in (shape_of(3, 4), shape_of(16, 3), shape_of(16, 4, "bfloat16")):
        assert _form(*shape) is patch_form


def test_values_by_hand():
    # A kernel of ones sums the 4x4 pixels around each 2x2 block: 9 of them at a corner of
    # padded ones, 12 at an edge, 16 within. Turned around, every pixel of the larger image
    # has four neighbours that reach it; one at a corner, two along an edge.
    ones = jnp.ones((4, 4, 1, 1))
    summed = PRODUCTS["down"](jnp.ones((1, 6, 6, 1)), ones)
    assert summed[0, :, :, 0].tolist() == [[9, 12, 9], [12, 16, 12], [9, 12, 9]]
    spread = PRODUCTS["up"](jnp.ones((1, 2, 2, 1)), ones)
    assert spread[0, :, :, 0].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


def test_height_and_width_may_differ():
    for kind, shape in (("down", (2, 4, 10, 3)), ("up", (2, 2, 5, 3))):
        x = jnp.arange(np.prod(shape), dtype="float64").reshape(shape)
        kernel = jnp.arange(4 * 4 * 3 * 2, dtype="float64").reshape(4, 4, 3, 2)
        actual, expected = (order[kind](x, kernel) for order in (PRODUCTS, EXPECTED))
        assert_close(actual, expected, 1e-14)


def test_the_platform_chooses():
    assert default_implementation("cpu") == "matrix_product"
    assert default_implementation("gpu") == "native"
    assert default_implementation("tpu") == "native"
    # The tests run on CPU devices (tests/conftest.py).
    assert default_implementation() == "matrix_product"


@pytest.mark.parametrize("implementation", ["native", "matrix_product"])
@pytest.mark.parametrize(("height", "width"), [(7, 8), (8, 7), (5, 5)])
def test_odd_sizes_are_refused(implementation, height, width):
    with pytest.raises(ValueError, match=f"must be even, got {height}x{width}"):
        convolution(
            jnp.ones((1, height, width, 2)), jnp.ones((4, 4, 2, 3)), implementation=implementation
        )


@pytest.mark.parametrize("function", [convolution, transposed_convolution])
def test_what_does_not_fit_is_refused(function):
    x, kernel = jnp.ones((1, 8, 8, 2)), jnp.ones((4, 4, 2, 3))
    with pytest.raises(ValueError, match="implementation 'fast' is not one of"):
        function(x, kernel, implementation="fast")
    with pytest.raises(ValueError, match="does not fit images"):
        function(x, jnp.ones((4, 4, 3, 2)), implementation="matrix_product")
    with pytest.raises(ValueError, match="does not fit images"):
        function(x, jnp.ones((3, 3, 2, 3)), implementation="native")
    with pytest.raises(ValueError, match="give one dtype"):
        function(x, kernel.astype("float32"), implementation="matrix_product")
