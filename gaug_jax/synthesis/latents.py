"""Which latents images are drawn from: any, those near the origin, or those that score best."""

import dataclasses
import functools
import math
from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from gaug_jax.errors import UserError
from gaug_jax.gan.drawing import keys_of, latents_of
from gaug_jax.gan.spec import Spec

Scored = tuple[UInt8[np.ndarray, "images height width channels"], Float32[np.ndarray, " images"]]


@dataclasses.dataclass(frozen=True)
class LatentChoice:
    """Which latents images are drawn from.

    `truncation` is the truncation trick of Brock et al. 2019 (Large Scale GAN Training for
    High Fidelity Natural Image Synthesis): images nearer to the usual, and less varied.

    `rejection` draws so many latents for every image, and keeps the one whose image the
    discriminator gives the highest score. Discriminator rejection sampling (Azadi et al.
    2019), which motivates it, accepts an image with a probability that follows from the
    score, so that the accepted ones come nearer to the real images' distribution, and needs
    a discriminator that is trained to its optimum for it. Here nothing is a probability:
    the best of so many always wins, at a cost that is known beforehand, and what is drawn
    moves towards high scores, past the real images' distribution where there are many
    candidates.

    Attributes:
      truncation: every coordinate lies within so much of 0; None for the whole normal
        distribution.
      rejection: latents drawn for every image; 1 keeps all.
    """

    truncation: float | None = None
    rejection: int = 1

    def __post_init__(self) -> None:
        if self.truncation is not None and not 0 < self.truncation < math.inf:
            raise UserError(
                f"--truncation={self.truncation}: give a number above 0, or leave it out"
            )
        if self.rejection < 1:
            raise UserError(f"--rejection={self.rejection}: give 1 or more")


# The distribution that generators are trained with.
EVERY_LATENT = LatentChoice()


def candidate_keys(seed: int, label: int, num_classes: int, choice: LatentChoice) -> list[Array]:
    """Returns the key of each candidate of a class's images.

    The first is the same for every number of candidates, and so on: an image's score never
    falls where more are drawn.
    """
    key = jax.random.key(seed)
    return [
        jax.random.fold_in(key, candidate * num_classes + label)
        for candidate in range(choice.rejection)
    ]


def chosen_latents(
    key: Array, first: int, count: int, spec: Spec, choice: LatentChoice
) -> Float[Array, "count latent"]:
    """Returns latents number `first` and on; each has a key of its own.

    Truncated ones follow the distribution that drawing anew whatever lies beyond the
    threshold would give, by way of the inverse of its distribution function.
    """
    if choice.truncation is None:
        return latents_of(key, first, count, spec)
    draw = functools.partial(
        jax.random.truncated_normal,
        lower=-choice.truncation,
        upper=choice.truncation,
        shape=(spec.latent_length,),
    )
    return jax.vmap(draw)(keys_of(key, first, count))


def best_of(candidates: Iterator[Scored]) -> Scored:
    """Returns for each place the image with the highest score, the first among equals.

    Args:
      candidates: images in [0, 255] with their scores, as many each time.
    """
    best, best_scores = next(candidates)
    for images, scores in candidates:
        better = scores > best_scores
        best = np.where(better[:, None, None, None], images, best)
        best_scores = np.where(better, scores, best_scores)
    return best, best_scores
