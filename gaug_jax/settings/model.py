"""The section `config.model`."""

import dataclasses

from gaug_jax.errors import UserError
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
    family: str = field(
        "dcgan",
        "What the generator is: dcgan, style (StyleGAN2: Karras et al. 2020) or diffusion (a "
        "network that takes noise from images, without a discriminator: Karras et al. 2022).",
    )
    mapping_layers: int = field(
        2, "Layers of a style generator's network between a latent and its style."
    )
    style_mixing: float = field(
        0.9, "Probability that an image which a style generator draws in training has two styles."
    )
    sampling_steps: int = field(
        18,
        "Steps of a diffusion family's sampler, each of two passes through its network.",
    )
    guidance: float = field(
        1.0,
        "How far images of a conditional diffusion family go towards their class (classifier-free "
        "guidance). 1: as they were learnt; above it, more typical and less varied.",
    )
    upsampling: str = field(
        "transposed",
        "How a generator of dcgan doubles height and width: transposed (convolutions), or "
        "nearest (neighbours, then a 3x3 convolution: no checkerboards).",
    )
    residual: bool = field(
        False, "Residual blocks in place of the hidden layers that resample, in both networks."
    )
    attention: bool = field(
        False, "Self-attention at half the image's height (32x32 at 64x64), in both networks."
    )
    discriminator: str = field(
        "dcgan",
        "dcgan, style (that of StyleGAN2), or projected: four small discriminators of the features "
        "of a network that was trained on photographs (Sauer et al. 2021).",
    )
    classifier_width: int = field(
        32,
        "Channels of the first layer of the classifier that objective.classifier_weight trains.",
    )

    def __post_init__(self) -> None:
        one_of("model.upsampling", self.upsampling, ("transposed", "nearest"))
        for name in ("width", "latent_dim", "classifier_width"):
            at_least(f"model.{name}", getattr(self, name), 1)
        one_of("model.discriminator", self.discriminator, ("dcgan", "style", "projected"))
        one_of("model.family", self.family, ("dcgan", "style", "diffusion"))
        at_least("model.mapping_layers", self.mapping_layers, 0)
        at_least("model.sampling_steps", self.sampling_steps, 2)
        at_least("model.guidance", self.guidance, 0)
        if not 0 <= self.style_mixing <= 1:
            raise UserError(
                f"config.model.style_mixing={self.style_mixing} is no probability: give 0 to 1"
            )
        one_of("model.labels", self.labels, ("none", "per_class", "conditional"))
