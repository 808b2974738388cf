"""Residual blocks that double or halve the resolution (He et al. 2016; Miyato et al. 2018)."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.layers import Convolution, applied
from gaug_jax.models.resampling import enlarged, shrunk


class ResidualBlock(nn.Module):
    """In place of a layer that resamples: it and a 3x3 convolution, beside a shortcut.

    The shortcut is a 1x1 convolution of the inputs, enlarged by copies or shrunk by means.
    As with the layer alone, norm and activation follow outside.

    Attributes:
      resample: the layer's class, of `models.layers`.
      features: of the outputs.
      spectral_norm: divide every kernel by its largest singular value.
      use_bias: of the layer and the 3x3 convolution.
      dtype: of the activations.
      implementation: of the convolutions, as in `models.convolution`.
    """

    resample: type[nn.Module]
    features: int
    spectral_norm: bool = False
    use_bias: bool = False
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch height width in_features"],
        activated: Callable[[Array], Array],
        *,
        train: bool,
    ) -> Float[Array, "batch new_height new_width features"]:
        """Returns the sum of both ways.

        Args:
          inputs: after norm and activation.
          activated: norm and activation between the layer and the convolution.
          train: update the statistics of spectral norm.
        """
        options = {"dtype": self.dtype, "implementation": self.implementation}
        biased = {"use_bias": self.use_bias, **options}
        norm = {"spectral_norm": self.spectral_norm, "train": train}
        hidden = applied(self.resample(self.features, **biased), inputs, **norm)
        hidden = applied(Convolution(self.features, **biased), activated(hidden), **norm)
        size = hidden.shape[1]
        resized = enlarged(inputs, size) if size > inputs.shape[1] else shrunk(inputs, size)
        shortcut = Convolution(self.features, kernel_size=1, **options)
        return hidden + applied(shortcut, resized, **norm)
