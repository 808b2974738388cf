"""Convolutions and pools for inference, against XLA's and Flax's own."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gaug_jax.models.plain_convolution import (
    average_pool,
    default_implementation,
    max_pool,
    plain_convolution,
)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("implementation", ["native", "by_columns", "patches"])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        ((13, 131), (3, 3), 1, (0, 0)),
        ((9, 130), (3, 3), 1, (1, 1)),
        ((9, 133), (3, 3), 2, (0, 0)),
        ((9, 134), (3, 3), 2, (0, 0)),
        ((9, 67), (1, 7), 1, (0, 3)),
        ((9, 67), (7, 1), 1, (3, 0)),
        ((8, 8), (5, 5), 1, (2, 2)),
        ((70, 70), (1, 1), 1, (0, 0)),
        ((8, 9), (1, 1), 2, (0, 0)),
        ((8, 9), (1, 1), 1, (1, 1)),
    ],
)
def test_every_form_is_the_convolution(implementation, size, kernel, stride, padding):
    x, weights = random(2, *size, 3), random(*kernel, 3, 4, seed=1)
    expected = lax.conv_general_dilated(
        x.astype(np.float64), weights.astype(np.float64), (stride, stride),
        [(amount, amount) for amount in padding], dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip
    for function in (plain_convolution, jax.jit(plain_convolution, static_argnames=(
        "stride", "padding", "implementation"))):  # fmt: skip
        ours = function(x, weights, stride=stride, padding=padding, implementation=implementation)
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("size", [(7, 7), (8, 9), (3, 3), (35, 35)])
@pytest.mark.parametrize("stride", [1, 2])
def test_maxima_are_flaxs(size, stride):
    x = -np.abs(random(2, *size, 3))
    np.testing.assert_array_equal(
        max_pool(x, stride, same=False), nn.max_pool(x, (3, 3), (stride, stride), "VALID")
    )
    np.testing.assert_array_equal(max_pool(x, 1, same=True), nn.max_pool(x, (3, 3), (1, 1), "SAME"))


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (8, 8)])
def test_means_leave_the_border_out(size):
    x = random(2, *size, 3)
    expected = nn.avg_pool(jnp.asarray(x), (3, 3), (1, 1), "SAME", count_include_pad=False)
    np.testing.assert_allclose(average_pool(x), expected, atol=1e-6)
    np.testing.assert_allclose(average_pool(np.ones_like(x)), 1.0, atol=1e-6)


def test_the_platform_decides():
    assert default_implementation("cpu") == "by_columns"
    assert default_implementation("cpu", trained=True) == "patches"
    assert default_implementation("gpu") == default_implementation("gpu", trained=True) == "native"
    with pytest.raises(ValueError, match="winograd"):
        plain_convolution(
            random(1, 4, 4, 1),
            random(1, 1, 1, 1),
            stride=1,
            padding=(0, 0),
            implementation="winograd",
        )
