"""Images drawn from the generator's moving average, and what the discriminator makes of images."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree, UInt8

from gaug_jax import images as image_ranges
from gaug_jax.gan.diffusion import how_well_known, sampled_images
from gaug_jax.gan.growth import at_its_stage
from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.networks import Network
from gaug_jax.gan.scores import of_images
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import MovingAverage


def _of_class(tree: PyTree, label: Int[Array, ""], spec: Spec) -> PyTree:
    """Returns the networks of one class where each has its own."""
    return jax.tree.map(lambda leaf: leaf[label], tree) if spec.num_generators else tree


@functools.partial(jax.jit, static_argnames="spec")
def draw(
    ema: MovingAverage,
    latents: Float[Array, "batch latent"],
    label: Int[Array, ""],
    *,
    spec: Spec,
) -> UInt8[Array, "batch height width channels"]:
    """Returns images of one class in [0, 255] (of any, where the generator knows none).

    Example:
      >>> from gaug_jax.gan.spec import make_spec
      >>> from gaug_jax.gan.state import new_state
      >>> from gaug_jax.settings import read_settings
      >>> config = {"seed": 0, "data": {"image_size": 8}, "model": {"width": 4}}
      >>> spec = make_spec(read_settings(config), num_classes=2, axis_name=None)
      >>> state = new_state(jax.random.key(0), spec)
      >>> draw(state.ema, latents_of(jax.random.key(1), 0, 3, spec), 0, spec=spec).shape
      (3, 8, 8, 1)
    """
    params, batch_stats = _of_class(ema, label, spec)
    labels = jnp.full((len(latents),), label, jnp.int32)
    if spec.model.family == "diffusion":
        return image_ranges.to_uint8(sampled_images(params, latents, labels, spec))
    variables = {"params": params, "batch_stats": batch_stats}

    def drawn(variables: PyTree, *, spec: Spec) -> Array:
        return spec.generator.apply(variables, latents, labels, train=False)

    return image_ranges.to_uint8(at_its_stage(drawn, batch_stats, variables, spec=spec))


@functools.partial(jax.jit, static_argnames="spec")
def score(
    discriminator: Network | MovingAverage,
    images: UInt8[Array, "batch height width channels"],
    label: Int[Array, ""],
    *,
    spec: Spec,
) -> Float[Array, " batch"]:
    """Returns the discriminator's scores of images of one class; higher looks more real.

    Of a diffusion family, which has none, its network takes the discriminator's place here and in
    `discriminator_features`: the score is minus its denoising loss.
    """
    return _seen(discriminator, images, label, spec)[0]


@functools.partial(jax.jit, static_argnames="spec")
def discriminator_features(
    discriminator: Network | MovingAverage,
    images: UInt8[Array, "batch height width channels"],
    label: Int[Array, ""],
    *,
    spec: Spec,
) -> Float[Array, "batch features"]:
    """Returns the discriminator's last features of images of one class, means over positions."""
    return _seen(discriminator, images, label, spec)[1]


def _seen(
    discriminator: Network | MovingAverage, images: Array, label: Array, spec: Spec
) -> tuple[Float[Array, " batch"], Float[Array, "batch features"]]:
    """Returns scores and features of images of one class."""
    params, batch_stats = _of_class((discriminator.params, discriminator.batch_stats), label, spec)
    labels = jnp.full((len(images),), label, jnp.int32)
    images = image_ranges.to_unit(images)
    if spec.model.family == "diffusion":
        return how_well_known(params, images, labels, spec)
    variables = {"params": params, "batch_stats": batch_stats}

    def see(variables: PyTree, *, spec: Spec) -> tuple[Array, Array]:
        scores, found = spec.discriminator.apply(
            variables, images, labels, train=False, mutable=["intermediates"]
        )
        return of_images(scores), found["intermediates"]["features"][0]

    return at_its_stage(see, batch_stats, variables, spec=spec)


def keys_of(key: Array, first: int, count: int) -> Array:
    """Returns a key for each latent from number `first` on, whatever their count."""
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(first + jnp.arange(count))


def latents_of(key: Array, first: int, count: int, spec: Spec) -> Float[Array, "count latent"]:
    """Returns standard normal latents number `first` and on; each has a key of its own."""
    return draw_latents(keys_of(key, first, count), spec)


def chunks_of_classes(
    labels: Int[np.ndarray, " images"], most: int | None = None
) -> Iterator[tuple[int, Int[np.ndarray, " chunk"]]]:
    """Yields each class with places of its images: networks are called with one class at a time.

    Args:
      labels: class of each image.
      most: places at once; None for all of a class.
    """
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        size = most or len(places)
        for first in range(0, len(places), size):
            yield int(label), places[first : first + size]
