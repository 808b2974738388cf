"""A small convolutional classifier for images of any size 4*2^n.

The plain network of a few hundred images: convolutions that halve the image, batch
norm and ReLU, then the mean over positions, and one linear layer. The mean is what
`evaluation` uses as features of the domain.
"""

from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.dcgan import num_stages
from gaug_jax.models.layers import BatchNorm, Downsample


class Classified(NamedTuple):
    """What the classifier says of images.

    Attributes:
      features: mean over positions of the last layer.
      logits: of each class, before the softmax.
    """

    features: Float[Array, "batch features"]
    logits: Float[Array, "batch classes"]


class Classifier(nn.Module):
    """Images to features and logits.

    Attributes:
      num_classes: of the logits.
      width: features of the first layer; each later one has twice as many.
      axis_name: devices whose examples share the batch statistics.
      implementation: of the convolutions, as in `models.convolution`.
    """

    num_classes: int
    width: int = 32
    axis_name: str | None = None
    implementation: str = "native"

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channels"], *, train: bool
    ) -> Classified:
        """Returns float32 features and logits.

        Args:
          images: in [-1, 1], square, of a size 4*2^n.
          train: use and update the batch's statistics instead of the running ones.
        """
        hidden = images
        for stage in range(num_stages(images.shape[1])):
            layer = Downsample(self.width * 2**stage, implementation=self.implementation)
            hidden = BatchNorm(axis_name=self.axis_name)(layer(hidden), train=train)
            hidden = nn.relu(hidden)
        features = jnp.mean(hidden, axis=(1, 2))
        logits = nn.Dense(self.num_classes, kernel_init=nn.initializers.zeros)(features)
        return Classified(features, logits)
