"""A small residual network (He et al. 2016) for images of 32x32 to 64x64.

Two basic blocks at each of four resolutions (three from 32x32), as the networks of that
paper for small images begin: a 3x3 convolution, no max pool. Its features are the mean
over the last positions.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.classifier import Classified
from gaug_jax.models.layers import BatchNorm
from gaug_jax.models.plain_convolution import plain_convolution

_BLOCKS = 2
# The last resolution has about so many rows.
_LAST_SIZE = 8


class _Convolution(nn.Module):
    """A convolution without a bias, He initialisation."""

    features: int
    size: int
    stride: int
    implementation: str

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (self.size, self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.he_normal(), shape)
        padding = (self.size // 2, self.size // 2)
        return plain_convolution(
            x, kernel, stride=self.stride, padding=padding, implementation=self.implementation
        )


class _Block(nn.Module):
    """Two convolutions beside the identity (a 1x1 convolution where the shape changes)."""

    features: int
    stride: int
    implementation: str

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        rest = (self.implementation,)
        hidden = _Convolution(self.features, 3, self.stride, *rest)(x)
        hidden = nn.relu(BatchNorm()(hidden, train=train))
        hidden = BatchNorm()(_Convolution(self.features, 3, 1, *rest)(hidden), train=train)
        if hidden.shape != x.shape:
            x = BatchNorm()(_Convolution(self.features, 1, self.stride, *rest)(x), train=train)
        return nn.relu(x + hidden)


class ResNet(nn.Module):
    """Images to features and logits.

    Attributes:
      num_classes: of the logits.
      width: features of the first resolution; each later one has twice as many.
      implementation: of the convolutions, as in `models.plain_convolution`.
    """

    num_classes: int
    width: int = 16
    implementation: str = "native"

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channels"], *, train: bool
    ) -> Classified:
        """Returns float32 features and logits.

        Args:
          images: in [-1, 1].
          train: use and update the batch's statistics instead of the running ones.
        """
        hidden = _Convolution(self.width, 3, 1, self.implementation)(images)
        hidden = nn.relu(BatchNorm()(hidden, train=train))
        features, stride = self.width, 1
        while True:
            for block in range(_BLOCKS):
                first = stride if block == 0 else 1
                hidden = _Block(features, first, self.implementation)(hidden, train)
            if hidden.shape[1] <= _LAST_SIZE:
                break
            features, stride = 2 * features, 2
        pooled = jnp.mean(hidden, axis=(1, 2))
        logits = nn.Dense(self.num_classes, kernel_init=nn.initializers.zeros)(pooled)
        return Classified(pooled, logits)
