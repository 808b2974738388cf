"""Images from noise by a denoiser: the deterministic samplers of EDM (Karras et al. 2022).

With the schedule sigma(t) = t that the paper chooses, images follow dx/dsigma =
(x - D(x; sigma)) / sigma from the largest level of noise down to none (equation 4).
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from gaug_jax.objectives.denoising import Denoiser, Images

# Table 1, column EDM: levels of noise at the end and at the start, and how they crowd at the end.
SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0


def noise_levels(
    steps: int, sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX, rho: float = RHO
) -> Float[np.ndarray, " steps_and_one"]:
    """Returns the levels of noise of equation 5, from the largest to 0, in float64.

    Args:
      steps: of the sampler, at least 1.
      sigma_min: last level above 0, reached where there are at least two steps.
      sigma_max: first level.
      rho: the larger, the shorter the steps at low noise and the longer at high.

    Raises:
      ValueError: there is no step.
    """
    if steps < 1:
        raise ValueError(f"{steps} steps are too few: at least 1")
    places = np.linspace(0.0, 1.0, steps)
    ends = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    levels = (ends[0] + places * (ends[1] - ends[0])) ** rho
    return np.append(levels, 0.0)


def _slope(denoiser: Denoiser, images: Images, level: Float[Array, ""]) -> Images:
    """Returns dx/dsigma at one level of noise, the same for all images."""
    sigma = jnp.full((len(images),), level, images.dtype)
    return (images - denoiser(images, sigma)) / level


def _euler_step(denoiser: Denoiser, images: Images, level: Array, following: Array) -> Images:
    """Returns the images at the following level, along the slope here."""
    return images + (following - level) * _slope(denoiser, images, level)


def _heun_step(denoiser: Denoiser, images: Images, level: Array, following: Array) -> Images:
    """Returns the images at the following level, along the mean of both ends' slopes.

    Lines 4 to 8 of algorithm 1.
    """
    here = _slope(denoiser, images, level)
    there = _slope(denoiser, images + (following - level) * here, following)
    return images + (following - level) * (here + there) / 2


STEPS: dict[str, Callable[[Denoiser, Images, Array, Array], Images]] = {
    "heun": _heun_step,
    "euler": _euler_step,
}


def sampled(
    denoiser: Denoiser,
    noise: Images,
    levels: Float[np.ndarray, " steps_and_one"],
    method: str = "heun",
) -> Images:
    """Returns images that a denoiser makes of noise, algorithm 1.

    Args:
      denoiser: called twice a step by `heun` and once by `euler`, and once in the last step.
      noise: standard normal, one for each image; the images are a function of it.
      levels: of `noise_levels`.
      method: `heun`, of second order, or `euler` (DDIM, Song et al. 2021a), of first.

    Returns:
      Images in the range of the data, not clipped to it.

    Raises:
      ValueError: the method is unknown.
    """
    if method not in STEPS:
        raise ValueError(f"method {method!r} is not one of {', '.join(STEPS)}")
    levels = jnp.asarray(levels, noise.dtype)

    def step(images: Images, ends: tuple[Array, Array]) -> tuple[Images, None]:
        return STEPS[method](denoiser, images, *ends), None

    images, _ = lax.scan(step, levels[0] * noise, (levels[:-2], levels[1:-1]))
    # To level 0 Euler's step, as there is no slope at its end: it arrives at the answer itself.
    return denoiser(images, jnp.full((len(images),), levels[-2], images.dtype))


def guided(conditional: Denoiser, unconditional: Denoiser, weight: float) -> Denoiser:
    """Returns the denoiser that goes beyond the class (classifier-free guidance).

    Ho and Salimans 2022, equation 6, in terms of denoisers: D_u + weight (D_c - D_u), where their
    w is this weight less one. Such images are more typical of their class and less varied.

    Args:
      conditional: told the class.
      unconditional: told none.
      weight: 1 for the conditional one as it is, which then alone is computed.
    """
    if weight == 1.0:
        return conditional

    def denoiser(noisy: Images, sigma: Float[Array, " batch"]) -> Images:
        without = unconditional(noisy, sigma)
        return without + weight * (conditional(noisy, sigma) - without)

    return denoiser
