"""The two convolutions of DCGAN, in the form that suits the platform.

Both have 4x4 kernels, stride 2 and padding 1, so that one halves height and width
and the other doubles them. Accelerators have fast convolutions (`native`). On a CPU
XLA's are several times slower than its matrix products, so there the kernel meets
patches of the image in one product (`matrix_product`).

With the pixels of an image taken two by two, a 4x4 convolution of stride 2 is a 2x2
convolution of stride 1, so that patches are gathered in few long slices.

Which side of a product is transposed matters on a CPU; what XLA of jax 0.10 makes of
the plain products below was as fast at every shape of the network (batch 32) as any
transpose behind a barrier, or faster. Slices multiplied one by one, patches as a sum
of padded slices, and long contractions in parts were slower.

The form is exact in every order of differentiation. Write `down(x, k)` for the
convolution, `up(y, k)` for its transpose in x, and `weight(x, y)` for its transpose
in k. Each is linear in both arguments and <down(x, k), y> = <x, up(y, k)> =
<k, weight(x, y)>, so that the derivatives of each are the other two.

Images are [batch, height, width, channels], kernels [4, 4, in, out].
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

IMPLEMENTATIONS = ("native", "matrix_product")

_LAYOUT = ("NHWC", "HWIO", "NHWC")
_KERNEL_SIZE = 4


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
        return _down(x, kernel)
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
        return _up(x, jnp.swapaxes(kernel[::-1, ::-1], 2, 3))
    return lax.conv_transpose(x, kernel, (2, 2), ((2, 2), (2, 2)), dimension_numbers=_LAYOUT)


def _check(x: Array, kernel: Array, implementation: str) -> None:
    """Raises ValueError unless image and kernel fit each other."""
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(f"implementation {implementation!r} is not one of {IMPLEMENTATIONS}")
    if x.ndim != 4 or kernel.ndim != 4 or kernel.shape[:3] != (4, 4, x.shape[-1]):
        raise ValueError(f"a kernel of shape {kernel.shape} does not fit images of {x.shape}")
    if x.dtype != kernel.dtype:
        raise ValueError(f"images of {x.dtype} and a kernel of {kernel.dtype}: give one dtype")


def _patches(x: Array) -> Array:
    """Returns [batch * height/2 * width/2, 16 * features]: what the kernel sees, row by row."""
    batch, height, width, features = x.shape
    rows, columns = height // 2, width // 2
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pairs = padded.reshape(batch, rows + 1, 2, columns + 1, 2 * features)
    slices = [
        pairs[:, m : m + rows, a, n : n + columns] for m in (0, 1) for a in (0, 1) for n in (0, 1)
    ]
    return jnp.concatenate(slices, axis=-1).reshape(batch * rows * columns, -1)


def _fold(patches: Array, batch: int, rows: int, columns: int) -> Array:
    """Returns [batch, 2 * rows, 2 * columns, features]: the transpose of `_patches`.

    The barriers keep XLA from merging the sum into each of its readers, which would
    read the patches, four times larger, once for each.
    """
    patches = lax.optimization_barrier(patches)
    slices = patches.reshape(batch, rows, columns, 2, 2, 2, -1)
    padded = sum(
        jnp.pad(
            slices[:, :, :, m, :, n],
            ((0, 0), (m, 1 - m), (n, 1 - n), (0, 0), (0, 0)),
        )
        for m in (0, 1)
        for n in (0, 1)
    )
    padded = jnp.swapaxes(padded, 2, 3).reshape(batch, 2 * rows + 2, 2 * columns + 2, -1)
    return lax.optimization_barrier(padded[:, 1:-1, 1:-1])


def _matrix(kernel: Array) -> Array:
    """Returns a kernel as [16 * in, out]."""
    return kernel.reshape(-1, kernel.shape[-1])


@jax.custom_vjp
def _down(x: Array, kernel: Array) -> Array:
    """Returns the convolution of x [batch, height, width, in] to half of height and width."""
    batch, height, width, _ = x.shape
    product = _patches(x) @ _matrix(kernel)
    return product.reshape(batch, height // 2, width // 2, -1)


@jax.custom_vjp
def _up(y: Array, kernel: Array) -> Array:
    """Returns the transpose of `_down` in x, of y [batch, height/2, width/2, out]."""
    batch, rows, columns, features = y.shape
    product = y.reshape(-1, features) @ _matrix(kernel).T
    return _fold(product, batch, rows, columns)


@jax.custom_vjp
def _weight(x: Array, y: Array) -> Array:
    """Returns the transpose of `_down` in the kernel, [4, 4, in, out]."""
    product = _patches(x).T @ y.reshape(-1, y.shape[-1])
    return product.reshape(_KERNEL_SIZE, _KERNEL_SIZE, x.shape[-1], y.shape[-1])


def _keep(function: Callable) -> Callable:
    """Returns the forward rule of a bilinear function: its arguments are the residuals."""
    return lambda first, second: (function(first, second), (first, second))


_down.defvjp(
    _keep(_down),
    lambda saved, y: (_up(y, saved[1]), _weight(saved[0], y)),
)
_up.defvjp(
    _keep(_up),
    lambda saved, x: (_down(x, saved[1]), _weight(x, saved[0])),
)
_weight.defvjp(
    _keep(_weight),
    lambda saved, kernel: (_up(saved[1], kernel), _down(saved[0], kernel)),
)
