"""All that a train step is compiled for, made from the config's sections."""

import dataclasses

import jax
import jax.numpy as jnp
import optax

from gaug_jax.augmentation.differentiable import parse_policy
from gaug_jax.models.convolution import default_implementation
from gaug_jax.models.dcgan import Discriminator, Generator
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

DEVICES = "devices"


@dataclasses.dataclass(frozen=True)
class Spec:
    """What is static in a train step; hashable, so that it can key a compilation.

    Attributes:
      generator, discriminator: the networks of one generator.
      loss: name in `objectives.LOSSES`.
      gradient_penalty, r1: weights of the penalties; 0 leaves one out.
      critic_steps: discriminator updates before each generator update.
      learning_rate, beta1, beta2: Adam's.
      batch_size: images of one discriminator update over all devices, of each generator.
      latent_dim: length of a latent.
      num_classes: classes of the data.
      num_generators: generators trained together (`per_class`), or 0 for a single one.
      generators_at_once: how many of them are computed at once.
      ema_half_life: images after which the moving average has forgotten half.
      ema_ramp_up: its growth at the start, as a share of the images seen.
      augment: transforms of what the discriminator sees.
      axis_name: axis of the devices, or None outside a parallel map.
    """

    generator: Generator
    discriminator: Discriminator
    loss: str
    gradient_penalty: float
    r1: float
    critic_steps: int
    learning_rate: float
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
    axis_name: str | None

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """Adam for either network."""
        return optax.adam(self.learning_rate, self.beta1, self.beta2)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return (self.generator.image_size, self.generator.image_size, self.generator.channels)

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
    if penalised and values["discriminator_norm"] == "batch":
        raise UserError(
            f"config.objective.{penalised[0]}={values[penalised[0]]} penalises each image on its "
            "own, which batch norm prevents: set config.objective.discriminator_norm='none'"
        )
    return values


def _augment(settings: AugmentSettings) -> tuple[str, ...]:
    """Returns the transforms of a policy.

    Raises:
      UserError: one of them is unknown.
    """
    try:
        return parse_policy(settings.policy)
    except ValueError as error:
        raise UserError(f"config.augment.policy={settings.policy!r}: {error}") from None


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
    conditional = num_classes if model.labels == "conditional" else 0
    shared = {
        "width": model.width,
        "num_classes": conditional,
        "axis_name": axis_name,
        "dtype": jnp.dtype(train.precision),
        "implementation": default_implementation(jax.default_backend()),
    }
    num_generators = num_classes if model.labels == "per_class" else 0
    return Spec(
        generator=Generator(image_size=data.image_size, channels=data.channels, **shared),
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
        axis_name=axis_name,
        **values,
    )
