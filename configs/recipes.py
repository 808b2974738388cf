"""How a generator is made and trained, by name: each is a delta for any config.

    python -m gaug_jax.study --config=folder_study:style --config.data.path=my_images \\
        --workdir=runs/mine_style

- `dcgan`: Radford et al. 2016, the networks and the objective of the paper that this project
  repeats.
- `few_images`: what held up on a few hundred images (docs/small_data), and what the configs begin
  with. Spectral norm, hinge, differentiable augmentation of real and generated images, a learning
  rate of 1e-3 without Adam's momentum, the generator's moving average, and upsampling by neighbours
  and a convolution.
- `projected`: few_images with a discriminator that looks through a frozen network (Sauer et al.
  2021).
- `style`: StyleGAN2 (Karras et al. 2020) with differentiable augmentation and R1 every sixteenth
  update.
- `diffusion`: a network that takes noise from images (EDM: Karras et al. 2022), told how its
  training images were moved, scaled and turned.
"""

from typing import Any

from ml_collections import ConfigDict

_POLICY = "brightness,contrast,translation,cutout"

FEW_IMAGES = {
    "model.upsampling": "nearest",
    "objective.preset": "spectral_norm",
    "objective.loss": "hinge",
    "augment.policy": _POLICY,
    "train.learning_rate": 1e-3,
    "train.beta1": 0.0,
    "train.ema_half_life": 10_000.0,
}
RECIPES: dict[str, dict[str, Any]] = {
    "dcgan": {"objective.preset": "minimax"},
    "few_images": FEW_IMAGES,
    "projected": FEW_IMAGES | {"model.discriminator": "projected"},
    "style": {
        "model.family": "style",
        "model.discriminator": "style",
        "objective.preset": "style",
        "objective.r1_every": 16,
        "augment.policy": _POLICY,
    },
    "diffusion": {
        "model.family": "diffusion",
        "objective.preset": "denoising",
        "augment.policy": "affine",
        "augment.probability": 0.15,
    },
}


def use(config: ConfigDict, name: str = "few_images") -> ConfigDict:
    """Returns the config with a recipe in place of its own.

    Raises:
      ValueError: there is no recipe of this name.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: give {', '.join(RECIPES)}")
    config.update_from_flattened_dict(RECIPES[name])
    return config
