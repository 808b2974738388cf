"""Sums over images and positions, and the scaling of channels whose gradient they are.

On a CPU XLA sums a fused product channel by channel, without its wide registers, at a tenth of
the rate (`native` is its own sum). Here all sums that read the same images are made together and
image by image, while those are in the nearest cache (`together`).

Both functions are exact in every order of differentiation.
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

# Images of a turn of the loop.
_GROUP = 8


def sums_together(
    terms: Callable[..., Sequence[Float[Array, "images height width channels"]]],
    arrays: Sequence[Float[Array, "batch ..."]],
) -> list[Float[Array, " channels"]]:
    """Returns the sum over images and positions of each term; has no derivative of its own.

    A loop over a few images at a time: what it reads is made before it. Outside of one XLA
    would make the arrays anew for each term, whatever they cost.

    Args:
      terms: from a few images of each array to the terms.
      arrays: that the terms are made of.
    """
    group = math.gcd(len(arrays[0]), _GROUP)
    grouped = [each.reshape(-1, group, *each.shape[1:]) for each in arrays]
    add = lambda first, second: tuple(a + b for a, b in zip(first, second, strict=True))  # noqa: E731

    def more(sums: tuple[Array, ...], few: list[Array]) -> tuple[tuple[Array, ...], None]:
        made = tuple(terms(*few))
        zeros = tuple(jnp.zeros((), term.dtype) for term in made)
        return add(sums, lax.reduce(made, zeros, add, (1, 2))), None

    shapes = jax.eval_shape(lambda few: tuple(terms(*few)), [each[0] for each in grouped])
    zeros = tuple(jnp.zeros((group, shape.shape[-1]), shape.dtype) for shape in shapes)
    sums, _ = lax.scan(more, zeros, grouped)
    return [jnp.sum(each, 0) for each in sums]


@functools.partial(jax.custom_vjp, nondiff_argnames=("together",))
def sum_and_product_sum(
    x: Float[Array, "batch height width channels"],
    y: Float[Array, "batch height width channels"],
    together: bool,
) -> tuple[Float[Array, " channels"], Float[Array, " channels"]]:
    """Returns the sums of x and of x times y, over images and positions.

    Args:
      x: the one.
      y: the other, of the same shape and dtype.
      together: make both in one pass, as is faster on a CPU.
    """
    if together:
        first, second = sums_together(lambda x, y: (x, x * y), (x, y))
        return first, second
    return jnp.sum(x, (0, 1, 2)), jnp.sum(x * y, (0, 1, 2))


sum_and_product_sum.defvjp(
    lambda x, y, together: (sum_and_product_sum(x, y, together), (x, y)),
    lambda together, saved, sums: (sums[0] + sums[1] * saved[1], sums[1] * saved[0]),
)


@functools.partial(jax.custom_vjp, nondiff_argnames=("together",))
def scaled(
    x: Float[Array, "batch height width channels"],
    scale: Float[Array, " channels"],
    shift: Float[Array, " channels"],
    together: bool,
) -> Float[Array, "batch height width channels"]:
    """Returns x times a scale, plus a shift, of each channel.

    Args:
      x: images.
      scale: of each channel.
      shift: of each channel.
      together: make the sums of its gradient in one pass, as is faster on a CPU.
    """
    return x * scale + shift


def _scaled_backwards(
    together: bool, saved: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array, Array]:
    x, scale = saved
    of_shift, of_scale = sum_and_product_sum(gradient, x, together)
    return gradient * scale, of_scale, of_shift


scaled.defvjp(lambda x, scale, shift, together: (x * scale + shift, (x, scale)), _scaled_backwards)
