"""Self-attention over the positions of features (SAGAN, Zhang et al. 2019)."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.layers import Convolution, applied

Features = Float[Array, "batch height width features"]


class SelfAttention(nn.Module):
    """Adds to every position what it attends to elsewhere, times a learnt weight that begins at 0.

    Equations 1 to 3 of the paper, and as in its authors' code: queries and keys have an eighth
    of the features and values a half, keys and values are the largest of 2x2 squares, and
    every kernel has spectral norm.

    Attributes:
      dtype: of the activations; the softmax is float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(self, inputs: Features, *, train: bool) -> Features:
        """Returns features of the same shape.

        Args:
          inputs: of even height and width.
          train: update the statistics of spectral norm.
        """
        batch, height, width, features = inputs.shape
        eighth, half = max(1, features // 8), max(1, features // 2)
        queries = self._projected(inputs, eighth, "query", train)
        keys = _largest_of_squares(self._projected(inputs, eighth, "key", train))
        values = _largest_of_squares(self._projected(inputs, half, "value", train))
        queries, keys, values = (
            each.reshape(batch, -1, each.shape[-1]) for each in (queries, keys, values)
        )
        energies = jnp.einsum("bqf,bkf->bqk", queries, keys).astype(jnp.float32)
        weights = jax.nn.softmax(energies).astype(self.dtype)
        attended = jnp.einsum("bqk,bkf->bqf", weights, values).reshape(batch, height, width, half)
        share = self.param("share", nn.initializers.zeros, ()).astype(self.dtype)
        return inputs + share * self._projected(attended, features, "output", train)

    def _projected(self, inputs: Array, features: int, name: str, train: bool) -> Array:
        """Returns a 1x1 convolution under spectral norm."""
        layer = Convolution(
            features,
            kernel_size=1,
            dtype=self.dtype,
            implementation=self.implementation,
            name=name,
        )
        name = f"SpectralNorm_{name}"
        return applied(layer, inputs, spectral_norm=True, train=train, name=name)


def _largest_of_squares(inputs: Features) -> Features:
    """Returns the largest value of each 2x2 square."""
    batch, height, width, features = inputs.shape
    squares = inputs.reshape(batch, height // 2, 2, width // 2, 2, features)
    return jnp.max(squares, axis=(2, 4))
