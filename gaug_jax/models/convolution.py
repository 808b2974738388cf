"""The two convolutions of DCGAN, in the form that suits the platform.

Both have 4x4 kernels, stride 2 and padding 1, so that one halves height and width
and the other doubles them. Accelerators have fast convolutions (`native`). On a CPU
XLA's are several times slower than its matrix products, so there both are made of
those (`matrix_product`): 9 for each tile of 2x2 outputs (`winograd_form`) where the
layer has features enough to pay for the sums around them, else one product over
patches (`patch_form`).

Either form is exact in every order of differentiation. Write `down(x, k)` for the
convolution, `up(y, k)` for its transpose in x, and `weight(x, y)` for its transpose
in k. Each is linear in both arguments and <down(x, k), y> = <x, up(y, k)> =
<k, weight(x, y)>, so that the derivatives of each are the other two.

Images are [batch, height, width, channels], kernels [4, 4, in, out]. A transposed
convolution is `up` with a kernel that is `turned`: by 180 degrees, in and out
exchanged. The turn is made in the order of reading, since to turn the array first
costs more than its product.
"""

import functools
from collections.abc import Callable
from types import ModuleType

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.models import patch_form, winograd_form

IMPLEMENTATIONS = ("native", "matrix_product")

_LAYOUT = ("NHWC", "HWIO", "NHWC")
# From so many features of the image on, Winograd's form is the faster one.
_WINOGRAD_FEATURES = 16


def default_implementation(platform: str | None = None) -> str:
    """Returns the faster implementation on a platform.

    Args:
      platform: as `jax.default_backend()` names it; None asks it.
    """
    return "matrix_product" if (platform or jax.default_backend()) == "cpu" else "native"


def convolution(
    x: Float[Array, "batch height width in_features"],
    kernel: Float[Array, "4 4 in_features out_features"],
    *,
    implementation: str,
) -> Float[Array, "batch height//2 width//2 out_features"]:
    """Returns the convolution of stride 2 and padding 1 (PyTorch's `Conv2d(4, 2, 1)`).

    Args:
      x: images of even height and width.
      kernel: of the same dtype.
      implementation: `native` or `matrix_product`.

    Raises:
      ValueError: shapes, dtypes or the implementation do not fit.
    """
    _check(x, kernel, implementation)
    if x.shape[1] % 2 or x.shape[2] % 2:
        raise ValueError(f"height and width must be even, got {x.shape[1]}x{x.shape[2]}")
    if implementation == "matrix_product":
        return _down(x, kernel, turned=False)
    return lax.conv_general_dilated(x, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=_LAYOUT)


def transposed_convolution(
    x: Float[Array, "batch height width in_features"],
    kernel: Float[Array, "4 4 in_features out_features"],
    *,
    implementation: str,
) -> Float[Array, "batch 2*height 2*width out_features"]:
    """Returns the transposed convolution of stride 2, which doubles height and width.

    It is `lax.conv_transpose(x, kernel, (2, 2), ((2, 2), (2, 2)))`: PyTorch's
    `ConvTranspose2d(4, 2, 1)` with the kernel turned by 180 degrees.

    Args:
      x: images.
      kernel: of the same dtype.
      implementation: `native` or `matrix_product`.

    Raises:
      ValueError: shapes, dtypes or the implementation do not fit.
    """
    _check(x, kernel, implementation)
    if implementation == "matrix_product":
        return _up(x, kernel, turned=True)
    return lax.conv_transpose(x, kernel, (2, 2), ((2, 2), (2, 2)), dimension_numbers=_LAYOUT)


def _check(x: Array, kernel: Array, implementation: str) -> None:
    """Raises ValueError unless image and kernel fit each other."""
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"implementation {implementation!r} is not one of {IMPLEMENTATIONS}")
    if x.ndim != 4 or kernel.ndim != 4 or kernel.shape[:3] != (4, 4, x.shape[-1]):
        raise ValueError(f"a kernel of shape {kernel.shape} does not fit images of {x.shape}")
    if x.dtype != kernel.dtype:
        raise ValueError(f"images of {x.dtype} and a kernel of {kernel.dtype}: give one dtype")


def _form(features: int, rows: int, columns: int, dtype: jnp.dtype) -> ModuleType:
    """Returns the form for images of so many features and outputs of so many rows and columns.

    Winograd's sums and differences would cost a short floating-point type its digits.
    """
    fits = rows % 2 == 0 and columns % 2 == 0 and jnp.finfo(dtype).bits >= 32
    return winograd_form if fits and features >= _WINOGRAD_FEATURES else patch_form


def _blocks(kernel: Array, turned: bool) -> Array:
    """Returns a kernel as [2, 2, 4 * in, out], or turned as [2, 2, in, 4 * out]."""
    if not turned:
        taps = kernel.reshape(2, 2, 2, 2, *kernel.shape[2:])
        return jnp.swapaxes(taps, 1, 2).reshape(2, 2, -1, kernel.shape[3])
    taps = kernel[::-1, ::-1].reshape(2, 2, 2, 2, *kernel.shape[2:])
    return taps.transpose(0, 2, 4, 1, 3, 5).reshape(2, 2, kernel.shape[2], -1)


def _kernel_of_blocks(blocks: Array, turned: bool) -> Array:
    """Returns the transpose of `_blocks`."""
    if not turned:
        taps = blocks.reshape(2, 2, 2, 2, -1, blocks.shape[3])
        return jnp.swapaxes(taps, 1, 2).reshape(4, 4, -1, blocks.shape[3])
    taps = blocks.reshape(2, 2, blocks.shape[2], 2, 2, -1).transpose(0, 3, 1, 4, 2, 5)
    return taps.reshape(4, 4, blocks.shape[2], -1)[::-1, ::-1]


def _products(first: list[Array], second: list[Array], axes: tuple[int, int]) -> list[Array]:
    """Returns the matrix products of each pair, summed over an axis of each."""
    dimensions = (((axes[0],), (axes[1],)), ((), ()))
    pairs = zip(first, second, strict=True)
    return [lax.dot_general(left, right, dimensions) for left, right in pairs]


@functools.partial(jax.custom_vjp, nondiff_argnames=("turned",))
def _down(x: Array, kernel: Array, turned: bool) -> Array:
    """Returns the convolution of x [batch, height, width, features] to half of height and width.

    `turned`: the kernel is [4, 4, out, features], as of a transposed convolution.
    """
    batch, rows, columns = x.shape[0], x.shape[1] // 2, x.shape[2] // 2
    form = _form(x.shape[3], rows, columns, x.dtype)
    factors = form.factors_of_blocks(_blocks(kernel, turned), int(turned))
    products = _products(form.tiles_of_image(x), factors, (1, int(turned)))
    return form.output_of_tiles(products, batch, rows, columns)


@functools.partial(jax.custom_vjp, nondiff_argnames=("turned",))
def _up(y: Array, kernel: Array, turned: bool) -> Array:
    """Returns the transpose of `_down` in x, of y [batch, height/2, width/2, out]."""
    form = _form(kernel.shape[3 if turned else 2], y.shape[1], y.shape[2], y.dtype)
    factors = form.factors_of_blocks(_blocks(kernel, turned), int(turned))
    products = _products(form.tiles_of_output(y), factors, (1, int(not turned)))
    return form.image_of_tiles(products, *y.shape[:3])


@functools.partial(jax.custom_vjp, nondiff_argnames=("turned",))
def _weight(x: Array, y: Array, turned: bool) -> Array:
    """Returns the transpose of `_down` in the kernel."""
    form = _form(x.shape[3], y.shape[1], y.shape[2], x.dtype)
    operands = (form.tiles_of_image(x), form.tiles_of_output(y))
    products = _products(*(operands[::-1] if turned else operands), (0, 0))
    return _kernel_of_blocks(form.blocks_of_factors(products, int(turned)), turned)


def _keep(function: Callable) -> Callable:
    """Returns the forward rule of a bilinear function: its arguments are the residuals."""
    return lambda first, second, turned: (function(first, second, turned), (first, second))


_down.defvjp(
    _keep(_down),
    lambda turned, saved, y: (_up(y, saved[1], turned), _weight(saved[0], y, turned)),
)
_up.defvjp(
    _keep(_up),
    lambda turned, saved, x: (_down(x, saved[1], turned), _weight(x, saved[0], turned)),
)
_weight.defvjp(
    _keep(_weight),
    lambda turned, saved, kernel: (
        _up(saved[1], kernel, turned),
        _down(saved[0], kernel, turned),
    ),
)
