"""Convolutions of any size, and the pools of networks that are only run.

On a CPU XLA's convolution is slow where an image is large and its features are few.
There `by_columns` takes two neighbouring columns for one of twice the features (a third
more arithmetic, at up to five times the rate), and a 1x1 kernel is a matrix product. On
accelerators XLA's own are fast (`native`). Inside a loop, where networks are trained,
XLA's is slower still on a CPU: there `patches` makes one matrix product. The
convolutions of the GANs, for which more was done, are in `models.convolution`.

Images are [batch, height, width, channels], kernels [rows, columns, in, out].
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

IMPLEMENTATIONS = ("native", "by_columns", "patches")

# Outputs at least so wide are made two columns at a time.
_WIDE = 64


def default_implementation(platform: str | None = None, *, trained: bool = False) -> str:
    """Returns the faster implementation on a platform.

    Args:
      platform: as `jax.default_backend()` names it; None asks it.
      trained: inside a loop and with gradients, or only run.
    """
    if (platform or jax.default_backend()) != "cpu":
        return "native"
    return "patches" if trained else "by_columns"


def plain_convolution(
    x: Float[Array, "batch height width in_features"],
    kernel: Float[Array, "rows columns in_features out_features"],
    *,
    stride: int,
    padding: tuple[int, int],
    implementation: str,
) -> Float[Array, "batch new_height new_width out_features"]:
    """Returns the convolution (PyTorch's `Conv2d` without a bias).

    Args:
      x: images.
      kernel: of the same dtype.
      stride: in both directions.
      padding: zeros at each side of the rows, and of the columns.
      implementation: `native`, `by_columns` or `patches`.

    Raises:
      ValueError: the implementation is unknown.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"implementation {implementation!r} is not one of {IMPLEMENTATIONS}")
    sides = tuple((amount, amount) for amount in padding)
    new_width = (x.shape[2] + 2 * padding[1] - kernel.shape[1]) // stride + 1
    if implementation == "by_columns" and kernel.shape[:2] == (1, 1) and stride == 1:
        return jnp.pad(x, ((0, 0), *sides, (0, 0))) @ kernel[0, 0]
    if implementation == "by_columns" and new_width >= _WIDE:
        return _pairs_of_columns(x, kernel, stride, sides, new_width)
    if implementation == "patches":
        return _patches(x, kernel.shape[:2], stride, sides) @ kernel.reshape(-1, kernel.shape[3])
    return _convolution(x, kernel, (stride, stride), sides)


def _patches(
    x: Array, size: tuple[int, int], stride: int, sides: tuple[tuple[int, int], ...]
) -> Float[Array, "batch new_height new_width taps_times_features"]:
    """Returns what the kernel sees at each output, tap by tap."""
    padded = jnp.pad(x, ((0, 0), *sides, (0, 0)))
    reach = [extent - taps + 1 for extent, taps in zip(padded.shape[1:3], size, strict=True)]
    slices = [
        padded[:, row : row + reach[0] : stride, column : column + reach[1] : stride]
        for row in range(size[0])
        for column in range(size[1])
    ]
    return slices[0] if len(slices) == 1 else jnp.concatenate(slices, axis=-1)


def _convolution(
    x: Array, kernel: Array, strides: tuple[int, int], sides: tuple[tuple[int, int], ...]
) -> Array:
    """Returns XLA's convolution."""
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, strides, sides, dimension_numbers=layout)


def _pairs_of_columns(
    x: Array, kernel: Array, stride: int, sides: tuple[tuple[int, int], ...], new_width: int
) -> Array:
    """Returns the convolution, two columns of the output as one of twice the features."""
    nothing = (0, 0)
    both = [
        jnp.pad(kernel, (nothing, shift, nothing, nothing)) for shift in ((0, stride), (stride, 0))
    ]
    pairs = -(-new_width // 2)
    needed = (2 * pairs - 1) * stride + kernel.shape[1]
    after = max(sides[1][1], needed - x.shape[2] - sides[1][0])
    outputs = _convolution(
        x,
        jnp.concatenate(both, axis=-1),
        (stride, 2 * stride),
        (sides[0], (sides[1][0], after)),
    )
    return outputs.reshape(*outputs.shape[:2], -1, kernel.shape[3])[:, :, :new_width]


def max_pool(
    x: Float[Array, "batch height width channels"], stride: int, *, same: bool
) -> Float[Array, "batch new_height new_width channels"]:
    """Returns maxima over 3x3.

    Args:
      x: images.
      stride: in both directions.
      same: with a border that never is the maximum; else without one.
    """
    border = 1 if same else 0
    return _windows(x, stride, border, -jnp.inf, jnp.maximum)


def average_pool(
    x: Float[Array, "batch height width channels"],
) -> Float[Array, "batch height width channels"]:
    """Returns means over 3x3 around each position, of what lies inside the image."""
    inside = jnp.ones((1, *x.shape[1:3], 1), x.dtype)
    sums, counts = (_windows(each, 1, 1, 0.0, jnp.add) for each in (x, inside))
    return sums / counts


def _windows(
    x: Array, stride: int, border: int, fill: float, combine: Callable[[Array, Array], Array]
) -> Array:
    """Returns the combination of each 3x3 window: of shifted images, which XLA fuses."""
    for axis in (1, 2):
        widths = [(border, border) if each == axis else (0, 0) for each in range(4)]
        padded = jnp.pad(x, widths, constant_values=fill)
        reach = padded.shape[axis] - 2
        shifted = [
            lax.slice_in_dim(padded, first, first + reach, stride, axis) for first in range(3)
        ]
        x = functools.reduce(combine, shifted)
    return x
