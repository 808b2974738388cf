"""All that a train step is compiled for, made from the config's sections."""

import dataclasses

import jax
import jax.numpy as jnp
import optax

from gaug_jax.augmentation.differentiable import parse_policy
from gaug_jax.models.classifier import Classifier
from gaug_jax.models.convolution import default_implementation
from gaug_jax.models.dcgan import Discriminator, Generator, num_stages
from gaug_jax.objectives import LOSSES
from gaug_jax.objectives.presets import PRESETS
from gaug_jax.settings import (
    AugmentSettings,
    DataSettings,
    ModelSettings,
    ObjectiveSettings,
    TrainSettings,
    UserError,
    one_of,
)
from gaug_jax.training.private_spec import Private, private_training

DEVICES = "devices"


@dataclasses.dataclass(frozen=True)
class Adaptive:
    """How the probability of augmentation is steered (`augmentation.adaptive`).

    Attributes:
      target: of the mean sign of scores of real images.
      images: in which the probability would go from 0 to 1.
    """

    target: float
    images: float


@dataclasses.dataclass(frozen=True)
class Spec:
    """What is static in a train step; hashable, so that it can key a compilation.

    Attributes:
      generator, discriminator: the networks of one generator.
      loss: name in `objectives.LOSSES`.
      gradient_penalty, r1, lecam: weights of the penalties; 0 leaves one out.
      r1_every: discriminator updates between those with R1.
      label_smoothing: of the target of real images.
      critic_steps: discriminator updates before each generator update.
      learning_rate, beta1, beta2: Adam's, of the generator.
      discriminator_learning_rate: of the discriminator.
      batch_size: images of one discriminator update over all devices, of each generator.
      latent_dim: length of a latent.
      num_classes: classes of the data.
      num_generators: generators trained together (`per_class`), or 0 for a single one.
      generators_at_once: how many of them are computed at once.
      ema_half_life: images after which the moving average has forgotten half.
      ema_ramp_up: its growth at the start, as a share of the images seen.
      augment: transforms of what the discriminator sees.
      augment_probability: of each of them; the largest where it is adaptive.
      adaptive: how it is steered, or None.
      growing_steps: of each stage of progressive growing; 0 for none.
      classifier: trained along with them (EC-GAN), or None.
      classifier_weight: of its loss on generated images.
      classifier_learning_rate: Adam's, of the classifier.
      private: how the discriminator's gradients are made private, or None.
      axis_name: axis of the devices, or None outside a parallel map.
    """

    generator: Generator
    discriminator: Discriminator
    loss: str
    gradient_penalty: float
    r1: float
    r1_every: int
    lecam: float
    label_smoothing: float
    critic_steps: int
    learning_rate: float
    discriminator_learning_rate: float
    beta1: float
    beta2: float
    batch_size: int
    latent_dim: int
    num_classes: int
    num_generators: int
    generators_at_once: int
    ema_half_life: float
    ema_ramp_up: float
    augment: tuple[str, ...]
    augment_probability: float
    adaptive: Adaptive | None
    growing_steps: int
    classifier: Classifier | None
    classifier_weight: float
    classifier_learning_rate: float
    private: Private | None
    axis_name: str | None

    @property
    def generator_optimizer(self) -> optax.GradientTransformation:
        """Adam."""
        return optax.adam(self.learning_rate, self.beta1, self.beta2)

    @property
    def discriminator_optimizer(self) -> optax.GradientTransformation:
        """Adam, perhaps with another learning rate (Heusel et al. 2017)."""
        return optax.adam(self.discriminator_learning_rate, self.beta1, self.beta2)

    @property
    def classifier_optimizer(self) -> optax.GradientTransformation:
        """Adam."""
        return optax.adam(self.classifier_learning_rate)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return (self.generator.image_size, self.generator.image_size, self.generator.channels)

    @property
    def stages(self) -> tuple["Spec", ...]:
        """The spec of each stage of progressive growing."""
        return tuple(
            dataclasses.replace(
                self,
                generator=self.generator.clone(stage=stage),
                discriminator=self.discriminator.clone(stage=stage),
            )
            for stage in range(num_stages(self.generator.image_size))
        )

    @property
    def images_per_step(self) -> int:
        """Real images that one step shows to the discriminators."""
        return self.batch_size * self.critic_steps * max(1, self.num_generators)


def resolve_preset(objective: ObjectiveSettings, train: TrainSettings) -> dict[str, object]:
    """Returns the preset's values with those set explicitly in their place.

    Raises:
      UserError: an unknown preset or loss, or a penalty beside batch norm.
    """
    one_of("objective.preset", objective.preset, PRESETS)
    values = {}
    for name, preset in PRESETS[objective.preset].items():
        given = getattr(objective if hasattr(objective, name) else train, name)
        values[name] = preset if given is None else given
    one_of("objective.loss", values["loss"], LOSSES)
    penalised = [name for name in ("gradient_penalty", "r1") if values[name]]
    if penalised and values["discriminator_norm"] == "batch" and not objective.private:
        raise UserError(
            f"config.objective.{penalised[0]}={values[penalised[0]]} penalises each image on its "
            "own, which batch norm prevents: set config.objective.discriminator_norm='none'"
        )
    if objective.label_smoothing and not values["loss"].startswith("minimax"):
        raise UserError(
            f"config.objective.label_smoothing={objective.label_smoothing} is of the minimax "
            f"losses, not of {values['loss']!r}: set it to 0"
        )
    return values


def _adaptive(settings: AugmentSettings, loss: str) -> Adaptive | None:
    """Returns how the augmentation's probability is steered.

    Raises:
      UserError: there is nothing to steer, or no sign to steer by.
    """
    if not settings.adaptive:
        return None
    if settings.policy == "none":
        raise UserError(
            "config.augment.adaptive=True has nothing to make: give config.augment.policy"
        )
    if loss == "wasserstein":
        raise UserError(
            "config.augment.adaptive=True goes by the sign of scores, which has no meaning under "
            "config.objective.loss='wasserstein': choose another loss, or adaptive=False"
        )
    return Adaptive(settings.target, settings.adaptation_images)


def _augment(settings: AugmentSettings) -> tuple[str, ...]:
    """Returns the transforms of a policy.

    Raises:
      UserError: one of them is unknown.
    """
    try:
        return parse_policy(settings.policy)
    except ValueError as error:
        raise UserError(f"config.augment.policy={settings.policy!r}: {error}") from None


def _classifier(
    model: ModelSettings, objective: ObjectiveSettings, num_classes: int, axis_name: str | None
) -> Classifier | None:
    """Returns the classifier that is trained along with the generator.

    Raises:
      UserError: there is more than one generator.
    """
    if not objective.classifier_weight:
        return None
    if model.labels == "per_class":
        raise UserError(
            f"config.objective.classifier_weight={objective.classifier_weight} trains a classifier "
            "beside one generator: set config.model.labels to 'conditional' or 'none'"
        )
    return Classifier(
        num_classes,
        model.classifier_width,
        axis_name,
        default_implementation(jax.default_backend()),
    )


def make_spec(
    data: DataSettings,
    model: ModelSettings,
    objective: ObjectiveSettings,
    train: TrainSettings,
    augment: AugmentSettings,
    *,
    num_classes: int,
    axis_name: str | None = DEVICES,
) -> Spec:
    """Returns the spec of a run on this machine's devices.

    Raises:
      UserError: the settings do not fit one another.
    """
    values = resolve_preset(objective, train)
    private = private_training(model, objective, train, augment)
    if private and values["discriminator_norm"] == "batch":
        values["discriminator_norm"] = "group"
    conditional = num_classes if model.labels == "conditional" else 0
    shared = {
        "width": model.width,
        "num_classes": conditional,
        "residual": model.residual,
        "attention": model.attention,
        "growing": train.growing_steps > 0,
        "axis_name": axis_name,
        "dtype": jnp.dtype(train.precision),
        "implementation": default_implementation(jax.default_backend()),
    }
    num_generators = num_classes if model.labels == "per_class" else 0
    return Spec(
        generator=Generator(
            image_size=data.image_size,
            channels=data.channels,
            upsampling=model.upsampling,
            **shared,
        ),
        discriminator=Discriminator(
            norm=values.pop("discriminator_norm"),
            spectral_norm=values.pop("spectral_norm"),
            **shared,
        ),
        batch_size=train.batch_size,
        latent_dim=model.latent_dim,
        num_classes=num_classes,
        num_generators=num_generators,
        generators_at_once=min(train.classes_at_once or num_generators, num_generators),
        ema_half_life=train.ema_half_life,
        ema_ramp_up=train.ema_ramp_up,
        augment=_augment(augment),
        augment_probability=augment.probability,
        adaptive=_adaptive(augment, values["loss"]),
        r1_every=objective.r1_every,
        lecam=objective.lecam,
        label_smoothing=objective.label_smoothing,
        discriminator_learning_rate=train.discriminator_learning_rate or values["learning_rate"],
        growing_steps=train.growing_steps,
        classifier=_classifier(model, objective, num_classes, axis_name),
        classifier_weight=objective.classifier_weight,
        classifier_learning_rate=train.classifier_learning_rate,
        private=private,
        axis_name=axis_name,
        **values,
    )
