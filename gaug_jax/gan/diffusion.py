"""A family without a discriminator: a network that takes noise from images (EDM, Karras et al.
2022), its step, what is drawn with it, and how well it knows an image.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree
from scipy import stats

from gaug_jax import images as image_ranges
from gaug_jax.augmentation.conditioned import augmented_and_how
from gaug_jax.gan.across_devices import device_mean, example_keys
from gaug_jax.gan.average import updated_average
from gaug_jax.gan.batch import Batch
from gaug_jax.gan.networks import updated_network
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import GANState
from gaug_jax.objectives.denoising import (
    LOG_DEVIATION,
    LOG_MEAN,
    Denoiser,
    Noise,
    denoiser_of,
    denoising_loss,
    drawn_noise,
)
from gaug_jax.objectives.sampling import guided, noise_levels, sampled

Images = Float[Array, "batch height width channels"]
Labels = Int[Array, " batch"]

# Share of training images whose class the network is not told, for classifier-free guidance (Ho and
# Salimans 2022: 0.1 to 0.2).
_UNTOLD = 0.1
# Levels of noise at which an image is looked at: these quantiles of training's.
_QUANTILES = (0.125, 0.375, 0.625, 0.875)
_LEVELS = np.exp(LOG_MEAN + LOG_DEVIATION * stats.norm.ppf(_QUANTILES))

# Folded into a step's key.
_OF_NOISE, _OF_AUGMENTATION, _OF_CLASS, _OF_DROPOUT = range(4)


def denoiser_of_params(
    params: PyTree,
    labels: Labels,
    spec: Spec,
    augmentation: Float[Array, "batch parameters"] | None = None,
    keys: Array | None = None,
) -> Denoiser:
    """Returns the denoiser of a network's parameters.

    Args:
      params: of the network.
      labels: class of each image, or the number of classes for none.
      spec: of the network.
      augmentation: how each image was augmented; None for not at all.
      keys: of dropout, one for each image; None for none.
    """

    def network(images: Images, c_noise: Float[Array, " batch"]) -> Images:
        return spec.generator.apply({"params": params}, images, c_noise, labels, augmentation, keys)

    return denoiser_of(network)


def denoising_step(
    state: GANState, batch: Batch, key: Array, spec: Spec
) -> tuple[GANState, dict[str, Float[Array, ""]]]:
    """Returns the state after one step, and `denoising_loss`, the mean over devices.

    Args:
      state: of one network, the same on every device.
      batch: this device's share of the step's real images, one update's.
      key: the run's base key; the step's own number is folded in here.
      spec: what the step is compiled for.
    """
    key = jax.random.fold_in(key, state.step)
    images, labels = image_ranges.to_unit(batch.images[0]), batch.labels[0]
    keys = {
        purpose: example_keys(jax.random.fold_in(key, purpose), len(images), spec)
        for purpose in (_OF_NOISE, _OF_AUGMENTATION, _OF_CLASS, _OF_DROPOUT)
    }
    augmentation = None
    if spec.augment.policy == "affine":
        images, augmentation = augmented_and_how(
            keys[_OF_AUGMENTATION], images, spec.augment.probability
        )
    if spec.generator.num_classes:
        untold = jax.vmap(jax.random.uniform)(keys[_OF_CLASS]) < _UNTOLD
        labels = jnp.where(untold, spec.generator.num_classes, labels)
    noise = drawn_noise(keys[_OF_NOISE], spec.image_shape)

    def loss_of(params: PyTree) -> Float[Array, ""]:
        denoiser = denoiser_of_params(params, labels, spec, augmentation, keys[_OF_DROPOUT])
        return jnp.mean(denoising_loss(denoiser, images, noise))

    loss, gradients = jax.value_and_grad(loss_of)(state.generator.params)
    generator = updated_network(state.generator, gradients, {}, spec.generator_optimizer, spec)
    ema = updated_average(state.ema, generator, state.step, spec)
    state = state._replace(step=state.step + 1, generator=generator, ema=ema)
    return state, {"denoising_loss": device_mean(loss, spec)}


def sampled_images(
    params: PyTree, latents: Float[Array, "batch latent"], labels: Labels, spec: Spec
) -> Images:
    """Returns float32 images that Heun's sampler makes of noise, not clipped.

    Args:
      params: of the network.
      latents: standard normal, a number for each pixel and channel.
      labels: class of each image.
      spec: of the network; `model.sampling_steps` and `model.guidance` are its.
    """
    denoiser = denoiser_of_params(params, labels, spec)
    if spec.generator.num_classes:
        nothing = jnp.full_like(labels, spec.generator.num_classes)
        without = denoiser_of_params(params, nothing, spec)
        denoiser = guided(denoiser, without, spec.model.guidance)
    noise = latents.reshape(len(latents), *spec.image_shape)
    return sampled(denoiser, noise, noise_levels(spec.model.sampling_steps))


def how_well_known(
    params: PyTree, images: Images, labels: Labels, spec: Spec
) -> tuple[Float[Array, " batch"], Float[Array, "batch features"]]:
    """Returns minus the denoising loss of each image, and the network's features of it.

    The loss is the mean over four levels of noise, with the same noise for every image: what the
    network learnt from it finds easier to restore. Features are those of its coarsest level, means
    over positions, of the image without noise at the lowest of these levels.

    Args:
      params: of the network.
      images: in [-1, 1].
      labels: class of each.
      spec: of the network.
    """
    denoiser = denoiser_of_params(params, labels, spec)

    def loss_at(level: Float[Array, ""], key: Array) -> Float[Array, " batch"]:
        added = level * jax.random.normal(key, spec.image_shape)
        noise = Noise(jnp.full(len(images), level), jnp.broadcast_to(added, images.shape))
        return denoising_loss(denoiser, images, noise)

    keys = jax.random.split(jax.random.key(0), len(_LEVELS))
    levels = jnp.asarray(_LEVELS, jnp.float32)
    losses = jax.lax.map(lambda each: loss_at(*each), (levels, keys))
    c_noise = jnp.full(len(images), jnp.log(levels[0]) / 4)
    _, found = spec.generator.apply(
        {"params": params}, images, c_noise, labels, mutable=["intermediates"]
    )
    return -jnp.mean(losses, axis=0), found["intermediates"]["features"][0]
