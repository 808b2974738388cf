"""Adversarial losses and penalties: arrays in, scalars out. Every score is a logit."""

from collections.abc import Callable
from typing import NamedTuple

from gaug_jax.objectives import hinge, minimax, wasserstein


class Loss(NamedTuple):
    """The two sides of one game, both to be minimised.

    Attributes:
      discriminator: of the scores of real and of generated images.
      generator: of the scores of generated images.
    """

    discriminator: Callable
    generator: Callable


LOSSES = {
    "minimax": Loss(minimax.discriminator_loss, minimax.generator_loss),
    "minimax_literal": Loss(minimax.discriminator_loss, minimax.literal_generator_loss),
    "wasserstein": Loss(wasserstein.discriminator_loss, wasserstein.generator_loss),
    "hinge": Loss(hinge.discriminator_loss, hinge.generator_loss),
}
