"""The residual discriminator of StyleGAN2 (Karras et al. 2020, figure 7c).

Its authors' code adds the deviation over a group of images to the last features. Here every image
is scored on its own, so that penalties of gradients are exact and scores do not depend on how
images are spread over devices; a class is projected as in `models.dcgan`.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models.dcgan import SMALLEST
from gaug_jax.models.equalised import EqualisedConvolution, EqualisedDense, activated
from gaug_jax.models.layers import normal_around
from gaug_jax.models.resampling import blurred, shrunk
from gaug_jax.models.style import channels_at


class StyleDiscriminator(nn.Module):
    """Images to scores.

    Attributes:
      width: features at the image's own resolution; lower ones have up to eight times as many.
      num_classes: classes of the projection; 0 for none.
      dtype: of the activations; parameters are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    width: int
    num_classes: int = 0
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    norm = "none"

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch height width channels"],
        labels: Int[Array, " batch"] | None = None,
        *,
        train: bool,
    ) -> Float[Array, " batch"]:
        """Returns float32 scores: logits before the sigmoid.

        Who makes `intermediates` mutable finds the last features there.

        Args:
          images: real ones of which are in [-1, 1].
          labels: class of each image; needed when `num_classes` is above 0.
          train: nothing changes by it; as other discriminators have it.
        """
        del train
        size = images.shape[1]
        hidden = activated(self._convolution(self.width, 1, name="FromImage")(images))
        while hidden.shape[1] > SMALLEST:
            features = channels_at(hidden.shape[1] // 2, size, self.width)
            hidden = self._halved(hidden, features)
        features = hidden.shape[-1]
        hidden = activated(self._convolution(features, name="Last")(hidden))
        flat = hidden.reshape(len(hidden), -1)
        hidden = activated(EqualisedDense(features, name="Features")(flat))
        self.sow("intermediates", "features", hidden)
        scores = EqualisedDense(1, name="ToScore")(hidden)[:, 0]
        if self.num_classes:
            shape = (self.num_classes, features)
            embedding = self.param("class_embedding", normal_around(0.0, 1.0), shape)
            projected = jnp.sum(hidden * embedding[labels], axis=1)
            scores = scores + projected / jnp.sqrt(features)
        return scores

    def _halved(self, inputs: Array, features: int) -> Array:
        """Returns a residual block's outputs at half of height and width."""
        resolution = inputs.shape[1]
        first = self._convolution(inputs.shape[-1], name=f"First_{resolution}")
        second = self._convolution(features, resample="down", name=f"Second_{resolution}")
        hidden = activated(second(activated(first(inputs))))
        coarse = shrunk(blurred(inputs), resolution // 2)
        shortcut = self._convolution(features, 1, use_bias=False, name=f"Shortcut_{resolution}")
        return (hidden + shortcut(coarse)) / jnp.sqrt(2.0).astype(self.dtype)

    def _convolution(self, features: int, kernel_size: int = 3, **options) -> EqualisedConvolution:
        """Returns a convolution of this network."""
        return EqualisedConvolution(
            features, kernel_size, dtype=self.dtype, implementation=self.implementation, **options
        )
