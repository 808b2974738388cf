"""Denoising at every level of noise (EDM, Karras et al. 2022, "Elucidating the Design Space of
Diffusion-Based Generative Models").

A denoiser D(x; sigma) takes images with normal noise of standard deviation sigma and returns the
least-squares estimate of what they were without it. It is built out of a network F whose inputs
and targets have unit variance at every sigma. Images are in the range of the data, [-1, 1] here;
noisy ones go beyond. Every example has a sigma of its own.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channels"]
Sigmas = Float[Array, " batch"]

# Of noisy images and their sigmas: images without the noise.
Denoiser = Callable[[Images, Sigmas], Images]
# Of scaled noisy images and c_noise of their sigmas: F of equation 7.
Network = Callable[[Images, Sigmas], Images]

# Standard deviation of the pixels that table 1 assumes.
SIGMA_DATA = 0.5
# Mean and standard deviation of the logarithm of sigma in training, of table 1.
LOG_MEAN, LOG_DEVIATION = -1.2, 1.2

# Folded into an example's key: for its level of noise, and for the noise.
_OF_SIGMA, _OF_NOISE = range(2)


class Preconditioning(NamedTuple):
    """The factors of equation 7, each of the shape of the sigmas.

    Attributes:
      skip: c_skip, of the noisy images in the answer.
      out: c_out, of the network's output in the answer.
      scale: c_in, of the noisy images that the network sees.
      noise: c_noise, what the network is told of sigma.
    """

    skip: Array
    out: Array
    scale: Array
    noise: Array


class Noise(NamedTuple):
    """Noise of a training batch.

    Attributes:
      sigma: its standard deviation, of each example.
      added: what is added to the images, of that standard deviation.
    """

    sigma: Sigmas
    added: Images


def preconditioning(sigma: Float[Array, "..."], sigma_data: float = SIGMA_DATA) -> Preconditioning:
    """Returns the factors of table 1, column EDM ("Network and preconditioning").

    Args:
      sigma: standard deviations of the noise, above 0.
      sigma_data: standard deviation of the pixels of the data.
    """
    total = jnp.sqrt(sigma**2 + sigma_data**2)
    return Preconditioning(
        skip=(sigma_data / total) ** 2,
        out=sigma * sigma_data / total,
        scale=1.0 / total,
        noise=jnp.log(sigma) / 4.0,
    )


def loss_weight(sigma: Float[Array, "..."], sigma_data: float = SIGMA_DATA) -> Float[Array, "..."]:
    """Returns lambda(sigma) of table 1, which is 1 / c_out^2: every sigma weighs alike at first.

    Args:
      sigma: standard deviations of the noise, above 0.
      sigma_data: standard deviation of the pixels of the data.
    """
    return (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2


def denoiser_of(network: Network, sigma_data: float = SIGMA_DATA) -> Denoiser:
    """Returns the denoiser of a network, equation 7.

    Args:
      network: F, of images times c_in and of c_noise.
      sigma_data: standard deviation of the pixels of the data.
    """

    def denoiser(noisy: Images, sigma: Sigmas) -> Images:
        factors = preconditioning(sigma, sigma_data)
        skip, out, scale = (_of_images(each) for each in factors[:3])
        return skip * noisy + out * network(scale * noisy, factors.noise)

    return denoiser


def drawn_noise(
    keys: Array,
    shape: tuple[int, int, int],
    log_mean: float = LOG_MEAN,
    log_deviation: float = LOG_DEVIATION,
) -> Noise:
    """Returns levels of noise as table 1 draws them for training, and the noise.

    Args:
      keys: one for each example; an example's noise depends on its own key alone.
      shape: height, width and channels of an image.
      log_mean: P_mean, of ln sigma.
      log_deviation: P_std, of ln sigma.
    """

    def of_example(key: Array) -> Noise:
        sigma_key, noise_key = (jax.random.fold_in(key, use) for use in (_OF_SIGMA, _OF_NOISE))
        sigma = jnp.exp(log_mean + log_deviation * jax.random.normal(sigma_key))
        return Noise(sigma, sigma * jax.random.normal(noise_key, shape))

    return jax.vmap(of_example)(keys)


def denoising_loss(
    denoiser: Denoiser, images: Images, noise: Noise, sigma_data: float = SIGMA_DATA
) -> Float[Array, " batch"]:
    """Returns lambda(sigma) times the mean squared error over pixels, of each example.

    Its mean over examples is an estimate of equation 8, but for the number of pixels.

    Args:
      denoiser: what is trained; with augmented images, told how each was augmented.
      images: without noise.
      noise: of `drawn_noise`.
      sigma_data: standard deviation of the pixels of the data.
    """
    errors = denoiser(images + noise.added, noise.sigma) - images
    return loss_weight(noise.sigma, sigma_data) * jnp.mean(jnp.square(errors), axis=(1, 2, 3))


def _of_images(factors: Sigmas) -> Float[Array, "batch 1 1 1"]:
    """Returns one factor an example, to multiply images by."""
    return factors[:, None, None, None]
