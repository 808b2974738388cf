"""What private training is compiled for, and what it refuses."""

import dataclasses

from gaug_jax.settings import (
    AugmentSettings,
    ModelSettings,
    ObjectiveSettings,
    TrainSettings,
    UserError,
)


@dataclasses.dataclass(frozen=True)
class Private:
    """DP-SGD of the discriminator (Abadi et al. 2016).

    Attributes:
      noise_multiplier: standard deviation of the noise as a multiple of `clip_norm`.
      clip_norm: largest norm of one image's gradient.
      mean_batch: mean number of images of an update.
    """

    noise_multiplier: float
    clip_norm: float
    mean_batch: int


def private_training(
    model: ModelSettings,
    objective: ObjectiveSettings,
    train: TrainSettings,
    augment: AugmentSettings,
) -> Private | None:
    """Returns how training is private, or None where it is not.

    Spectral norm and the gradient penalties may stay: the power iteration sees weights alone,
    and a penalty is of one image, whose whole gradient is clipped.

    Raises:
      UserError: something else in the settings would break the guarantee.
    """
    if not objective.private:
        return None
    breaking = {
        "objective.discriminator_norm='batch' mixes images before they are clipped": (
            objective.discriminator_norm == "batch"
        ),
        f"objective.lecam={objective.lecam} remembers scores of real images without noise": (
            objective.lecam > 0
        ),
        "augment.adaptive=True is steered by scores of real images without noise": (
            augment.adaptive
        ),
        f"objective.classifier_weight={objective.classifier_weight} trains a classifier on the "
        "real images without noise": objective.classifier_weight > 0,
        "model.labels='per_class' trains on each class apart, for whose sizes the budget is not "
        "counted (give 'conditional' or 'none')": model.labels == "per_class",
        "train.on_divergence='rollback' would choose among runs by what they saw": (
            train.on_divergence == "rollback"
        ),
    }
    for reason, breaks in breaking.items():
        if breaks:
            raise UserError(f"config.objective.private=True: config.{reason}")
    return Private(objective.noise_multiplier, objective.clip_norm, train.batch_size)
