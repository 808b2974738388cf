"""Layers of StyleGAN2 (Karras et al. 2020, "Analyzing and Improving the Image Quality of
StyleGAN").

Weights begin as standard normal draws and are scaled when they are used, by 1/sqrt(inputs), so that
Adam moves all of them at one relative rate (equalised learning rate, Karras et al. 2018, section
4.1). Images are [batch, height, width, channels]; kernels [height, width, in, out].
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gaug_jax.models.convolution import convolution, transposed_convolution
from gaug_jax.models.layers import normal_around
from gaug_jax.models.plain_convolution import plain_convolution
from gaug_jax.models.resampling import blurred

Images = Float[Array, "batch height width features"]

_SMALLEST_SQUARES = 1e-8


def activated(hidden: Array) -> Array:
    """Returns LeakyReLU of slope 0.2, times the square root of 2: it keeps the variance about."""
    return jax.nn.leaky_relu(hidden, 0.2) * jnp.sqrt(2.0).astype(hidden.dtype)


class EqualisedDense(nn.Module):
    """A matrix product and a bias.

    Attributes:
      features: of the outputs.
      rate: learning rate as a multiple of that of other layers; the mapping network's is 0.01.
      bias_start: what each bias begins at.
    """

    features: int
    rate: float = 1.0
    bias_start: float = 0.0

    @nn.compact
    def __call__(self, inputs: Float[Array, "batch in_features"]) -> Float[Array, "batch features"]:
        """Returns float32 outputs."""
        shape = (inputs.shape[-1], self.features)
        kernel = self.param("kernel", normal_around(0.0, 1.0 / self.rate), shape)
        start = nn.initializers.constant(self.bias_start / self.rate)
        bias = self.param("bias", start, (self.features,))
        scale = self.rate / jnp.sqrt(shape[0])
        return inputs.astype(jnp.float32) @ (kernel * scale) + bias * self.rate


class _EqualisedKernel(nn.Module):
    """A layer with a square kernel of equalised learning rate.

    Attributes:
      features: of the outputs.
      kernel_size: odd.
      resample: `up` (doubles height and width), `down` (halves them) or `same`.
      dtype: of the activations; parameters are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    features: int
    kernel_size: int = 3
    resample: str = "same"
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    def scaled_kernel(self, in_features: int) -> Float[Array, "rows columns in_features features"]:
        """Returns the kernel as it is used, float32."""
        shape = (self.kernel_size, self.kernel_size, in_features, self.features)
        kernel = self.param("kernel", normal_around(0.0, 1.0), shape)
        return kernel / jnp.sqrt(self.kernel_size**2 * in_features)

    def convolved(self, inputs: Images, kernel: Array) -> Images:
        """Returns the convolution, zeros around the images.

        Upsampling and downsampling pass through the filter [1, 3, 3, 1] of the paper. It is
        [1, 1] and [1, 2, 1] one after the other: the first goes into a 4x4 kernel of stride 2.
        """
        inputs, kernel = inputs.astype(self.dtype), kernel.astype(self.dtype)
        if self.resample == "up":
            taps = _taps_of_squares(kernel)
            return blurred(transposed_convolution(inputs, taps, implementation=self.implementation))
        if self.resample == "down":
            taps = _taps_of_squares(kernel) / 4
            return convolution(blurred(inputs), taps, implementation=self.implementation)
        padding = (self.kernel_size // 2, self.kernel_size // 2)
        implementation = "native" if self.implementation == "native" else "patches"
        return plain_convolution(
            inputs, kernel, stride=1, padding=padding, implementation=implementation
        )


def _taps_of_squares(kernel: Float[Array, "3 3 features out"]) -> Float[Array, "4 4 features out"]:
    """Returns a kernel of stride 2 that sees every pixel as a square of four, or four as one."""
    shifts = [(first, 1 - first) for first in (0, 1)]
    return sum(
        jnp.pad(kernel, (rows, columns, (0, 0), (0, 0))) for rows in shifts for columns in shifts
    )


class EqualisedConvolution(_EqualisedKernel):
    """A convolution of the discriminator."""

    use_bias: bool = True

    @nn.compact
    def __call__(self, inputs: Images) -> Images:
        """Returns the convolution and its bias."""
        outputs = self.convolved(inputs, self.scaled_kernel(inputs.shape[-1]))
        if not self.use_bias:
            return outputs
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return outputs + bias.astype(self.dtype)


class ModulatedConvolution(_EqualisedKernel):
    """A convolution whose kernel is scaled by each image's style (section 2.2 of the paper).

    Attributes:
      demodulate: divide each output by the length that its kernel has by then (equation 3).
    """

    demodulate: bool = True

    @nn.compact
    def __call__(self, inputs: Images, styles: Float[Array, "batch style"]) -> Images:
        """Returns the convolution of each image with its own kernel.

        Scales of the kernel's inputs are scales of the inputs, and those of its outputs of the
        outputs: one convolution serves all images.
        """
        kernel = self.scaled_kernel(inputs.shape[-1])
        scales = EqualisedDense(inputs.shape[-1], bias_start=1.0, name="affine")(styles)
        outputs = self.convolved(inputs * scales[:, None, None, :].astype(inputs.dtype), kernel)
        if not self.demodulate:
            return outputs
        squares = jnp.square(scales) @ jnp.sum(jnp.square(kernel), axis=(0, 1))
        lengths = jax.lax.rsqrt(squares + _SMALLEST_SQUARES)
        return outputs * lengths[:, None, None, :].astype(outputs.dtype)
