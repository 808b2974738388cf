"""All that a train step is compiled for: the networks, and the config's sections that decide it."""

import dataclasses
import math

import optax

from gaug_jax.augmentation.differentiable import parse_policy
from gaug_jax.errors import UserError
from gaug_jax.gan.architecture import (
    AnyDiscriminator,
    AnyGenerator,
    check_diffusion,
    classifier_of,
    discriminator_of,
    generator_of,
)
from gaug_jax.gan.private_settings import check_private
from gaug_jax.models.classifier import Classifier
from gaug_jax.models.dcgan import num_stages
from gaug_jax.objectives import LOSSES
from gaug_jax.objectives.presets import PRESETS
from gaug_jax.settings import (
    AugmentSettings,
    ModelSettings,
    ObjectiveSettings,
    Settings,
    TrainSettings,
)
from gaug_jax.settings.checks import one_of
from gaug_jax.settings.fields import deciding

DEVICES = "devices"


@dataclasses.dataclass(frozen=True)
class Spec:
    """What is static in a train step; hashable, so that it can key a compilation.

    Of the sections, fields that a preset decides are filled in, and fields that may change from
    one call to the next (where, how long or how often) are at their defaults.

    Attributes:
      image_shape: height, width and channels of an image.
      generator: network of one generator.
      discriminator: network of one discriminator; None of a diffusion family.
      classifier: network that is trained along with them (EC-GAN), or None.
      model: section of the config.
      objective: section of the config, nothing left unset.
      train: section of the config, nothing left unset that a step needs.
      augment: section of the config.
      num_classes: classes of the data.
      num_generators: generators trained together (`per_class`), or 0 for a single one.
      generators_at_once: how many of them are computed at once.
      axis_name: axis of the devices, or None outside a parallel map.
    """

    image_shape: tuple[int, int, int]
    generator: AnyGenerator
    discriminator: AnyDiscriminator | None
    classifier: Classifier | None
    model: ModelSettings
    objective: ObjectiveSettings
    train: TrainSettings
    augment: AugmentSettings
    num_classes: int
    num_generators: int
    generators_at_once: int
    axis_name: str | None

    @property
    def generator_optimizer(self) -> optax.GradientTransformation:
        """Adam."""
        return self._adam(self.train.learning_rate)

    @property
    def discriminator_optimizer(self) -> optax.GradientTransformation:
        """Adam, perhaps with another learning rate (Heusel et al. 2017)."""
        return self._adam(self.train.discriminator_learning_rate)

    def _adam(self, learning_rate: float) -> optax.GradientTransformation:
        return optax.adam(learning_rate, self.train.beta1, self.train.beta2)

    @property
    def classifier_optimizer(self) -> optax.GradientTransformation:
        """Adam."""
        return optax.adam(self.train.classifier_learning_rate)

    @property
    def latent_length(self) -> int:
        """Numbers of a latent; those of a diffusion family are the noise that it begins with."""
        noise = self.model.family == "diffusion"
        return math.prod(self.image_shape) if noise else self.model.latent_dim

    @property
    def stages(self) -> tuple["Spec", ...]:
        """The spec of each stage of progressive growing."""
        return tuple(
            dataclasses.replace(
                self,
                generator=self.generator.clone(stage=stage),
                discriminator=self.discriminator.clone(stage=stage),
            )
            for stage in range(num_stages(self.image_shape[0]))
        )

    @property
    def images_per_step(self) -> int:
        """Real images that one step shows to the discriminators."""
        per_generator = self.train.batch_size * self.objective.critic_steps
        return per_generator * max(1, self.num_generators)


def make_spec(settings: Settings, num_classes: int, axis_name: str | None = DEVICES) -> Spec:
    """Returns the spec of a run on this machine's devices.

    Args:
      settings: of the run.
      num_classes: classes of its data.
      axis_name: axis of the devices that share a step, or None outside a parallel map.

    Raises:
      UserError: the settings do not fit one another.
    """
    check_private(settings)
    settings = _with_preset(settings)
    _check(settings)
    model, train = settings.model, settings.train
    num_generators = num_classes if model.labels == "per_class" else 0
    size = settings.data.image_size
    return Spec(
        image_shape=(size, size, settings.data.channels),
        generator=generator_of(settings, num_classes, axis_name),
        discriminator=discriminator_of(settings, num_classes, axis_name),
        classifier=classifier_of(settings, num_classes, axis_name),
        model=deciding(model),
        objective=deciding(settings.objective),
        train=deciding(train),
        augment=deciding(settings.augment),
        num_classes=num_classes,
        num_generators=num_generators,
        generators_at_once=min(train.classes_at_once or num_generators, num_generators),
        axis_name=axis_name,
    )


def _with_preset(settings: Settings) -> Settings:
    """Returns settings with the preset's values where none is set explicitly.

    Raises:
      UserError: an unknown preset.
    """
    one_of("objective.preset", settings.objective.preset, PRESETS)
    preset = PRESETS[settings.objective.preset]
    sections = {}
    for name in ("objective", "train"):
        section = getattr(settings, name)
        unset = {
            field: value
            for field, value in preset.items()
            if hasattr(section, field) and getattr(section, field) is None
        }
        sections[name] = dataclasses.replace(section, **unset)
    train, objective = sections["train"], sections["objective"]
    if train.discriminator_learning_rate is None:
        same = {"discriminator_learning_rate": train.learning_rate}
        sections["train"] = dataclasses.replace(train, **same)
    if objective.private and objective.discriminator_norm == "batch":
        # Of the preset: an explicit one is refused. Batch norm would mix images.
        sections["objective"] = dataclasses.replace(objective, discriminator_norm="group")
    return dataclasses.replace(settings, **sections)


def _check(settings: Settings) -> None:
    """Raises `UserError` where sections with all their values do not fit one another."""
    objective = settings.objective
    one_of("objective.loss", objective.loss, LOSSES)
    penalised = [name for name in ("gradient_penalty", "r1") if getattr(objective, name)]
    if penalised and objective.discriminator_norm == "batch":
        raise UserError(
            f"config.objective.{penalised[0]}={getattr(objective, penalised[0])} penalises each "
            "image on its own, which batch norm prevents: set "
            "config.objective.discriminator_norm='none'"
        )
    if objective.label_smoothing and not objective.loss.startswith("minimax"):
        raise UserError(
            f"config.objective.label_smoothing={objective.label_smoothing} is of the minimax "
            f"losses, not of {objective.loss!r}: set it to 0"
        )
    if settings.model.family == "diffusion":
        check_diffusion(settings)
        return
    if objective.preset == "denoising":
        raise UserError(
            "config.objective.preset='denoising' is of config.model.family='diffusion': set that, "
            "or choose another preset"
        )
    _check_augment(settings.augment, objective.loss)


def _check_augment(augment: AugmentSettings, loss: str) -> None:
    """Raises `UserError` where a transform is unknown, or nothing can steer its probability."""
    try:
        parse_policy(augment.policy)
    except ValueError as error:
        raise UserError(f"config.augment.policy={augment.policy!r}: {error}") from None
    if not augment.adaptive:
        return
    if augment.policy == "none":
        raise UserError(
            "config.augment.adaptive=True has nothing to make: give config.augment.policy"
        )
    if loss == "wasserstein":
        raise UserError(
            "config.augment.adaptive=True goes by the sign of scores, which has no meaning under "
            "config.objective.loss='wasserstein': choose another loss, or adaptive=False"
        )
