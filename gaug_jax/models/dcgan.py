"""The generator and the discriminator of DCGAN (Radford et al. 2016) for any size 4*2^n.

At 64x64 and width 64 they are the paper's tables: 100 -> 512x4x4 -> 256x8x8 ->
128x16x16 -> 64x32x32 -> channels x64x64 and back. Kernels have a bias only
where no normalisation follows a hidden layer, so that the generator with three
channels has 3,576,704 parameters, as in the reference implementation.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models import growing
from gaug_jax.models.layers import (
    UPSAMPLING,
    BatchNorm,
    Downsample,
    FromLatent,
    ToScore,
    normal_around,
)
from gaug_jax.models.resampling import shrunk

SMALLEST = 4


def num_stages(image_size: int) -> int:
    """Returns n of `image_size` = 4 * 2**n.

    Raises:
      ValueError: the size is not of that form with n >= 1.
    """
    stages = (image_size // SMALLEST).bit_length() - 1
    if stages < 1 or image_size != SMALLEST * 2**stages:
        raise ValueError(f"image size {image_size} is not 4*2^n with n >= 1")
    return stages


class Generator(nn.Module):
    """Latents to images.

    Attributes:
      image_size: height and width, 4 * 2**n.
      channels: 1 or 3.
      width: features of the last hidden layer; each layer before it has twice as many.
      num_classes: classes of the class-conditional batch norm; 0 for none.
      upsampling: `transposed` (convolutions) or `nearest` (neighbours, then a convolution).
      growing: whether it grows (`models.growing`).
      stage: of the growth; None for the last.
      axis_name: devices whose examples share the batch statistics.
      dtype: of the activations; parameters are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    image_size: int
    channels: int
    width: int
    num_classes: int = 0
    upsampling: str = "transposed"
    growing: bool = False
    stage: int | None = None
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(
        self,
        latents: Float[Array, "batch latent"],
        labels: Int[Array, " batch"] | None = None,
        *,
        train: bool,
    ) -> Float[Array, "batch height width channels"]:
        """Returns float32 images in [-1, 1].

        Args:
          latents: standard normal.
          labels: class of each image; needed when `num_classes` is above 0.
          train: use and update the batch's statistics instead of the running ones.
        """
        norm = lambda hidden: nn.relu(  # noqa: E731
            BatchNorm(self.num_classes, self.axis_name, self.dtype)(hidden, labels, train=train)
        )
        options = {"dtype": self.dtype, "implementation": self.implementation}
        stages = num_stages(self.image_size)
        newest = stages - 1 if self.stage is None else self.stage
        needed = range(stages) if self.is_initializing() else (newest - 1, newest)
        hidden = norm(FromLatent(self.width * 2 ** (stages - 1), **options)(latents))
        upsample = UPSAMPLING[self.upsampling]
        drawn = {}
        for stage in range(newest + 1):
            if stage:
                hidden = norm(upsample(self.width * 2 ** (stages - 1 - stage), **options)(hidden))
            if stage == stages - 1 or (self.growing and stage in needed):
                name = f"{upsample.__name__}_{stage}" if stage == stages - 1 else f"ToImage_{stage}"
                images = upsample(self.channels, name=name, **options)(hidden)
                drawn[stage] = jnp.tanh(images.astype(jnp.float32))
        if not self.growing:
            return drawn[newest]
        progress = self.variable("batch_stats", growing.PROGRESS, jnp.zeros, ()).value
        return growing.mixed(drawn, newest, progress, self.image_size)


class Discriminator(nn.Module):
    """Images to scores, with the label projected on request (Miyato and Koyama 2018).

    Attributes:
      width: features of the first layer; each later one has twice as many.
      norm: `batch` or `none`, after every hidden convolution.
      spectral_norm: divide every kernel by its largest singular value.
      num_classes: classes of the projection; 0 for none.
      growing: whether it grows (`models.growing`).
      stage: of the growth; None for the last.
      axis_name: devices whose examples share the batch statistics.
      dtype: of the activations; parameters are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    width: int
    norm: str = "batch"
    spectral_norm: bool = False
    num_classes: int = 0
    growing: bool = False
    stage: int | None = None
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch height width channels"],
        labels: Int[Array, " batch"] | None = None,
        *,
        train: bool,
    ) -> Float[Array, " batch"]:
        """Returns float32 scores: logits before the sigmoid, or the critic's values.

        Args:
          images: in [-1, 1].
          labels: class of each image; needed when `num_classes` is above 0.
          train: use and update the statistics of batch norm and spectral norm.
        """
        stages, size = num_stages(images.shape[1]), images.shape[1]
        if self.growing:
            progress = self.variable("batch_stats", growing.PROGRESS, jnp.zeros, ()).value
        newest = stages - 1 if self.stage is None else self.stage
        first = stages - 1 - newest
        hidden = shrunk(images, size >> first)
        for layer in range(first, stages):
            hidden = self._convolved(layer, hidden, train, from_image=layer == first)
            if self.growing and layer and (layer == first + 1 or self.is_initializing()):
                coarse = shrunk(images, size >> layer)
                coarse = self._convolved(layer, coarse, train, from_image=True)
                fade = growing.fade_of(progress, newest)
                hidden = fade * hidden + (1.0 - fade) * coarse
            if self.norm == "batch":
                norm = BatchNorm(
                    axis_name=self.axis_name, dtype=self.dtype, name=f"BatchNorm_{layer}"
                )
                hidden = norm(hidden, train=train)
            hidden = jax.nn.leaky_relu(hidden, 0.2)
        layer = ToScore(1, dtype=self.dtype, implementation=self.implementation)
        scores = self._normalised(layer, hidden, train, f"SpectralNorm_{stages}")
        scores = scores[:, 0].astype(jnp.float32)
        if self.num_classes:
            # The projection stays out of spectral norm: under it the labels were ignored.
            shape = (self.num_classes, hidden.shape[-1])
            embedding = self.param("class_embedding", normal_around(0.0), shape)
            pooled = jnp.sum(hidden.astype(jnp.float32), axis=(1, 2))
            scores = scores + jnp.sum(pooled * embedding[labels], axis=1)
        return scores

    def _convolved(self, layer: int, images: Array, train: bool, from_image: bool) -> Array:
        """Applies the convolution of a layer; while growing a later one may see images too."""
        kind = "FromImage" if from_image and layer else "Downsample"
        module = Downsample(
            self.width * 2**layer,
            use_bias=self.norm == "none",
            dtype=self.dtype,
            implementation=self.implementation,
            name=f"{kind}_{layer}",
        )
        name = f"SpectralNorm_{layer}" if kind == "Downsample" else f"SpectralNorm_{kind}_{layer}"
        return self._normalised(module, images, train, name)

    def _normalised(self, layer: nn.Module, inputs: Array, train: bool, name: str) -> Array:
        """Applies a layer, through spectral norm where the network has it."""
        if self.spectral_norm:
            return nn.SpectralNorm(layer, name=name)(inputs, update_stats=train)
        return layer(inputs)
