"""The generator and the discriminator of DCGAN (Radford et al. 2016) for any size 4*2^n.

At 64x64 and width 64 they are the paper's tables: 100 -> 512x4x4 -> 256x8x8 ->
128x16x16 -> 64x32x32 -> channels x64x64 and back. Kernels have a bias only
where no normalisation follows a hidden layer, so that the generator with three
channels has 3,576,704 parameters, as in the reference implementation.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models import growing
from gaug_jax.models.attention import SelfAttention
from gaug_jax.models.layers import (
    UPSAMPLING,
    BatchNorm,
    Downsample,
    FromLatent,
    ToScore,
    applied,
    normal_around,
    normed,
)
from gaug_jax.models.resampling import shrunk
from gaug_jax.models.residual import ResidualBlock

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
      residual: a residual block for every hidden upsampling.
      attention: self-attention at half the image's height, 32x32 at 64x64.
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
    residual: bool = False
    attention: bool = False
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
            if stage and self.residual:
                block = ResidualBlock(upsample, self.width * 2 ** (stages - 1 - stage), **options)
                hidden = norm(block(hidden, norm, train=train))
            elif stage:
                hidden = norm(upsample(self.width * 2 ** (stages - 1 - stage), **options)(hidden))
            if stage == stages - 1 and self.attention:
                hidden = SelfAttention(**options)(hidden, train=train)
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
      norm: `batch`, `group` (up to eight groups) or `none`, after every hidden convolution.
      spectral_norm: divide every kernel by its largest singular value.
      num_classes: classes of the projection; 0 for none.
      residual: a residual block for every hidden downsampling.
      attention: self-attention at half the image's height, 32x32 at 64x64.
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
    residual: bool = False
    attention: bool = False
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

        Who makes `intermediates` mutable finds the last features there, the mean over positions.

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
            hidden = self._halved(layer, hidden, train, from_image=layer == first)
            if self.growing and layer and (layer == first + 1 or self.is_initializing()):
                coarse = shrunk(images, size >> layer)
                coarse = self._halved(layer, coarse, train, from_image=True)
                fade = growing.fade_of(progress, newest)
                hidden = fade * hidden + (1.0 - fade) * coarse
            hidden = normed(hidden, self, train, f"BatchNorm_{layer}")
            if layer == 0 and self.attention:
                attention = SelfAttention(self.dtype, self.implementation)
                hidden = attention(hidden, train=train)
        self.sow("intermediates", "features", jnp.mean(hidden.astype(jnp.float32), axis=(1, 2)))
        score = ToScore(1, dtype=self.dtype, implementation=self.implementation)
        scores = self._applied(score, hidden, train, f"SpectralNorm_{stages}")
        scores = scores[:, 0].astype(jnp.float32)
        if self.num_classes:
            # The projection stays out of spectral norm: under it the labels were ignored.
            shape = (self.num_classes, hidden.shape[-1])
            embedding = self.param("class_embedding", normal_around(0.0), shape)
            pooled = jnp.sum(hidden.astype(jnp.float32), axis=(1, 2))
            scores = scores + jnp.sum(pooled * embedding[labels], axis=1)
        return scores

    def _halved(self, layer: int, images: Array, train: bool, from_image: bool) -> Array:
        """Applies the convolution of a layer; while growing a later one may see images too."""
        features = self.width * 2**layer
        options = {"dtype": self.dtype, "implementation": self.implementation}
        options["use_bias"] = self.norm == "none"
        if self.residual and not from_image:
            block = ResidualBlock(
                Downsample, features, self.spectral_norm, name=f"ResidualBlock_{layer}", **options
            )
            return block(images, lambda hidden: normed(hidden, self, train), train=train)
        kind = "FromImage" if from_image and layer else "Downsample"
        module = Downsample(features, name=f"{kind}_{layer}", **options)
        name = f"SpectralNorm_{layer}" if kind == "Downsample" else f"SpectralNorm_{kind}_{layer}"
        return self._applied(module, images, train, name)

    def _applied(self, layer: nn.Module, inputs: Array, train: bool, name: str) -> Array:
        """Applies a layer, through spectral norm where the network has it."""
        return applied(layer, inputs, spectral_norm=self.spectral_norm, train=train, name=name)
