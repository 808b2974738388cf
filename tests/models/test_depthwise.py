"""Depthwise convolutions as sums of shifts, against XLA's grouped ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.models.channel_sums import scaled, sum_and_product_sum
from gaug_jax.models.depthwise import default_implementation, depthwise_convolution

# Sums of 25 products in float32, in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-4}


def random(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


CASES = [
    ((8, 8), 3, 1, (1, 1)),
    ((8, 6), 3, 2, (0, 1)),
    ((7, 9), 3, 2, (0, 1)),
    ((7, 9), 3, 2, (1, 1)),
    ((8, 8), 5, 2, (1, 2)),
    ((9, 7), 5, 2, (1, 2)),
    ((2, 1), 5, 1, (2, 2)),
    ((3, 2), 5, 2, (1, 2)),
]


@pytest.mark.parametrize(("size", "taps", "stride", "padding"), CASES)
def test_shifts_are_the_grouped_convolution_to_the_second_order(size, taps, stride, padding):
    x, kernel = random(2, *size, 4), random(taps, taps, 4, seed=1)

    def values(implementation):
        def convolved(x, kernel):
            return depthwise_convolution(
                x, kernel, stride=stride, padding=padding, implementation=implementation
            )

        def slope(x, kernel):
            loss = lambda *both: jnp.sum(jnp.sin(convolved(*both)))  # noqa: E731
            return jax.grad(loss, (0, 1))(x, kernel)

        def length(x, kernel):
            return sum(jnp.sum(jnp.square(each)) for each in slope(x, kernel))

        both = lambda x, kernel: (  # noqa: E731
            convolved(x, kernel), slope(x, kernel), jax.grad(length, (0, 1))(x, kernel)
        )  # fmt: skip
        return jax.jit(both)(x, kernel)

    ours, expected = values("shifts"), values("native")
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        scale = max(1.0, float(jnp.abs(other).max()))
        np.testing.assert_allclose(one / scale, other / scale, **CLOSE)


def test_sums_made_together_are_the_sums_to_the_second_order():
    x, scale, shift = random(3, 4, 5, 6), random(6, seed=1), random(6, seed=2)

    def values(together):
        def loss(x, scale, shift):
            outputs = scaled(jnp.tanh(x), scale, shift, together)
            first, second = sum_and_product_sum(outputs, outputs, together)
            return jnp.sum(first * second)

        slope = jax.grad(loss, (0, 1, 2))
        length = lambda *all: sum(jnp.sum(jnp.square(each)) for each in slope(*all))  # noqa: E731
        return loss(x, scale, shift), slope(x, scale, shift), jax.grad(length)(x, scale, shift)

    for one, other in zip(
        jax.tree.leaves(values(True)), jax.tree.leaves(values(False)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(jnp.abs(other).max()))
    # By hand, in float64.
    first, second = sum_and_product_sum(x, x, together=True)
    exact = np.asarray(x, np.float64)
    np.testing.assert_allclose(first, exact.sum((0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(second, (exact**2).sum((0, 1, 2)), rtol=1e-5)


def test_a_batch_on_several_devices_gives_the_same():
    assert jax.local_device_count() == 4
    mesh = jax.sharding.Mesh(np.array(jax.local_devices()), ("devices",))
    shared = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("devices"))
    x, kernel = random(8, 6, 6, 4), random(3, 3, 4, seed=1)

    def loss(kernel, x):
        return jnp.sum(
            jnp.sin(
                depthwise_convolution(x, kernel, stride=1, padding=(1, 1), implementation="shifts")
            )
        )

    slope = jax.jit(jax.grad(loss))
    np.testing.assert_allclose(
        slope(kernel, jax.device_put(x, shared)), slope(kernel, x), rtol=1e-5, atol=1e-5
    )


def test_the_platform_decides_and_what_does_not_fit_is_refused():
    assert default_implementation("cpu") == "shifts"
    assert default_implementation("gpu") == "native"
    rest = {"stride": 1, "padding": (0, 0)}
    with pytest.raises(ValueError, match="winograd"):
        depthwise_convolution(
            random(1, 4, 4, 1), random(1, 1, 1), implementation="winograd", **rest
        )
    with pytest.raises(ValueError, match="does not fit"):
        depthwise_convolution(random(1, 4, 4, 2), random(1, 1, 1), implementation="shifts", **rest)
