"""A discriminator that looks through a frozen network (Sauer et al. 2021, "Projected GANs
Converge Faster").

Features at four depths of a network that was trained on photographs are mixed across channels and
across scales by fixed random projections (section 3.2 there), and a small discriminator of each of
the four mixtures scores 4x4 places. Only these discriminators learn. The authors' code differs
where this is for small images: their images have 256 pixels, ours 32 or 64 as they are; their
discriminators end at 5x5 scores by a convolution without padding, ours at 4x4 with it; and the
projections' weights have a variance of 1/inputs, so that features keep their scale without norms.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models.layers import Convolution, Downsample, applied, normal_around, normed
from gaug_jax.models.resampling import enlarged

# Height and width at which each small discriminator scores places.
_PLACES = 4
_DEPTHS = 4
# Channels of the mixtures, as multiples of the width, from the finest on.
_MIXED = (1, 2, 4, 8)
_AFTER_SCALES = (1, 1, 2, 4)
# A map with so many places a side has _BASE / side times the width as features, at most 8 times.
_BASE, _MOST_SHARE = 64, 8

Maps = tuple[Float[Array, "batch rows columns features"], ...]


class Mixtures(nn.Module):
    """Features at four depths, mixed across channels and scales by fixed random projections.

    The projections are kept with the statistics: they are part of the checkpoint, and nothing
    learns them.

    Attributes:
      width: channels of the finest mixture; coarser ones have up to eight times as many.
    """

    width: int

    @nn.compact
    def __call__(self, depths: Maps) -> Maps:
        """Returns the mixtures, from the finest on: twice the rows and columns of the depths'."""
        channels = [
            self._projected(f"channels_{number}", maps, share * self.width)
            for number, (maps, share) in enumerate(zip(depths, _MIXED, strict=True))
        ]
        mixed: list[Array] = []
        for number in reversed(range(_DEPTHS)):
            maps = channels[number] + mixed[-1] if mixed else channels[number]
            maps = self._projected(f"scales_{number}", maps, _AFTER_SCALES[number] * self.width)
            shape = (len(maps), 2 * maps.shape[1], 2 * maps.shape[2], maps.shape[3])
            mixed.append(jax.image.resize(maps, shape, "linear"))
        return tuple(reversed(mixed))

    def _projected(self, name: str, maps: Array, features: int) -> Array:
        """Returns the fixed random projection of the features of each place."""

        def drawn() -> Array:
            key, inputs = self.make_rng("params"), maps.shape[-1]
            return jax.random.normal(key, (inputs, features)) / jnp.sqrt(inputs)

        return maps @ self.variable("batch_stats", name, drawn).value


class ProjectedDiscriminator(nn.Module):
    """Images to scores of places, through the features of a frozen network.

    Attributes:
      width: channels of the finest mixture; coarser ones have up to eight times as many.
      depths: images in [-1, 1] to features at strides 4, 8, 16 and 32; a function of a module.
      norm: `batch`, `group` or `none`, after every hidden convolution.
      spectral_norm: divide every kernel by its largest singular value.
      num_classes: classes of the projection of labels; 0 for none.
      axis_name: devices whose examples share the batch statistics.
      dtype: of the activations of what learns; parameters are float32.
      implementation: of the convolutions, as in `models.convolution`.
    """

    width: int
    depths: Callable[[Float[Array, "batch height width channels"]], Maps]
    norm: str = "none"
    spectral_norm: bool = True
    num_classes: int = 0
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
    ) -> Float[Array, "batch 64"]:
        """Returns float32 scores of 16 places by each of the four discriminators.

        A discriminator with fewer places says each several times, so that all four weigh alike.
        Who makes `intermediates` mutable finds the last features of all four there, means over
        positions.

        Args:
          images: in [-1, 1].
          labels: class of each image; needed when `num_classes` is above 0.
          train: use and update the statistics of batch norm and spectral norm.
        """
        mixed = Mixtures(self.width)(self.depths(images))
        scores, features = [], []
        for number, maps in enumerate(mixed):
            hidden = self._hidden(number, maps.astype(self.dtype), train)
            scores.append(self._scores(number, hidden, labels, train))
            features.append(jnp.mean(hidden.astype(jnp.float32), axis=(1, 2)))
        self.sow("intermediates", "features", jnp.concatenate(features, axis=1))
        return jnp.concatenate(scores, axis=1)

    def _hidden(self, number: int, maps: Array, train: bool) -> Array:
        """Returns a discriminator's features at its places."""
        layer = 0
        while maps.shape[1] > _PLACES:
            size = maps.shape[1] // 2
            features = min(_MOST_SHARE, _BASE // size) * self.width
            module = Downsample(features, name=f"Downsample_{number}_{layer}",
                                **self._options)  # fmt: skip
            maps = self._applied(module, maps, train, f"SpectralNorm_{number}_{layer}")
            maps = normed(maps, self, train, f"BatchNorm_{number}_{layer}")
            layer += 1
        return maps

    def _scores(
        self, number: int, hidden: Array, labels: Array | None, train: bool
    ) -> Float[Array, "batch 16"]:
        """Returns a discriminator's scores of its places."""
        options = {**self._options, "use_bias": True}
        module = Convolution(1, name=f"ToScores_{number}", **options)
        scores = self._applied(module, hidden, train, f"SpectralNorm_{number}_scores")
        scores = scores.astype(jnp.float32)
        if self.num_classes:
            # As in `models.dcgan`: outside of spectral norm, under which labels were ignored.
            shape = (self.num_classes, hidden.shape[-1])
            embedding = self.param(f"class_embedding_{number}", normal_around(0.0), shape)
            scores = (
                scores
                + jnp.einsum("bhwf,bf->bhw", hidden.astype(jnp.float32), embedding[labels])[
                    ..., None
                ]
            )
        return enlarged(scores, _PLACES).reshape(len(scores), -1)

    @property
    def _options(self) -> dict:
        """Options of every convolution."""
        return {
            "dtype": self.dtype, "implementation": self.implementation,
            "use_bias": self.norm == "none",
        }  # fmt: skip

    def _applied(self, layer: nn.Module, inputs: Array, train: bool, name: str) -> Array:
        """Applies a layer, through spectral norm where the network has it."""
        return applied(layer, inputs, spectral_norm=self.spectral_norm, train=train, name=name)
