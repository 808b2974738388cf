"""What private training refuses."""

from gaug_jax.errors import UserError
from gaug_jax.settings import Settings


def check_private(settings: Settings) -> None:
    """Raises `UserError` where something would break the guarantee of private training.

    Spectral norm and the gradient penalties may stay: the power iteration sees weights alone,
    and a penalty is of one image, whose whole gradient is clipped.
    """
    objective, augment = settings.objective, settings.augment
    if not objective.private:
        return
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
        "counted (give 'conditional' or 'none')": settings.model.labels == "per_class",
        "train.on_divergence='rollback' would choose among runs by what they saw": (
            settings.train.on_divergence == "rollback"
        ),
    }
    for reason, breaks in breaking.items():
        if breaks:
            raise UserError(f"config.objective.private=True: config.{reason}")
