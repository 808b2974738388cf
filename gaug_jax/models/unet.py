"""A small U-Net (Ronneberger et al. 2015) that finds noise in images at every level of it.

It is F of EDM (Karras et al. 2022, equation 7), of the shape of its networks (appendix F) at a
size for few small images: what goes in and comes out has unit variance, and
`objectives.denoising` makes the denoiser of it.
"""

import functools
import itertools
from collections.abc import Callable, Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models.layers import normal_around
from gaug_jax.models.unet_blocks import Options, UNetBlock, UNetConvolution, group_norm

# Height and width that images may have.
IMAGE_SIZES = (8, 16, 32, 64)
# Features are halved in size down to this, or once where they begin with it.
_COARSEST = 8
# Features of each level, from the finest on, as multiples of the width.
_MULTIPLES = (1, 2, 2, 2)
# The embedding has so many times the width as features.
_EMBEDDED = 4
# Lowest and highest frequency of the waves that tell the level of noise, in radians: c_noise is
# within -1.6 and 1.1, so that the slowest are half a wave and the fastest tell a tenth apart.
_FREQUENCIES = (0.5, 16.0)


def level_sizes(image_size: int) -> tuple[int, ...]:
    """Returns height and width at each level of the network, from the finest on.

    Args:
      image_size: of the images, 8, 16, 32 or 64.

    Raises:
      ValueError: the size is another one.
    """
    if image_size not in IMAGE_SIZES:
        known = ", ".join(map(str, IMAGE_SIZES))
        raise ValueError(f"image size {image_size} is not one of {known}")
    sizes = [image_size, image_size // 2]
    while sizes[-1] > _COARSEST:
        sizes.append(sizes[-1] // 2)
    return tuple(sizes)


def noise_waves(c_noise: Float[Array, " batch"], features: int) -> Float[Array, "batch features"]:
    """Returns cosines and sines of what tells the level of noise, times geometric frequencies.

    Args:
      c_noise: ln(sigma) / 4.
      features: an even number of them.
    """
    frequencies = jnp.geomspace(*_FREQUENCIES, features // 2)
    angles = c_noise[:, None] * frequencies
    # Of unit variance, as the embedding of a class.
    return jnp.sqrt(2.0) * jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=1)


class UNet(nn.Module):
    """Scaled noisy images to F, of the same shape; zero before it has learnt anything.

    Attributes:
      width: features of the finest level, an even number; coarser ones have twice as many.
      num_classes: classes of the data; 0 for a network that is told none.
      num_augmentations: entries of the vector that tells how an image was augmented; 0 for none.
      blocks: residual blocks of each level on the way down; there is one more on the way up.
      attention_sizes: heights of features at which positions attend to one another.
      dropout: share of features that is made zero where keys are given.
      dtype: of the activations; parameters are float32.
      implementation: of the convolutions, as in `models.plain_convolution`.
    """

    width: int
    num_classes: int = 0
    num_augmentations: int = 0
    blocks: int = 2
    attention_sizes: tuple[int, ...] = (16,)
    dropout: float = 0.1
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch height width channels"],
        c_noise: Float[Array, " batch"],
        labels: Int[Array, " batch"] | None = None,
        augmentation: Float[Array, "batch parameters"] | None = None,
        keys: Array | None = None,
    ) -> Float[Array, "batch height width channels"]:
        """Returns float32 F(images; c_noise).

        Who makes `intermediates` mutable finds the coarsest features there, means over positions.

        Args:
          images: noisy, times c_in; square, of 8, 16, 32 or 64 pixels, any channels.
          c_noise: ln(sigma) / 4 of each.
          labels: class of each; `num_classes` for no class. Needed when there are classes.
          augmentation: how each was augmented, zeros for not at all; None is zeros.
          keys: of dropout, one for each example; None for none, as where images are drawn.
        """
        embedding = self._embedding(c_noise, labels, augmentation)
        block = functools.partial(self._block, itertools.count(), embedding, keys)
        sizes = level_sizes(images.shape[1])
        beside = self._down(images, sizes, block)
        hidden = block(beside[-1], beside[-1].shape[-1], sizes[-1], attention=True)
        hidden = block(hidden, hidden.shape[-1], sizes[-1])
        self.sow("intermediates", "features", jnp.mean(hidden.astype(jnp.float32), axis=(1, 2)))
        hidden = self._up(hidden, beside, sizes, block)
        hidden = jax.nn.silu(group_norm(self.width, self.options, "norm_out")(hidden))
        last = UNetConvolution(
            images.shape[-1], zero=True, options=self.options, name="convolution_out"
        )
        return last(hidden).astype(jnp.float32)

    @property
    def options(self) -> Options:
        """What all layers share."""
        return Options(self.dtype, self.implementation)

    def _embedding(
        self, c_noise: Array, labels: Array | None, augmentation: Array | None
    ) -> Float[Array, "batch embedded"]:
        """Returns what every block is told: level of noise, class and augmentation together."""
        features = _EMBEDDED * self.width
        total = noise_waves(c_noise, features)
        if self.num_classes:
            shape = (self.num_classes + 1, features)
            total = total + self.param("class_embedding", normal_around(0.0, 1.0), shape)[labels]
        if self.num_augmentations:
            # Without a bias: zeros are no augmentation at all.
            layer = nn.Dense(features, use_bias=False, name="augmentation_embedding")
            if augmentation is None:
                augmentation = jnp.zeros((len(c_noise), self.num_augmentations))
            total = total + layer(augmentation)
        for number in range(2):
            total = jax.nn.silu(nn.Dense(features, name=f"embed_{number}")(total))
        return total.astype(self.dtype)

    def _down(self, images: Array, sizes: tuple[int, ...], block: Callable) -> list[Array]:
        """Returns the features of all blocks on the way down, from the finest level on."""
        beside = [UNetConvolution(self.width, options=self.options, name="convolution_in")(images)]
        for level, size in enumerate(sizes):
            features = _MULTIPLES[level] * self.width
            if level:
                beside.append(block(beside[-1], beside[-1].shape[-1], size))
            attention = size in self.attention_sizes
            for _ in range(self.blocks):
                beside.append(block(beside[-1], features, size, attention=attention))
        return beside

    def _up(
        self, hidden: Array, beside: list[Array], sizes: tuple[int, ...], block: Callable
    ) -> Float[Array, "batch height width width"]:
        """Returns features of the finest level, by way of those `beside`, from the last on."""
        beside = list(beside)
        for level, size in reversed(list(enumerate(sizes))):
            features = _MULTIPLES[level] * self.width
            if hidden.shape[1] != size:
                hidden = block(hidden, hidden.shape[-1], size)
            attention = size in self.attention_sizes
            for _ in range(self.blocks + 1):
                both = jnp.concatenate([hidden, beside.pop()], axis=-1)
                hidden = block(both, features, size, attention=attention)
        return hidden

    def _block(
        self,
        numbers: Iterator[int],
        embedding: Array,
        keys: Array | None,
        hidden: Array,
        features: int,
        size: int,
        attention: bool = False,
    ) -> Float[Array, "batch size size features"]:
        """Returns the outputs of a new block.

        Args:
          numbers: of blocks; the next is this one's.
          embedding: what all blocks are told.
          keys: of dropout, or None.
          hidden: the block's inputs.
          features: of its outputs.
          size: height and width of its outputs.
          attention: whether it attends.
        """
        number = next(numbers)
        block = UNetBlock(
            features, size, attention, self.dropout, self.options, name=f"block_{number}"
        )
        if keys is not None:
            keys = jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)
        return block(hidden, embedding, keys)
