"""The section `config.model`."""

import dataclasses

from gaug_jax.settings.checks import at_least, one_of
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """The two networks."""

    width: int = field(
        64, "Channels of the discriminator's first layer; every other layer is a multiple of it."
    )
    latent_dim: int = field(
        100, "Length of the generator's input, drawn from a standard normal distribution."
    )
    labels: str = field(
        "none", "none, per_class (a GAN for each class, trained together) or conditional."
    )
    upsampling: str = field(
        "transposed",
        "How the generator doubles height and width: transposed (convolutions), or nearest "
        "(neighbours, then a 3x3 convolution: no checkerboards).",
    )
    residual: bool = field(
        False, "Residual blocks in place of the hidden layers that resample, in both networks."
    )
    attention: bool = field(
        False, "Self-attention at half the image's height (32x32 at 64x64), in both networks."
    )
    discriminator: str = field(
        "dcgan",
        "dcgan, or projected: four small discriminators of the features of a network that was "
        "trained on photographs (Sauer et al. 2021).",
    )
    classifier_width: int = field(
        32,
        "Channels of the first layer of the classifier that objective.classifier_weight trains.",
    )

    def __post_init__(self) -> None:
        one_of("model.upsampling", self.upsampling, ("transposed", "nearest"))
        for name in ("width", "latent_dim", "classifier_width"):
            at_least(f"model.{name}", getattr(self, name), 1)
        one_of("model.discriminator", self.discriminator, ("dcgan", "projected"))
        one_of("model.labels", self.labels, ("none", "per_class", "conditional"))
