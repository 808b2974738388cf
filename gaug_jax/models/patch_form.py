"""The convolution of stride 2 as one matrix product over gathered patches.

With the pixels of an image taken two by two, a 4x4 convolution of stride 2 is a 2x2
convolution of stride 1, so that patches are gathered in few long slices. The six
functions below are those of `winograd_form`: each pair are a linear map and its
transpose, and the convolution is

    output_of_tiles(tiles_of_image(x) @ factors_of_blocks(blocks)).

Images are [batch, 2 * rows, 2 * columns, features] and outputs
[batch, rows, columns, out_features]; `blocks` are [2, 2, 4 * features, out_features],
the kernel's taps at each of the 2x2 places, or the same with the last two axes
exchanged. A form's lists have one entry for each product that it makes: here one.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array


def double_pixels(x: Array) -> Array:
    """Returns the padded image by 2x2 pixels: [batch, rows + 1, columns + 1, 4 * features].

    The barrier has XLA make it once, not in each of its many readers.
    """
    batch, height, width, features = x.shape
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pairs = padded.reshape(batch, height // 2 + 1, 2, width // 2 + 1, 2 * features)
    pixels = jnp.swapaxes(pairs, 2, 3).reshape(batch, height // 2 + 1, width // 2 + 1, -1)
    return lax.optimization_barrier(pixels)


def single_pixels(pixels: Array) -> Array:
    """Returns the transpose of `double_pixels`; likewise made once."""
    batch, rows, columns, features = pixels.shape
    pairs = pixels.reshape(batch, rows, columns, 2, features // 2)
    padded = jnp.swapaxes(pairs, 2, 3).reshape(batch, 2 * rows, 2 * columns, features // 4)
    return lax.optimization_barrier(padded[:, 1:-1, 1:-1])


def tiles_of_image(x: Array) -> list[Array]:
    """Returns [batch*rows*columns, 16*features]: what the kernel sees, output by output."""
    pixels = double_pixels(x)
    rows, columns, features = (pixels.shape[1] - 1, pixels.shape[2] - 1, pixels.shape[3])
    slices = [pixels[:, m : m + rows, n : n + columns] for m in (0, 1) for n in (0, 1)]
    return [jnp.concatenate(slices, axis=-1).reshape(-1, 4 * features)]


def image_of_tiles(tiles: list[Array], batch: int, rows: int, columns: int) -> Array:
    """Returns the transpose of `tiles_of_image`."""
    # Made once: the patches are four times the image.
    patches = lax.optimization_barrier(tiles[0]).reshape(batch, rows, columns, 2, 2, -1)
    pixels = sum(
        jnp.pad(patches[:, :, :, m, n], ((0, 0), (m, 1 - m), (n, 1 - n), (0, 0)))
        for m in (0, 1)
        for n in (0, 1)
    )
    return single_pixels(pixels)


def factors_of_blocks(blocks: Array, axis: int) -> list[Array]:
    """Returns the blocks' taps one after another along `axis` of each block: 0 or 1."""
    return [jnp.concatenate([block for row in blocks for block in row], axis=axis)]


def blocks_of_factors(factors: list[Array], axis: int) -> Array:
    """Returns the transpose of `factors_of_blocks`."""
    parts = jnp.split(factors[0], 4, axis=axis)
    return jnp.stack([jnp.stack(parts[:2]), jnp.stack(parts[2:])])


def output_of_tiles(products: list[Array], batch: int, rows: int, columns: int) -> Array:
    """Returns the outputs as an image."""
    return products[0].reshape(batch, rows, columns, -1)


def tiles_of_output(y: Array) -> list[Array]:
    """Returns the transpose of `output_of_tiles`."""
    return [y.reshape(-1, y.shape[-1])]
