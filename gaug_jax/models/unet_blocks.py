"""What the U-Net of `models.unet` is made of: convolutions, norms, residual blocks and attention.

As the blocks of EDM's networks (Karras et al. 2022, appendix F): after Song et al.
2021c (DDPM++), with the adaptive norms of Dhariwal and Nichol 2021. Sums of two ways are divided
by the square root of two, and the last convolution of every block begins at zero.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.plain_convolution import plain_convolution
from gaug_jax.models.resampling import enlarged, shrunk

Features = Float[Array, "batch height width features"]

_MOST_GROUPS, _LEAST_IN_GROUP = 32, 4


class Options(NamedTuple):
    """What all layers of a network share.

    Attributes:
      dtype: of the activations; parameters, statistics of norms and softmax are float32.
      implementation: of the convolutions, as in `models.plain_convolution`.
    """

    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"


class UNetConvolution(nn.Module):
    """A convolution of an odd size that keeps height and width, with a bias.

    Attributes:
      features: of the outputs.
      kernel_size: height and width of the kernel.
      zero: begin at zero; else by Glorot and Bengio 2010, uniform.
      options: of the network.
    """

    features: int
    kernel_size: int = 3
    zero: bool = False
    options: Options = Options()

    @nn.compact
    def __call__(self, inputs: Features) -> Features:
        """Returns the convolution, zeros around the features."""
        zeros = nn.initializers.zeros
        init = zeros if self.zero else nn.initializers.glorot_uniform()
        shape = (self.kernel_size, self.kernel_size, inputs.shape[-1], self.features)
        kernel = self.param("kernel", init, shape)
        bias = self.param("bias", zeros, (self.features,))
        dtype, implementation = self.options
        around = (self.kernel_size // 2, self.kernel_size // 2)
        outputs = plain_convolution(
            inputs.astype(dtype),
            kernel.astype(dtype),
            stride=1,
            padding=around,
            implementation=implementation,
        )
        return outputs + bias.astype(dtype)


def group_norm(features: int, options: Options, name: str) -> nn.GroupNorm:
    """Returns the norm (Wu and He 2018) of up to 32 groups of at least four features.

    Args:
      features: of the inputs.
      options: of the network.
      name: of the norm.
    """
    groups = [
        groups
        for groups in range(1, _MOST_GROUPS + 1)
        if features % groups == 0 and features // groups >= _LEAST_IN_GROUP
    ]
    return nn.GroupNorm(max(groups, default=1), epsilon=1e-5, dtype=options.dtype, name=name)


def resized(inputs: Features, size: int) -> Features:
    """Returns features of a size: means over squares, copies, or as they are."""
    return shrunk(inputs, size) if size < inputs.shape[1] else enlarged(inputs, size)


class UNetBlock(nn.Module):
    """Two convolutions beside a shortcut, told of the level of noise; perhaps attention after them.

    Attributes:
      features: of the outputs.
      size: height and width of the outputs: the inputs', half or twice as many.
      attention: attend to other positions afterwards.
      dropout: share of the features before the last convolution that are made zero.
      options: of the network.
    """

    features: int
    size: int
    attention: bool = False
    dropout: float = 0.0
    options: Options = Options()

    @nn.compact
    def __call__(
        self,
        inputs: Features,
        embedding: Float[Array, "batch embedded"],
        keys: Array | None = None,
    ) -> Float[Array, "batch new_height new_width new_features"]:
        """Returns the sum of both ways.

        Args:
          inputs: of the block before, perhaps beside those of the way down.
          embedding: of noise, class and augmentation; it scales and shifts the features.
          keys: of dropout, one for each example and already this block's own; None for none.
        """
        convolution = self._convolution
        hidden = jax.nn.silu(group_norm(inputs.shape[-1], self.options, "norm_in")(inputs))
        hidden = convolution("convolution_in")(resized(hidden, self.size))
        hidden = group_norm(self.features, self.options, "norm_out")(hidden)
        scale_and_shift = nn.Dense(2 * self.features, dtype=self.options.dtype, name="adapt")
        scale, shift = jnp.split(scale_and_shift(embedding)[:, None, None], 2, axis=-1)
        hidden = jax.nn.silu(hidden * (1.0 + scale) + shift)
        if keys is not None and self.dropout > 0.0:
            hidden = dropped(hidden, keys, self.dropout)
        hidden = convolution("convolution_out", zero=True)(hidden)
        shortcut = resized(inputs, self.size)
        if inputs.shape[-1] != self.features:
            shortcut = convolution("shortcut", kernel_size=1)(shortcut)
        hidden = _mean_of_ways(hidden, shortcut.astype(self.options.dtype))
        return Attention(self.options, name="attention")(hidden) if self.attention else hidden

    def _convolution(self, name: str, **choices: int | bool) -> UNetConvolution:
        """Returns one of the block's convolutions."""
        return UNetConvolution(self.features, options=self.options, name=name, **choices)


class Attention(nn.Module):
    """Self-attention of one head over all positions (Vaswani et al. 2017), beside a shortcut.

    Attributes:
      options: of the network.
    """

    options: Options = Options()

    @nn.compact
    def __call__(self, inputs: Features) -> Features:
        """Returns features of the same shape; the softmax is float32."""
        batch, height, width, features = inputs.shape
        normed = group_norm(features, self.options, "norm")(inputs)
        three = UNetConvolution(3 * features, 1, options=self.options, name="project_in")(normed)
        queries, keys, values = jnp.split(three.reshape(batch, -1, 3 * features), 3, axis=-1)
        energies = jnp.einsum("bqf,bkf->bqk", queries, keys).astype(jnp.float32)
        weights = jax.nn.softmax(energies / jnp.sqrt(features)).astype(values.dtype)
        attended = jnp.einsum("bqk,bkf->bqf", weights, values).reshape(inputs.shape)
        project_out = UNetConvolution(
            features, 1, zero=True, options=self.options, name="project_out"
        )
        return _mean_of_ways(project_out(attended), inputs)


def dropped(features: Features, keys: Array, share: float) -> Features:
    """Returns features of which a share is zero and the others are larger (Srivastava et al. 2014).

    Args:
      features: of a batch.
      keys: one for each example: its zeros do not depend on who shares its batch.
      share: in [0, 1).
    """
    draw = functools.partial(jax.random.bernoulli, p=1.0 - share, shape=features.shape[1:])
    return jnp.where(jax.vmap(draw)(keys), features / (1.0 - share), 0.0)


def _mean_of_ways(one: Features, other: Features) -> Features:
    """Returns the sum of two ways, of the variance of either where they are alike."""
    return (one + other) * 2.0**-0.5
