"""The networks that a config names."""

from typing import Any

import jax
import jax.numpy as jnp

from gaug_jax.augmentation.conditioned import NUM_PARAMETERS
from gaug_jax.errors import UserError
from gaug_jax.models import plain_convolution
from gaug_jax.models.classifier import Classifier
from gaug_jax.models.convolution import default_implementation
from gaug_jax.models.dcgan import Discriminator, Generator
from gaug_jax.models.projected import ProjectedDiscriminator
from gaug_jax.models.style import StyleGenerator
from gaug_jax.models.style_discriminator import StyleDiscriminator
from gaug_jax.models.unet import IMAGE_SIZES, UNet
from gaug_jax.settings import Settings
from gaug_jax.weights.efficientnet import frozen_depths

# Residual blocks of each level of a U-Net on the way down: the paper has four, and this is for few
# small images on a laptop.
_BLOCKS = 1

AnyGenerator = Generator | StyleGenerator | UNet
AnyDiscriminator = Discriminator | ProjectedDiscriminator | StyleDiscriminator


def generator_of(settings: Settings, num_classes: int, axis_name: str | None) -> AnyGenerator:
    """Returns the generator.

    Args:
      settings: of the run, nothing left unset.
      num_classes: classes of its data.
      axis_name: axis of the devices that share a step, or None.

    Raises:
      UserError: the family cannot do what is asked of it.
    """
    model = settings.model
    if model.family == "diffusion":
        told = NUM_PARAMETERS if settings.augment.policy == "affine" else 0
        shared = _shared(settings, num_classes)
        shared["implementation"] = plain_convolution.default_implementation(trained=True)
        return UNet(num_augmentations=told, blocks=_BLOCKS, **shared)
    drawn = {"image_size": settings.data.image_size, "channels": settings.data.channels}
    if model.family == "style":
        _check_only_dcgan(settings, "config.model.family='style'")
        style = {"mapping_layers": model.mapping_layers, "style_mixing": model.style_mixing}
        return StyleGenerator(**drawn, **style, **_shared(settings, num_classes))
    if settings.objective.path_length:
        raise UserError(
            f"config.objective.path_length={settings.objective.path_length} is of styles: set "
            "config.model.family='style', or path_length=0"
        )
    return Generator(
        upsampling=model.upsampling,
        axis_name=axis_name,
        **drawn,
        **_of_dcgan(settings),
        **_shared(settings, num_classes),
    )


def discriminator_of(
    settings: Settings, num_classes: int, axis_name: str | None
) -> AnyDiscriminator | None:
    """Returns the discriminator, if the family has one; arguments and errors as `generator_of`."""
    if settings.model.family == "diffusion":
        return None
    kind, shared = settings.model.discriminator, _shared(settings, num_classes)
    norms = {
        "norm": settings.objective.discriminator_norm,
        "spectral_norm": settings.objective.spectral_norm,
    }
    if kind == "dcgan":
        return Discriminator(axis_name=axis_name, **norms, **_of_dcgan(settings), **shared)
    _check_only_dcgan(settings, f"config.model.discriminator={kind!r}")
    if kind == "style":
        _check_plain(settings)
        return StyleDiscriminator(**shared)
    if settings.objective.private:
        raise UserError(
            "config.objective.private=True is not to be had with config.model.discriminator="
            "'projected': leave it out, or choose dcgan"
        )
    return ProjectedDiscriminator(depths=frozen_depths, axis_name=axis_name, **norms, **shared)


def classifier_of(settings: Settings, num_classes: int, axis_name: str | None) -> Classifier | None:
    """Returns the classifier that is trained along with the generator; as `generator_of`.

    Raises:
      UserError: there is more than one generator.
    """
    weight = settings.objective.classifier_weight
    if not weight:
        return None
    if settings.model.labels == "per_class":
        raise UserError(
            f"config.objective.classifier_weight={weight} trains a classifier beside one "
            "generator: set config.model.labels to 'conditional' or 'none'"
        )
    return Classifier(
        num_classes,
        settings.model.classifier_width,
        axis_name,
        default_implementation(jax.default_backend()),
    )


def _shared(settings: Settings, num_classes: int) -> dict[str, Any]:
    """Returns the options that networks of all families have."""
    return {
        "width": settings.model.width,
        "num_classes": num_classes if settings.model.labels == "conditional" else 0,
        "dtype": jnp.dtype(settings.train.precision),
        "implementation": default_implementation(jax.default_backend()),
    }


def _of_dcgan(settings: Settings) -> dict[str, Any]:
    """Returns the options of both networks of DCGAN."""
    return {
        "residual": settings.model.residual,
        "attention": settings.model.attention,
        "growing": settings.train.growing_steps > 0,
    }


def _check_only_dcgan(settings: Settings, because: str) -> None:
    """Raises `UserError` where something is asked for that networks of DCGAN alone have."""
    asked = {
        "model.residual": settings.model.residual,
        "model.attention": settings.model.attention,
        "train.growing_steps": settings.train.growing_steps,
    }
    for name, value in asked.items():
        if value:
            raise UserError(
                f"config.{name}={value} is not to be had with {because}: leave it out, or choose "
                "dcgan"
            )


def _check_plain(settings: Settings) -> None:
    """Raises `UserError` where StyleGAN2's discriminator is to have a norm that it has not."""
    objective = settings.objective
    if objective.spectral_norm or objective.discriminator_norm != "none":
        norm = "spectral_norm" if objective.spectral_norm else "discriminator_norm"
        raise UserError(
            f"config.objective.{norm}={getattr(objective, norm)!r} is not to be had with "
            "config.model.discriminator='style': set config.objective.preset='style', or choose "
            "dcgan"
        )


def check_diffusion(settings: Settings) -> None:
    """Raises `UserError` where something is asked of a diffusion family that GANs alone have."""
    model, objective, augment = settings.model, settings.objective, settings.augment
    asked = {
        "model.discriminator": model.discriminator != "dcgan" and model.discriminator,
        "model.residual": model.residual,
        "model.attention": model.attention,
        "train.growing_steps": settings.train.growing_steps,
        "objective.private": objective.private,
        "objective.classifier_weight": objective.classifier_weight,
        "objective.preset": objective.preset != "denoising" and objective.preset,
        "augment.adaptive": augment.adaptive,
        "augment.policy": augment.policy not in ("none", "affine") and augment.policy,
    }
    for name, value in asked.items():
        if value:
            raise UserError(
                f"config.{name}={value!r} is of GANs, and config.model.family='diffusion' is none: "
                "--config=NAME:diffusion (of folder_study, for one) sets all fields of that family"
            )
    if settings.data.image_size not in IMAGE_SIZES:
        raise UserError(
            f"config.data.image_size={settings.data.image_size} is not to be had with "
            f"config.model.family='diffusion': give one of {', '.join(map(str, IMAGE_SIZES))}"
        )
