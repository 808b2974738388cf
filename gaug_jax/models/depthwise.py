"""Depthwise convolutions: each feature has a kernel of its own, and none sees another.

XLA's grouped convolution is fast on accelerators (`native`) and some fifty times too slow on a
CPU. There the sum of shifted images is taken, one for each tap of the kernel (`shifts`), which
XLA makes in one pass.

The form is exact in every order of differentiation, as that of `models.convolution` is. Write
`down(x, k)` for the convolution, `up(y, k)` for its transpose in x, and `weight(x, y)` for its
transpose in k. Each is linear in both arguments, and the derivatives of each are the other two.
What autodiff makes of the shifts instead is a chain of padded images, several times slower.

Images are [batch, height, width, features], kernels [rows, columns, features].
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.models.channel_sums import sums_together

IMPLEMENTATIONS = ("native", "shifts")

_LAYOUT = ("NHWC", "HWIO", "NHWC")
# Images of a turn of a loop.
_GROUP = 8


def default_implementation(platform: str | None = None) -> str:
    """Returns the faster implementation on a platform.

    Args:
      platform: as `jax.default_backend()` names it; None asks it.
    """
    return "shifts" if (platform or jax.default_backend()) == "cpu" else "native"


def depthwise_convolution(
    x: Float[Array, "batch height width features"],
    kernel: Float[Array, "taps taps features"],
    *,
    stride: int,
    padding: tuple[int, int],
    implementation: str,
) -> Float[Array, "batch new_height new_width features"]:
    """Returns the convolution of each feature with its own kernel.

    Args:
      x: images.
      kernel: of the same dtype.
      stride: in both directions.
      padding: zeros before and after, of the rows and of the columns alike.
      implementation: `native` or `shifts`.

    Raises:
      ValueError: the implementation is unknown, or the kernel does not fit the images.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"implementation {implementation!r} is not one of {IMPLEMENTATIONS}")
    if x.ndim != 4 or kernel.ndim != 3 or x.shape[-1] != kernel.shape[-1]:
        raise ValueError(f"a kernel of shape {kernel.shape} does not fit images of {x.shape}")
    if implementation == "native":
        return lax.conv_general_dilated(
            x, kernel[:, :, None], (stride, stride), (padding, padding),
            dimension_numbers=_LAYOUT, feature_group_count=x.shape[-1],
        )  # fmt: skip
    return _down(x, kernel, _Form(stride, padding, x.shape[1:3], kernel.shape[:2]))


class _Form(NamedTuple):
    """What the three operations know besides their arrays.

    Attributes:
      stride: in both directions.
      padding: before and after.
      size: rows and columns of the image.
      taps: rows and columns of the kernel.
    """

    stride: int
    padding: tuple[int, int]
    size: tuple[int, int]
    taps: tuple[int, int]


def _sum_of_shifts(padded: Array, kernel: Array, stride: int) -> Array:
    """Returns the convolution of an image that has its border already."""
    sums = None
    for row, column, view in views_of_taps(padded, kernel.shape[:2], stride):
        term = view * kernel[row, column]
        sums = term if sums is None else sums + term
    return sums


def views_of_taps(
    padded: Array, taps: tuple[int, int], stride: int
) -> list[tuple[int, int, Array]]:
    """Returns what each tap of the kernel sees, with its row and column."""
    reach = [size - each + 1 for size, each in zip(padded.shape[1:3], taps, strict=True)]
    return [
        (
            row,
            column,
            padded[:, row : row + reach[0] : stride, column : column + reach[1] : stride],
        )
        for row in range(taps[0])
        for column in range(taps[1])
    ]


def _bordered(x: Array, padding: tuple[int, int]) -> Array:
    return jnp.pad(x, ((0, 0), padding, padding, (0, 0)))


@functools.partial(jax.custom_vjp, nondiff_argnames=("form",))
def _down(x: Array, kernel: Array, form: _Form) -> Array:
    """Returns the convolution."""
    return _sum_of_shifts(_bordered(x, form.padding), kernel, form.stride)


@functools.partial(jax.custom_vjp, nondiff_argnames=("form",))
def _up(y: Array, kernel: Array, form: _Form) -> Array:
    """Returns the transpose of `_down` in x: y spread out, and the kernel turned."""
    sides = []
    for extent, size, taps in zip(y.shape[1:3], form.size, form.taps, strict=True):
        before = taps - 1 - form.padding[0]
        spread = (extent - 1) * form.stride + 1
        sides.append((before, size + taps - 1 - before - spread, form.stride - 1))
    nothing = (0, 0, 0)

    def few(y: Array) -> Array:
        spread = lax.pad(y, jnp.zeros((), y.dtype), (nothing, *sides, nothing))
        return _sum_of_shifts(spread, kernel[::-1, ::-1], 1)

    # In a loop, whose results XLA keeps. Outside of one it makes them anew for each use.
    group = math.gcd(len(y), _GROUP)
    made = lax.map(few, y.reshape(-1, group, *y.shape[1:]))
    return made.reshape(-1, *made.shape[2:])


@functools.partial(jax.custom_vjp, nondiff_argnames=("form",))
def _weight(x: Array, y: Array, form: _Form) -> Array:
    """Returns the transpose of `_down` in the kernel."""

    def products(padded: Array, y: Array) -> list[Array]:
        return [view * y for _, _, view in views_of_taps(padded, form.taps, form.stride)]

    taps = sums_together(products, (_bordered(x, form.padding), y))
    return jnp.stack(taps).reshape(*form.taps, -1)


def _keep(function: Callable) -> Callable:
    """Returns the forward rule of a bilinear function: its arguments are the residuals."""
    return lambda first, second, form: (function(first, second, form), (first, second))


_down.defvjp(
    _keep(_down),
    lambda form, saved, y: (_up(y, saved[1], form), _weight(saved[0], y, form)),
)
_up.defvjp(
    _keep(_up),
    lambda form, saved, x: (_down(x, saved[1], form), _weight(x, saved[0], form)),
)
_weight.defvjp(
    _keep(_weight),
    lambda form, saved, kernel: (_up(saved[1], kernel, form), _down(saved[0], kernel, form)),
)
