"""Config sections as frozen dataclasses, and the messages for a user's mistakes.

A section of the config is handed to its dataclass as ``DataSettings(**section)``,
so that a field nobody knows fails at once. Each dataclass checks its own values;
what is wrong raises `UserError` with one line that names the field and the way out.
"""

import dataclasses
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

_LONGEST = 300


class UserError(Exception):
    """A mistake that the user can mend: printed as one line, exit status 2."""


def in_short(message: object) -> str:
    """Returns a message of another library as one line, cut between words where it is long."""
    return textwrap.shorten(str(message), _LONGEST, placeholder=" …")


def one_of(field: str, value: Any, choices: Iterable[Any]) -> None:
    """Raises `UserError` unless `value` is among `choices`; names the field and them."""
    choices = list(choices)
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise UserError(f"config.{field}={value!r} is not known: choose one of {listed}")


def at_least(field: str, value: float, minimum: float) -> None:
    """Raises `UserError` unless `value >= minimum`."""
    if not value >= minimum:
        raise UserError(f"config.{field}={value!r} is too small: give {minimum} or more")


def above(field: str, value: float, minimum: float) -> None:
    """Raises `UserError` unless `value > minimum`."""
    if not value > minimum:
        raise UserError(f"config.{field}={value!r} must be above {minimum}")


def fraction(field: str, value: float) -> None:
    """Raises `UserError` unless `0 <= value < 1`."""
    if not 0 <= value < 1:
        raise UserError(f"config.{field}={value!r} is not a fraction: give 0 or more and below 1")


def check_image_size(size: int) -> None:
    """Raises `UserError` unless `size` is 4 * 2**n with n >= 1 (8, 16, 32, 64, ...)."""
    stages = size // 4
    if size < 8 or size % 4 or stages & (stages - 1):
        raise UserError(
            f"config.data.image_size={size} is not 4*2^n: give 8, 16, 32, 64, 128 or 256"
        )


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which images, how they are brought to one size, and how they are split.

    The fields are those of `config.data`; `configs/base.py` says what each means.
    """

    source: str
    path: str | None
    image_size: int
    channels: int
    resize: str
    label: str | None
    group: str | None
    filename_pattern: str | None
    allow_missing: bool
    min_class_size: int
    small_classes: str
    official_test: bool
    num_folds: int
    fold: int
    test_fraction: float
    validation_fraction: float
    split_seed: int
    train_size: int | None
    train_size_per_class: bool
    cache_path: str | None
    # Work folders that were made before these were added lack them, here and below.
    licenses: str | None = None

    def __post_init__(self) -> None:
        check_image_size(self.image_size)
        one_of("data.channels", self.channels, (1, 3))
        one_of("data.resize", self.resize, ("stretch", "pad"))
        one_of("data.small_classes", self.small_classes, ("drop", "merge"))
        at_least("data.min_class_size", self.min_class_size, 0)
        fraction("data.test_fraction", self.test_fraction)
        fraction("data.validation_fraction", self.validation_fraction)
        if self.num_folds == 1 or self.num_folds < 0:
            raise UserError(
                f"config.data.num_folds={self.num_folds}: give 2 or more, or 0 for fractions"
            )
        if self.num_folds:
            one_of("data.fold", self.fold, range(self.num_folds))
        if self.train_size is not None:
            at_least("data.train_size", self.train_size, 1)


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """The two networks: the fields of `config.model`."""

    width: int
    latent_dim: int
    labels: str
    upsampling: str = "transposed"
    residual: bool = False
    attention: bool = False
    classifier_width: int = 32

    def __post_init__(self) -> None:
        one_of("model.upsampling", self.upsampling, ("transposed", "nearest"))
        for field in ("width", "latent_dim", "classifier_width"):
            at_least(f"model.{field}", getattr(self, field), 1)
        one_of("model.labels", self.labels, ("none", "per_class", "conditional"))


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings:
    """What the networks play for: the fields of `config.objective`; None follows the preset."""

    preset: str
    loss: str | None
    gradient_penalty: float | None
    r1: float | None
    spectral_norm: bool | None
    discriminator_norm: str | None
    critic_steps: int | None
    r1_every: int = 1
    lecam: float = 0.0
    label_smoothing: float = 0.0
    classifier_weight: float = 0.0
    private: bool = False
    noise_multiplier: float = 1.0
    clip_norm: float = 1.0
    epsilon: float = 10.0

    def __post_init__(self) -> None:
        for field in ("noise_multiplier", "clip_norm", "epsilon"):
            above(f"objective.{field}", getattr(self, field), 0)
        for field in ("gradient_penalty", "r1"):
            if getattr(self, field) is not None:
                at_least(f"objective.{field}", getattr(self, field), 0)
        at_least("objective.r1_every", self.r1_every, 1)
        for field in ("lecam", "classifier_weight"):
            at_least(f"objective.{field}", getattr(self, field), 0)
        fraction("objective.label_smoothing", self.label_smoothing)
        if self.critic_steps is not None:
            at_least("objective.critic_steps", self.critic_steps, 1)
        if self.discriminator_norm is not None:
            one_of(
                "objective.discriminator_norm", self.discriminator_norm, ("batch", "group", "none")
            )


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """The run: the fields of `config.train`; None follows the preset."""

    epochs: int
    steps: int | None
    batch_size: int
    learning_rate: float | None
    beta1: float | None
    beta2: float | None
    ema_half_life: float
    ema_ramp_up: float
    precision: str
    classes_at_once: int
    resident_megabytes: int
    log_every: int
    sample_every: int
    checkpoint_every: int
    keep_last: int
    keep_best: int
    on_divergence: str
    max_rollbacks: int
    divergence_limit: float
    patience: int = 0
    discriminator_learning_rate: float | None = None
    growing_steps: int = 0
    classifier_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "log_every", "sample_every", "checkpoint_every"):
            at_least(f"train.{field}", getattr(self, field), 1)
        if self.steps is not None:
            at_least("train.steps", self.steps, 1)
        for field in ("learning_rate", "discriminator_learning_rate"):
            if getattr(self, field) is not None:
                above(f"train.{field}", getattr(self, field), 0)
        above("train.classifier_learning_rate", self.classifier_learning_rate, 0)
        for field in ("beta1", "beta2"):
            if getattr(self, field) is not None:
                fraction(f"train.{field}", getattr(self, field))
        at_least("train.ema_half_life", self.ema_half_life, 0)
        above("train.ema_ramp_up", self.ema_ramp_up, 0)
        one_of("train.precision", self.precision, ("float32", "bfloat16"))
        at_least("train.keep_last", self.keep_last, 1)
        for field in ("classes_at_once", "resident_megabytes", "keep_best", "max_rollbacks",
                      "patience", "growing_steps"):  # fmt: skip
            at_least(f"train.{field}", getattr(self, field), 0)
        one_of("train.on_divergence", self.on_divergence, ("stop", "rollback"))
        above("train.divergence_limit", self.divergence_limit, 0)


@dataclasses.dataclass(frozen=True)
class AugmentSettings:
    """What is done to images before the discriminator: the fields of `config.augment`."""

    policy: str
    probability: float = 1.0
    adaptive: bool = False
    target: float = 0.6
    adaptation_images: float = 50_000.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise UserError(
                f"config.augment.probability={self.probability} is no probability: give 0 to 1"
            )
        fraction("augment.target", self.target)
        above("augment.adaptation_images", self.adaptation_images, 0)


@dataclasses.dataclass(frozen=True)
class EvaluateSettings:
    """How generators are measured: the fields of `config.evaluate`."""

    features: str
    resize: str
    every: int
    training_features: str

    def __post_init__(self) -> None:
        one_of("evaluate.resize", self.resize, ("tf1", "torch", "clean"))
        one_of("evaluate.training_features", self.training_features, ("classifier", "pixels"))
        at_least("evaluate.every", self.every, 0)


@dataclasses.dataclass(frozen=True)
class EmbedSettings:
    """How images are embedded: the fields of `config.embed`."""

    perplexity: float = 30.0
    num_images: int = 1000

    def __post_init__(self) -> None:
        above("embed.perplexity", self.perplexity, 0)
        at_least("embed.num_images", self.num_images, 2)


@dataclasses.dataclass(frozen=True)
class ClassifySettings:
    """The downstream study: the fields of `config.classify`; sequences may be lists or tuples."""

    arms: Sequence[str]
    train_sizes: Sequence[int]
    splits: Sequence[int]
    ratios: Sequence[float]
    reference_ratio: float
    filters: Sequence[str]
    filter_keep: float
    generator_seeds: Sequence[int]
    seeds: Sequence[int]
    architecture: str
    width: int
    steps: int
    batch_size: int
    weight_decay: float
    learning_rates: Sequence[float]
    flip: bool
    balanced: bool
    pseudo_label_weight: float
    endpoint: str
    endpoint_size: int
    endpoint_arm: str
    positive_class: str | None
    external: str | None
    shortcut: str | None
    paper: Sequence[tuple[str, str, float]]

    def __post_init__(self) -> None:
        for field in ("arms", "train_sizes", "splits", "ratios", "filters", "seeds",
                      "learning_rates", "generator_seeds"):  # fmt: skip
            if not len(getattr(self, field)):
                raise UserError(f"config.classify.{field} is empty: give one or more")
        for ratio in (*self.ratios, self.reference_ratio):
            above("classify.ratios", ratio, 0)
        for size in self.train_sizes:
            at_least("classify.train_sizes", size, 0)
        for field in ("seeds", "generator_seeds"):
            for seed in getattr(self, field):
                at_least(f"classify.{field}", seed, 0)
        for rate in self.learning_rates:
            above("classify.learning_rates", rate, 0)
        for field in ("width", "steps", "batch_size"):
            at_least(f"classify.{field}", getattr(self, field), 1)
        if not 0 < self.filter_keep <= 1:
            raise UserError(
                f"config.classify.filter_keep={self.filter_keep} is no share: give above 0, up to 1"
            )
        one_of("classify.architecture", self.architecture, ("cnn", "resnet"))
        one_of("classify.endpoint_size", self.endpoint_size, self.train_sizes)
        one_of("classify.endpoint_arm", self.endpoint_arm, self.arms)


def section(kind: type, name: str, values: Mapping[str, Any]) -> Any:
    """Builds the dataclass `kind` from the config section `name`.

    Raises:
        UserError: a field of the section is unknown or missing.
    """
    known = {field.name for field in dataclasses.fields(kind)}
    needed = {
        field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING
    }
    for field in sorted(set(values) - known):
        raise UserError(f"config.{name}.{field} is not a field: see configs/base.py")
    for field in sorted(needed - set(values)):
        raise UserError(f"config.{name}.{field} is missing: see configs/base.py")
    return kind(**values)


@dataclasses.dataclass(frozen=True)
class Settings:
    """A whole config, section by section."""

    seed: int
    data: DataSettings
    model: ModelSettings
    objective: ObjectiveSettings
    train: TrainSettings
    augment: AugmentSettings
    evaluate: EvaluateSettings
    embed: EmbedSettings
    classify: ClassifySettings

    def __post_init__(self) -> None:
        if self.train.patience and not self.evaluate.every:
            raise UserError(
                f"config.train.patience={self.train.patience} needs scores to wait for: set "
                "config.evaluate.every to the steps between them"
            )


SECTIONS = {
    "data": DataSettings,
    "model": ModelSettings,
    "objective": ObjectiveSettings,
    "train": TrainSettings,
    "augment": AugmentSettings,
    "evaluate": EvaluateSettings,
    "embed": EmbedSettings,
    "classify": ClassifySettings,
}


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Returns the settings of a config given as nested dictionaries.

    Raises:
      UserError: a section or a field is unknown or missing, or a value is not allowed.
    """
    for name in sorted(set(values) - set(SECTIONS) - {"seed"}):
        raise UserError(f"config.{name} is not a section: see configs/base.py")
    # Work folders that were made before it was added lack a section that has all defaults.
    values = {"embed": {}, **values}
    for name in sorted((set(SECTIONS) | {"seed"}) - set(values)):
        raise UserError(f"config.{name} is missing: see configs/base.py")
    sections = {name: section(kind, name, values[name]) for name, kind in SECTIONS.items()}
    return Settings(seed=values["seed"], **sections)


# Fields that say where, how long or how often, but not what a run computes: a work
# folder may be continued with other values of these.
_FREE_FIELDS = {
    "data.path",
    "data.cache_path",
    "objective.epsilon",
    "train.epochs",
    "train.steps",
    "train.resident_megabytes",
    "train.classes_at_once",
    "train.log_every",
    "train.sample_every",
    "train.checkpoint_every",
    "train.keep_last",
    "train.keep_best",
    "train.on_divergence",
    "train.max_rollbacks",
    "train.divergence_limit",
    "train.patience",
    "evaluate.every",
    "evaluate.features",
    "evaluate.resize",
    "evaluate.training_features",
    "embed.perplexity",
    "embed.num_images",
    "classify.arms",
    "classify.train_sizes",
    "classify.splits",
    "classify.ratios",
    "classify.filters",
    "classify.generator_seeds",
    "classify.seeds",
    "classify.endpoint_size",
    "classify.endpoint_arm",
    "classify.external",
    "classify.shortcut",
    "classify.paper",
}


def check_same_run(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    folder: str,
    ignored_section: str | None = None,
    bound: Collection[str] = (),
) -> None:
    """Raises `UserError` where two configs would not compute the same.

    Args:
      before: the config that the work folder was made with.
      now: the config of this call.
      folder: the work folder, for the message.
      ignored_section: one that takes no part in what the work folder holds.
      bound: fields that are free elsewhere and must agree here.
    """
    # As settings, in which fields that the folder is too old for have their defaults.
    before, now = (_flat(dataclasses.asdict(read_settings(each))) for each in (before, now))
    for field in sorted(set(before) | set(now)):
        free = field in _FREE_FIELDS and field not in bound
        if field.split(".")[0] == ignored_section or free:
            continue
        if before.get(field) != now.get(field):
            raise UserError(
                f"{folder} was made with config.{field}={before.get(field)!r}, not "
                f"{now.get(field)!r}: set it so, or choose another --workdir"
            )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested dictionaries as one, with names joined by dots."""
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            # JSON knows no tuples.
            flat[f"{prefix}{name}"] = list(value) if isinstance(value, tuple) else value
    return flat
