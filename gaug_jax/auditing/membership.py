"""Membership attacks: does a score tell training images from images that were held out?

- From generated images alone: closeness to the nearest of them (the black-box attack of Chen et
  al., "GAN-Leaks", 2020).
- From the discriminator: its score, which is larger of images that it knows (Hayes et al.,
  "LOGAN", 2019).

An attack on images of one kind finds a signal where the two sides differ for another reason. So
the same attack is made between two halves of the members, who differ in nothing: it must find
nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaug_jax.evaluation.metrics.nearest import nearest

Features = Float[np.ndarray, "images features"]
Scores = Float[np.ndarray, " images"]
Groups = Int[np.ndarray, " images"]


class Candidates(NamedTuple):
    """Images of which an attack says whether they are members.

    Attributes:
      scores: larger is more likely a member.
      member: the truth.
      groups: patient or writer of each.
    """

    scores: Scores
    member: Bool[np.ndarray, " images"]
    groups: Groups


def closeness(candidates: Features, generated: Features) -> Scores:
    """Returns minus the distance of each candidate to the nearest generated image."""
    return -nearest(candidates, generated)[0]


def against_held_out(members: tuple[Scores, Groups], held_out: tuple[Scores, Groups]) -> Candidates:
    """Returns the attack: members against held-out images, each with scores and groups."""
    scores, groups = (np.concatenate(both) for both in zip(members, held_out, strict=True))
    return Candidates(scores, np.arange(len(scores)) < len(members[0]), groups)


def half_of_groups(groups: Groups, rng: np.random.Generator) -> Bool[np.ndarray, " images"]:
    """Returns which images are of a random half of the groups (the smaller one of odd many)."""
    names = rng.permutation(np.unique(groups))
    return np.isin(groups, names[: len(names) // 2])


def between_halves(members: tuple[Scores, Groups], rng: np.random.Generator) -> Candidates:
    """Returns the control: one half of the members' groups against the other."""
    scores, groups = members
    return Candidates(scores, half_of_groups(groups, rng), groups)
