"""The section `config.embed`."""

import dataclasses

from gaug_jax.settings.checks import above, at_least
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class EmbedSettings:
    """Real and generated images in a plane."""

    perplexity: float = field(
        30.0,
        "Of t-SNE: about how many neighbours count. A third of the images at most.",
        may_change=True,
    )
    num_images: int = field(
        1000,
        "Images of each origin (training part, test part, generated) at most.",
        may_change=True,
    )

    def __post_init__(self) -> None:
        above("embed.perplexity", self.perplexity, 0)
        at_least("embed.num_images", self.num_images, 2)
