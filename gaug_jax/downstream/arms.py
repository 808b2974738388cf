"""What each arm of the study trains its classifiers on.

Every arm makes the same number of optimiser steps of the same batch size; they differ in
the images that batches are drawn from and in the augmentation.
"""

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from gaug_jax.data.labelled import Labelled


@dataclasses.dataclass(frozen=True)
class Arm:
    """An arm.

    Attributes:
      augmentation: policy of the batches.
      synthetic: whether generated images take part.
      mode: how they do: `mixed`, `pretrain`, `only`, `shuffled`, `unlabelled`, or `joint`,
        where the classifier was trained along with its generator; or of real images alone
        `real`, `oversample`, `borders`; or a floor: `majority`, which looks at no image, and
        `pixels`, a linear model on principal components.
      all_ratios: whether every ratio and filter is tried, or the reference ones alone.
      levelled: whether generated images fill up the rarest classes first (`levelling`), or have
        the training part's proportions.
    """

    augmentation: str = "none"
    synthetic: bool = False
    mode: str = "real"
    all_ratios: bool = False
    levelled: bool = False


ARMS: dict[str, Arm] = {
    "real": Arm(),
    "classical": Arm("classical"),
    "mixup": Arm("mixup"),
    "cutout": Arm("cutout"),
    "cutmix": Arm("cutmix"),
    "augmix": Arm("augmix"),
    "trivialaugment": Arm("trivialaugment"),
    "oversample": Arm(mode="oversample"),
    "gan": Arm(synthetic=True, mode="mixed", all_ratios=True),
    "gan+classical": Arm("classical", synthetic=True, mode="mixed", all_ratios=True),
    "gan_balanced": Arm(synthetic=True, mode="mixed", all_ratios=True, levelled=True),
    "gan_balanced+classical": Arm(
        "classical", synthetic=True, mode="mixed", all_ratios=True, levelled=True
    ),
    "pretrain": Arm(synthetic=True, mode="pretrain"),
    "synthetic_only": Arm(synthetic=True, mode="only"),
    "gan_shuffled": Arm(synthetic=True, mode="shuffled"),
    "pseudo_label": Arm(synthetic=True, mode="unlabelled"),
    "ec_gan": Arm(synthetic=True, mode="joint"),
    # Controls, not competitors: what can be told without the lungs, and by the simplest models.
    "borders_only": Arm(mode="borders"),
    "majority": Arm(mode="majority"),
    "pixels": Arm(mode="pixels"),
}
# In every study: a classifier that is not above them answers nothing.
FLOOR = ("majority", "pixels")
# Arms that an answer may rest on as the best one without a GAN.
WITHOUT_GAN = ("real", "classical", "mixup", "cutout", "cutmix", "augmix", "trivialaugment",
               "oversample")  # fmt: skip


class Material(NamedTuple):
    """The images that an arm's fits draw from, real ones first.

    Attributes:
      images: [0, 255], and the class of each.
      first: begin and end of those of the first half of the steps; None for those of `then`.
      then: of the other steps.
      unlabelled: of those whose labels are not used; empty where there are none.
    """

    images: Labelled
    first: tuple[int, int] | None
    then: tuple[int, int]
    unlabelled: tuple[int, int] = (0, 0)


def synthetic_count(num_real: int, ratio: float) -> int:
    """Returns how many generated images a ratio to the real ones is."""
    return int(round(ratio * num_real))


def most_images(runs: Iterable[tuple[str, float]], num_real: int) -> int:
    """Returns the images that the arm with the most of them is fitted to.

    Args:
      runs: name of each arm, and its ratio of generated to real images.
      num_real: images of the training part.
    """
    return max(
        num_real * (2 if ARMS[name].mode == "oversample" else 1) + synthetic_count(num_real, ratio)
        for name, ratio in runs
    )


def take(images: Labelled, wanted: Int[np.ndarray, " classes"]) -> Labelled:
    """Returns the first so many images of each class, in their order.

    Raises:
      ValueError: a class has fewer.
    """
    chosen = []
    for label, count in enumerate(wanted):
        members = np.flatnonzero(images.labels == label)
        if len(members) < count:
            raise ValueError(f"class {label} has {len(members)} generated images, not {count}")
        chosen.append(members[:count])
    chosen = np.sort(np.concatenate(chosen))
    return Labelled(images.images[chosen], images.labels[chosen])


def arm_material(
    arm: Arm, real: Labelled, synthetic: Labelled | None, rng: np.random.Generator
) -> Material:
    """Returns what an arm's classifiers are fitted to.

    Args:
      arm: which.
      real: the training part.
      synthetic: generated images, as many as the ratio says; None for arms without.
      rng: shuffles labels.
    """
    count = len(real.labels)
    if not arm.synthetic:
        copies = 2 if arm.mode == "oversample" else 1
        images = Labelled(np.concatenate([real.images] * copies), np.tile(real.labels, copies))
        return Material(images, None, (0, count * copies))
    labels = synthetic.labels
    if arm.mode == "shuffled":
        labels = rng.permutation(labels)
    images = Labelled(
        np.concatenate([real.images, synthetic.images]), np.concatenate([real.labels, labels])
    )
    everything, real_part = (0, len(images.labels)), (0, count)
    synthetic_part = (count, len(images.labels))
    return {
        "mixed": Material(images, None, everything),
        "shuffled": Material(images, None, everything),
        "pretrain": Material(images, synthetic_part, real_part),
        "only": Material(images, None, synthetic_part),
        "unlabelled": Material(images, None, real_part, synthetic_part),
    }[arm.mode]
