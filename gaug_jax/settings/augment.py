"""The section `config.augment`."""

import dataclasses

from gaug_jax.errors import UserError
from gaug_jax.settings.checks import above, fraction
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class AugmentSettings:
    """What is done to real and generated images before the discriminator sees them."""

    policy: str = field(
        "none",
        "none, or some of brightness,contrast,translation,cutout (differentiable augmentation); of "
        "a diffusion family none or affine (shifts, scales and turns that the network is told).",
    )
    probability: float = field(
        1.0, "Of each transform of each image; where it is adaptive, the largest."
    )
    adaptive: bool = field(
        False,
        "Let the probability rise from 0 where the mean sign of the discriminator's scores of real "
        "images is above the target (it knows them by heart), and fall where it is below.",
    )
    target: float = field(0.6, "Of the mean sign, where augmentation is adaptive.")
    adaptation_images: float = field(
        50_000.0,
        "Images in which an adaptive probability would go from 0 to 1 (its paper, for runs of 25 "
        "million: 500,000).",
    )

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise UserError(
                f"config.augment.probability={self.probability} is no probability: give 0 to 1"
            )
        fraction("augment.target", self.target)
        above("augment.adaptation_images", self.adaptation_images, 0)
