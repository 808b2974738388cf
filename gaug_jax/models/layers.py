"""The layers of the two networks, initialised as in DCGAN (Radford et al. 2016).

Images are [batch, height, width, channels]; kernels [height, width, in, out].
"""

import math
from collections.abc import Callable
from typing import Protocol

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models.convolution import convolution, transposed_convolution
from gaug_jax.models.plain_convolution import plain_convolution

KERNEL_SIZE = 4
_MOST_GROUPS = 8


def normal_around(mean: float, standard_deviation: float = 0.02) -> Callable:
    """Returns an initialiser that draws from a normal distribution."""

    def init(key: Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> Array:
        return mean + standard_deviation * jax.random.normal(key, shape, dtype)

    return init


class _Kernel(nn.Module):
    """A layer with a square kernel and, on request, a bias; `apply_kernel` says what it does."""

    features: int
    use_bias: bool = False
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"
    kernel_size: int = KERNEL_SIZE

    @nn.compact
    def __call__(self, inputs: Array) -> Array:
        shape = (self.kernel_size, self.kernel_size, inputs.shape[-1], self.features)
        kernel = self.param("kernel", normal_around(0.0), shape)
        outputs = self.apply_kernel(inputs.astype(self.dtype), kernel.astype(self.dtype))
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            outputs = outputs + bias.astype(self.dtype)
        return outputs


class FromLatent(_Kernel):
    """Latents [batch, latent] to features [batch, 4, 4, features].

    The transposed convolution of a 1x1 image, which is one matrix product.
    """

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the product, in the order of the transposed convolution."""
        return jnp.einsum("bl,hwlf->bhwf", inputs, kernel)


class ToScore(_Kernel):
    """Features [batch, 4, 4, in] to [batch, features]: a convolution without padding."""

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the product over positions and channels."""
        return jnp.einsum("bhwi,hwif->bf", inputs, kernel)


class Downsample(_Kernel):
    """A 4x4 convolution of stride 2 and padding 1: halves height and width."""

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the convolution."""
        return convolution(inputs, kernel, implementation=self.implementation)


class Upsample(_Kernel):
    """A transposed 4x4 convolution of stride 2: doubles height and width."""

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the transposed convolution."""
        return transposed_convolution(inputs, kernel, implementation=self.implementation)


class Convolution(_Kernel):
    """A convolution of an odd size that keeps height and width, zeros around them."""

    kernel_size: int = 3

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the convolution."""
        implementation = "native" if self.implementation == "native" else "patches"
        padding = (self.kernel_size // 2, self.kernel_size // 2)
        return plain_convolution(
            inputs, kernel, stride=1, padding=padding, implementation=implementation
        )


class NearestUpsample(_Kernel):
    """Every pixel as a square of four, then a 3x3 convolution: doubles height and width.

    Every output sees as many taps of the kernel, where those of a transposed convolution may
    not (Odena et al. 2016, "Deconvolution and checkerboard artifacts").
    """

    kernel_size: int = 3

    def apply_kernel(self, inputs: Array, kernel: Array) -> Array:
        """Returns the convolution of the enlarged features, zeros around them.

        As the transposed convolution that it is, by the sums of neighbouring taps: at less
        than half of the arithmetic.
        """
        shifts = [(first, 1 - first) for first in (0, 1)]
        sums = sum(
            jnp.pad(kernel, (rows, columns, (0, 0), (0, 0)))
            for rows in shifts
            for columns in shifts
        )
        return transposed_convolution(inputs, sums, implementation=self.implementation)


UPSAMPLING = {"transposed": Upsample, "nearest": NearestUpsample}


class BatchNorm(nn.Module):
    """Batch norm (Ioffe and Szegedy 2015), per class on request (Dumoulin et al. 2017).

    Statistics are of all examples on all devices of `axis_name`; running averages
    move by a tenth an update.
    """

    num_classes: int = 0
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch height width features"],
        labels: Int[Array, " batch"] | None = None,
        *,
        train: bool,
    ) -> Float[Array, "batch height width features"]:
        """Returns the normalised features; `labels` are needed where they are per class."""
        per_class = self.num_classes > 0
        outputs = nn.BatchNorm(
            use_running_average=not train,
            momentum=0.9,
            epsilon=1e-5,
            axis_name=self.axis_name,
            dtype=self.dtype,
            use_scale=not per_class,
            use_bias=not per_class,
            scale_init=normal_around(1.0),
        )(inputs)
        if not per_class:
            return outputs
        shape = (self.num_classes, inputs.shape[-1])
        scale = self.param("class_scale", normal_around(1.0), shape)
        bias = self.param("class_bias", nn.initializers.zeros, shape)
        pick = lambda table: table[labels][:, None, None, :].astype(self.dtype)  # noqa: E731
        return outputs * pick(scale) + pick(bias)


def applied(
    layer: nn.Module, inputs: Array, *, spectral_norm: bool, train: bool, name: str | None = None
) -> Array:
    """Applies a layer, its kernel divided by its largest singular value on request.

    Spectral norm (Miyato et al. 2018).

    Args:
      layer: of the module that calls.
      inputs: of the layer.
      spectral_norm: whether.
      train: move the estimate of the singular value by an iteration.
      name: of the estimate's place in the statistics.
    """
    if not spectral_norm:
        return layer(inputs)
    return nn.SpectralNorm(layer, name=name)(inputs, update_stats=train)


class Normed(Protocol):
    """A network that says how its hidden features are normalised."""

    norm: str
    axis_name: str | None
    dtype: jnp.dtype


def normed(hidden: Array, network: Normed, train: bool, name: str | None = None) -> Array:
    """Applies a network's norm, in the module that calls, and LeakyReLU.

    Args:
      hidden: features.
      network: its `norm` is `batch`, `group` (up to eight groups) or `none`.
      train: use and update the batch's statistics instead of the running ones.
      name: of the norm, with `BatchNorm` in it.
    """
    if network.norm == "batch":
        norm = BatchNorm(axis_name=network.axis_name, dtype=network.dtype, name=name)
        hidden = norm(hidden, train=train)
    elif network.norm == "group":
        groups = math.gcd(hidden.shape[-1], _MOST_GROUPS)
        name = name and name.replace("BatchNorm", "GroupNorm")
        hidden = nn.GroupNorm(groups, dtype=network.dtype, name=name)(hidden)
    return jax.nn.leaky_relu(hidden, 0.2)
