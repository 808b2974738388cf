"""What each arm of the study trains its classifiers on.

Every arm makes the same number of optimiser steps of the same batch size; they differ in
the images that batches are drawn from and in the augmentation.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax.classifiers.fit import TrainingImages, training_images
from gaug_jax.data.labelled import Labelled


@dataclasses.dataclass(frozen=True)
class Arm:
    """An arm.

    Attributes:
      augmentation: policy of the batches.
      synthetic: whether generated images take part.
      mode: how they do: `mixed`, `pretrain`, `only`, `shuffled`, `unlabelled`, or `joint`,
        where the classifier was trained along with its generator; or of real images alone
        `real`, `oversample`, `borders`.
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
    # A control, not a competitor: what can be told without the lungs.
    "borders_only": Arm(mode="borders"),
}
# Arms that an answer may rest on as the best one without a GAN.
WITHOUT_GAN = ("real", "classical", "mixup", "cutout", "cutmix", "augmix", "trivialaugment",
               "oversample")  # fmt: skip
# Share of the height and width that `borders_only` blackens.
_MIDDLE = 0.7


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


def arm_images(
    arm: Arm,
    real: Labelled,
    synthetic: Labelled | None,
    num_classes: int,
    steps: int,
    rng: np.random.Generator,
    balanced: bool = False,
    at_least: int = 1,
) -> TrainingImages:
    """Returns what an arm's classifiers are fitted to.

    Args:
      arm: which.
      real: the training part.
      synthetic: generated images, as many as the ratio says; None for arms without.
      num_classes: of the labels.
      steps: of the fit; half of them pretrain.
      rng: shuffles labels.
      balanced: weigh classes by the inverse of their number.
      at_least: of `training_images`.
    """
    count = len(real.labels)
    shared = {"balanced": balanced, "at_least": at_least}
    if not arm.synthetic:
        images = without_middle(real.images) if arm.mode == "borders" else real.images
        copies = 2 if arm.mode == "oversample" else 1
        images, labels = np.concatenate([images] * copies), np.tile(real.labels, copies)
        return training_images(images, labels, num_classes, **shared)
    labels = synthetic.labels
    if arm.mode == "shuffled":
        labels = rng.permutation(labels)
    images = np.concatenate([real.images, synthetic.images])
    labels = np.concatenate([real.labels, labels])
    real_part, synthetic_part = (0, count), (count, len(labels))
    options = {
        "mixed": {},
        "shuffled": {},
        "pretrain": {"first": synthetic_part, "then": real_part, "switch": steps // 2},
        "only": {"then": synthetic_part},
        "unlabelled": {"then": real_part, "unlabelled": synthetic_part},
    }[arm.mode]
    return training_images(images, labels, num_classes, **shared, **options)


def without_middle(
    images: UInt8[np.ndarray, "images height width channels"],
) -> UInt8[np.ndarray, "images height width channels"]:
    """Returns images whose middle (0.7 of height and width) is black."""
    images = images.copy()
    rows, columns = (
        slice(round(size * (1 - _MIDDLE) / 2), size - round(size * (1 - _MIDDLE) / 2))
        for size in images.shape[1:3]
    )
    images[:, rows, columns] = 0
    return images
