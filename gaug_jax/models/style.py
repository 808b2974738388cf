"""The generator of StyleGAN2 (Karras et al. 2020) for any size 4*2^n.

A mapping network makes a style of a latent; the style scales the kernels that draw an image from a
learnt 4x4 constant on; every resolution adds its own part to the image (skip outputs, figure 7b
there). Where the authors' code differs, it is for small images: resolutions below the image's have
twice the channels of the next, at most eight times the width, and the noise of an image comes from
its latent, so that a latent says the whole image on any machine.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from gaug_jax.models.dcgan import SMALLEST, num_stages
from gaug_jax.models.equalised import EqualisedDense, ModulatedConvolution, activated
from gaug_jax.models.layers import normal_around
from gaug_jax.models.resampling import blurred, enlarged

# The mapping network learns at a hundredth of the others' rate (the authors' code).
_MAPPING_RATE = 0.01
_MOST_SHARE = 8
# Folded into the key of a latent; noise has the numbers of its layers.
_OF_MIXING = 2**31 - 1

Latents = Float[Array, "batch latent"]


def channels_at(resolution: int, image_size: int, width: int) -> int:
    """Returns the channels of a resolution: width at the image's own, more at lower ones."""
    return width * min(_MOST_SHARE, image_size // resolution)


def keys_of_latents(latents: Latents) -> Array:
    """Returns a key for each latent, made of the bits of its first two numbers."""
    pair = lax.stop_gradient(jnp.resize(latents, (len(latents), 2)) if latents.shape[1] < 2
                             else latents[:, :2])  # fmt: skip
    bits = lax.bitcast_convert_type(pair.astype(jnp.float32), jnp.uint32)
    return jax.random.wrap_key_data(bits, impl="threefry2x32")


class Mapping(nn.Module):
    """Latents, and classes, to styles: dense layers of equalised learning rate.

    Attributes:
      layers: how many.
      num_classes: classes whose embedding stands beside the latent; 0 for none.
    """

    layers: int
    num_classes: int = 0

    @nn.compact
    def __call__(self, latents: Latents, labels: Int[Array, " batch"] | None) -> Latents:
        """Returns styles, as long as the latents."""
        length = latents.shape[1]
        hidden = _normalised(latents)
        if self.num_classes:
            shape = (self.num_classes, length)
            embedding = self.param("class_embedding", normal_around(0.0, 1.0), shape)
            hidden = jnp.concatenate([hidden, _normalised(embedding[labels])], axis=1)
        for layer in range(self.layers):
            dense = EqualisedDense(length, _MAPPING_RATE, name=f"EqualisedDense_{layer}")
            hidden = activated(dense(hidden))
        return hidden


def _normalised(vectors: Latents) -> Latents:
    """Returns vectors whose mean square is 1."""
    return vectors * lax.rsqrt(jnp.mean(jnp.square(vectors), axis=1, keepdims=True) + 1e-8)


class StyleGenerator(nn.Module):
    """Latents to images.

    Attributes:
      image_size: height and width, 4 * 2**n.
      channels: 1 or 3.
      width: features at the image's own resolution.
      mapping_layers: dense layers between a latent and its style.
      style_mixing: probability that an image in training has two styles, the second from some
        layer on (Karras et al. 2019, section 3.1).
      num_classes: classes of the images; 0 for none.
      dtype: of the activations; parameters, styles and images are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    image_size: int
    channels: int
    width: int
    mapping_layers: int = 2
    style_mixing: float = 0.9
    num_classes: int = 0
    dtype: jnp.dtype = jnp.float32
    implementation: str = "native"

    @nn.compact
    def __call__(
        self,
        latents: Latents,
        labels: Int[Array, " batch"] | None = None,
        *,
        train: bool,
        moved: Float[Array, "batch layers latent"] | None = None,
    ) -> Float[Array, "batch height width channels"]:
        """Returns float32 images, real ones of which are in [-1, 1].

        Args:
          latents: standard normal.
          labels: class of each image; needed when `num_classes` is above 0.
          train: mix styles.
          moved: what is added to the styles of each layer, for derivatives by them.
        """
        keys = keys_of_latents(latents)
        styles = self._styles(latents, labels, keys, train)
        if moved is not None:
            styles = styles + moved
        return self._drawn(styles, keys)

    @property
    def num_styles(self) -> int:
        """Layers that a style enters: a convolution or two at each resolution, and their images."""
        return 2 * num_stages(self.image_size) + 2

    def _styles(
        self, latents: Latents, labels: Array | None, keys: Array, train: bool
    ) -> Float[Array, "batch layers latent"]:
        """Returns the style of each layer."""
        mapping = Mapping(self.mapping_layers, self.num_classes, name="mapping")
        styles = jnp.repeat(mapping(latents, labels)[:, None], self.num_styles, axis=1)
        if not train or not self.style_mixing:
            return styles
        keys = jax.vmap(lambda key: jax.random.split(jax.random.fold_in(key, _OF_MIXING), 3))(keys)
        others = jax.vmap(lambda key: jax.random.normal(key, latents.shape[1:]))(keys[:, 0])
        whether = jax.vmap(jax.random.uniform)(keys[:, 1]) < self.style_mixing
        start = lambda key: jax.random.randint(key, (), 1, self.num_styles)  # noqa: E731
        first = jnp.where(whether, jax.vmap(start)(keys[:, 2]), self.num_styles)
        second = jnp.arange(self.num_styles)[None] >= first[:, None]
        return jnp.where(second[..., None], mapping(others, labels)[:, None], styles)

    def _drawn(self, styles: Array, keys: Array) -> Float[Array, "batch height width channels"]:
        """Returns the images of styles."""
        features = channels_at(SMALLEST, self.image_size, self.width)
        start = self.param("start", normal_around(0.0, 1.0), (SMALLEST, SMALLEST, features))
        hidden = jnp.broadcast_to(start.astype(self.dtype), (len(styles), *start.shape))
        hidden = self._layer(hidden, features, "same", styles, keys, 0)
        images = self._to_image(hidden, styles[:, 1], 0)
        for stage in range(1, num_stages(self.image_size) + 1):
            features = channels_at(SMALLEST << stage, self.image_size, self.width)
            # The last style of a resolution is also that of the first layer of the next.
            hidden = self._layer(hidden, features, "up", styles, keys, 2 * stage - 1)
            hidden = self._layer(hidden, features, "same", styles, keys, 2 * stage)
            images = blurred(enlarged(images, 2 * images.shape[1]))
            images = images + self._to_image(hidden, styles[:, 2 * stage + 1], stage)
        return images

    def _layer(
        self, hidden: Array, features: int, resample: str, styles: Array, keys: Array, layer: int
    ) -> Array:
        """Applies a modulated convolution, noise, a bias and the activation."""
        convolution = ModulatedConvolution(
            features, resample=resample, name=f"ModulatedConvolution_{layer}", **self._options
        )
        hidden = convolution(hidden, styles[:, layer])
        strength = self.param(f"noise_strength_{layer}", nn.initializers.zeros, ())
        draw = lambda key: jax.random.normal(jax.random.fold_in(key, layer), hidden.shape[1:3])  # noqa: E731
        noise = strength * jax.vmap(draw)(keys)[..., None]
        bias = self.param(f"bias_{layer}", nn.initializers.zeros, (features,))
        return activated(hidden + (noise + bias).astype(self.dtype))

    def _to_image(self, hidden: Array, styles: Array, stage: int) -> Array:
        """Returns a resolution's own part of the image, float32."""
        convolution = ModulatedConvolution(
            self.channels, kernel_size=1, demodulate=False, name=f"ToImage_{stage}", **self._options
        )
        bias = self.param(f"image_bias_{stage}", nn.initializers.zeros, (self.channels,))
        return convolution(hidden, styles).astype(jnp.float32) + bias

    @property
    def _options(self) -> dict:
        """Options of every convolution."""
        return {"dtype": self.dtype, "implementation": self.implementation}
