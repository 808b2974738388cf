"""The learned perceptual distance of two images (Zhang et al. 2018), version 0.1 on AlexNet.

Each of AlexNet's five activations is scaled to length 1 at every position; squared
differences are weighted by feature and averaged over positions. Names are those of the
PyTorch weights.
"""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaug_jax.models.plain_convolution import max_pool

# Mean and deviation of each channel, of images in [-1, 1].
_SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
_SCALE = np.array([0.458, 0.448, 0.450], np.float32)
# The number of AlexNet's layer in its file, features, kernel, stride, padding, a pool before.
_LAYERS = (
    ("0", 64, 11, 4, 2, False),
    ("3", 192, 5, 1, 2, True),
    ("6", 384, 3, 1, 1, True),
    ("8", 256, 3, 1, 1, False),
    ("10", 256, 3, 1, 1, False),
)
# A smaller image leaves nothing after the second pool.
LEAST_SIZE = 31


class LPIPS(nn.Module):
    """Pairs of images to distances."""

    @nn.compact
    def __call__(
        self,
        first: Float[Array, "pairs height width 3"],
        second: Float[Array, "pairs height width 3"],
    ) -> Float[Array, " pairs"]:
        """Returns the distance of each pair, float32; 0 of equal images.

        Args:
          first: one image of each pair, in [-1, 1], 31x31 or larger.
          second: the other image of each pair, in [-1, 1] and of the same size.
        """
        x = (jnp.concatenate([first, second]) - _SHIFT) / _SCALE
        distance = jnp.zeros(len(first))
        for number, (name, features, size, stride, padding, pooled) in enumerate(_LAYERS):
            x = max_pool(x, 2, same=False) if pooled else x
            layer = nn.Conv(
                features, (size, size), stride, ((padding, padding),) * 2, name=f"features.{name}"
            )
            x = nn.relu(layer(x))
            weights = self.param(f"lin{number}", nn.initializers.ones, (features,))
            unit = x / (jnp.linalg.norm(x, axis=-1, keepdims=True) + 1e-10)
            one, other = jnp.split(unit, 2)
            distance += jnp.mean(jnp.square(one - other) @ weights, axis=(1, 2))
        return distance
