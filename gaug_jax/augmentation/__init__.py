"""Augmentations of a batch, one file each: pure, keyed, and made inside the compiled step.

Images are float [batch, height, width, channels] in [-1, 1], labels float
[batch, classes], each row a distribution over the classes. Every policy takes
(key, images, labels) and returns both.
"""

import functools
from collections.abc import Callable

from jaxtyping import Array, Float

from gaug_jax.augmentation.augmix import augmix
from gaug_jax.augmentation.classical import classical
from gaug_jax.augmentation.cutmix import cutmix
from gaug_jax.augmentation.cutout import cutout
from gaug_jax.augmentation.mixup import mixup
from gaug_jax.augmentation.trivialaugment import trivialaugment

Images = Float[Array, "batch height width channels"]
Labels = Float[Array, "batch classes"]


def none(key: Array, images: Images, labels: Labels) -> tuple[Images, Labels]:
    """Returns the batch as it is."""
    return images, labels


POLICIES: dict[str, Callable[[Array, Images, Labels], tuple[Images, Labels]]] = {
    "none": none,
    "classical": classical,
    "mixup": mixup,
    "cutout": cutout,
    "cutmix": cutmix,
    "augmix": augmix,
    "trivialaugment": trivialaugment,
}


def policy_of(name: str, flip: bool) -> Callable[[Array, Images, Labels], tuple[Images, Labels]]:
    """Returns a policy.

    Args:
      name: one of `POLICIES`.
      flip: whether `classical` may mirror left and right; the others never do.
    """
    policy = POLICIES[name]
    return functools.partial(policy, flip=flip) if name == "classical" else policy


# Policies whose images are made of several, so that their labels are shares of classes.
MIXING = ("mixup", "cutmix")
