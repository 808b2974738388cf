"""The convolution of stride 2 with 9 products where patches need 16 (Winograd's F(2x2, 2x2)).

Two neighbouring outputs of a kernel with two taps, d0*g0 + d1*g1 and d1*g0 + d2*g1,
take three products instead of four (Lavin and Gray 2016, "Fast algorithms for
convolutional neural networks", equation 5 for two taps):

    p0 = (d0 - d1) * g0    p1 = d1 * (g0 + g1)    p2 = (d1 - d2) * g1
    outputs: p0 + p1 and p1 - p2

Along both axes, a tile of 2x2 outputs takes 9. The sums are exact but for their
rounding, which is about twice that of the plain product. The functions are those of
`patch_form`, whose module says what they take; each list has the 9 products' operands.
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from gaug_jax.models.patch_form import double_pixels, single_pixels

_Transform = Callable[[Sequence[Array]], list[Array]]


def _from_data(d: Sequence[Array]) -> list[Array]:
    return [d[0] - d[1], d[1], d[1] - d[2]]


def _to_data(p: Sequence[Array]) -> list[Array]:
    """The transpose of `_from_data`."""
    return [p[0], p[1] + p[2] - p[0], -p[2]]


def _from_kernel(g: Sequence[Array]) -> list[Array]:
    return [g[0], g[0] + g[1], g[1]]


def _to_kernel(p: Sequence[Array]) -> list[Array]:
    """The transpose of `_from_kernel`."""
    return [p[0] + p[1], p[1] + p[2]]


def _to_output(p: Sequence[Array]) -> list[Array]:
    return [p[0] + p[1], p[1] - p[2]]


def _from_output(y: Sequence[Array]) -> list[Array]:
    """The transpose of `_to_output`."""
    return [y[0], y[0] + y[1], -y[1]]


def _along_both_axes(transform: _Transform, grid: list[list[Array]]) -> list[list[Array]]:
    """Returns a square of arrays with its columns transformed, and then its rows."""
    columns = [transform(column) for column in zip(*grid, strict=True)]
    return [transform(row) for row in zip(*columns, strict=True)]


def _flat(grid: list[list[Array]]) -> list[Array]:
    return [array for row in grid for array in row]


def _square(products: list[Array]) -> list[list[Array]]:
    return [products[0:3], products[3:6], products[6:9]]


def tiles_of_image(x: Array) -> list[Array]:
    """Returns 9 arrays [batch*rows/2*columns/2, 4*features]; rows and columns are even."""
    pixels = double_pixels(x)
    rows, columns, features = (pixels.shape[1] - 1, pixels.shape[2] - 1, pixels.shape[3])

    def place(i: int, j: int) -> Array:
        return pixels[:, i : i + rows - 1 : 2, j : j + columns - 1 : 2].reshape(-1, features)

    return _flat(_along_both_axes(_from_data, [[place(i, j) for j in range(3)] for i in range(3)]))


def _join_tiles(parts: list[Array], axis: int) -> Array:
    """Returns the sum of tiles of three that overlap in one, along one axis: n tiles to 2n+1."""
    before = [(0, 0)] * parts[0].ndim
    after = list(before)
    before[axis], after[axis] = (1, 0), (0, 1)
    even = jnp.pad(parts[0], after) + jnp.pad(parts[2], before)
    odd = jnp.pad(parts[1], after)
    shape = list(even.shape)
    shape[axis] *= 2
    joined = jnp.stack([even, odd], axis=axis + 1).reshape(shape)
    return lax.slice_in_dim(joined, 0, shape[axis] - 1, axis=axis)


def image_of_tiles(tiles: list[Array], batch: int, rows: int, columns: int) -> Array:
    """Returns the transpose of `tiles_of_image`."""
    shaped = [tile.reshape(batch, rows // 2, columns // 2, -1) for tile in tiles]
    grid = _along_both_axes(_to_data, _square(shaped))
    strips = [_join_tiles([row[j] for row in grid], axis=1) for j in range(3)]
    return single_pixels(_join_tiles(strips, axis=2))


def factors_of_blocks(blocks: Array, axis: int) -> list[Array]:
    """Returns 9 arrays of a block's shape; `axis` does not matter here."""
    return _flat(_along_both_axes(_from_kernel, [[block for block in row] for row in blocks]))


def blocks_of_factors(factors: list[Array], axis: int) -> Array:
    """Returns the transpose of `factors_of_blocks`."""
    grid = _along_both_axes(_to_kernel, _square(factors))
    return jnp.stack([jnp.stack(row) for row in grid])


def output_of_tiles(products: list[Array], batch: int, rows: int, columns: int) -> Array:
    """Returns the outputs as an image."""
    grid = _along_both_axes(_to_output, _square(products))
    shape = (batch, rows // 2, columns // 2, -1)
    places = jnp.stack(
        [jnp.stack([array.reshape(shape) for array in row], axis=3) for row in grid], axis=2
    )
    return places.reshape(batch, rows, columns, -1)


def tiles_of_output(y: Array) -> list[Array]:
    """Returns the transpose of `output_of_tiles`."""
    batch, rows, columns, features = y.shape
    tiles = y.reshape(batch, rows // 2, 2, columns // 2, 2, features)
    grid = [[tiles[:, :, i, :, j].reshape(-1, features) for j in (0, 1)] for i in (0, 1)]
    return _flat(_along_both_axes(_from_output, grid))
