"""A whole config as frozen dataclasses, made from nested dictionaries and given back as such."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gaug_jax.errors import UserError
from gaug_jax.settings.augment import AugmentSettings
from gaug_jax.settings.classify import ClassifySettings
from gaug_jax.settings.data import DataSettings
from gaug_jax.settings.embed import EmbedSettings
from gaug_jax.settings.evaluate import EvaluateSettings
from gaug_jax.settings.fields import field, fields_of
from gaug_jax.settings.model import ModelSettings
from gaug_jax.settings.objective import ObjectiveSettings
from gaug_jax.settings.train import TrainSettings

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


@dataclasses.dataclass(frozen=True)
class Settings:
    """A whole config, section by section; sequences are tuples."""

    seed: int = field(
        0, "Seed of the generator's training; the split has its own (data.split_seed)."
    )
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    train: TrainSettings = TrainSettings()
    augment: AugmentSettings = AugmentSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    embed: EmbedSettings = EmbedSettings()
    classify: ClassifySettings = ClassifySettings()

    def __post_init__(self) -> None:
        if self.train.patience and not self.evaluate.every:
            raise UserError(
                f"config.train.patience={self.train.patience} needs scores to wait for: set "
                "config.evaluate.every to the steps between them"
            )

    def to_dict(self) -> dict[str, Any]:
        """Returns the config as nested dictionaries, as a work folder's `config.json` has it."""
        return dataclasses.asdict(self)

    def of_data(self, **changes: Any) -> "Settings":
        """Returns the same settings with other values of fields of `data`."""
        return dataclasses.replace(self, data=dataclasses.replace(self.data, **changes))


def read_settings(values: Mapping[str, Any], *, stored: bool = False) -> Settings:
    """Returns the settings of a config given as nested dictionaries.

    A field or a section that is absent has its default, or means what it meant before it was
    there: a work folder is older than some.

    Args:
      values: the config.
      stored: whether it is a work folder's.

    Raises:
      UserError: a section or a field is unknown, the seed is missing, or a value is not allowed.

    Example:
      >>> settings = read_settings({"seed": 3, "train": {"steps": 10}})
      >>> settings.train.steps, settings.train.batch_size
      (10, 32)
    """
    for name in sorted(set(values) - set(SECTIONS) - {"seed"}):
        raise UserError(f"config.{name} is not a section: see docs/config.md")
    if "seed" not in values:
        raise UserError("config.seed is missing: this is no config of gaug_jax")
    sections = {
        name: _section(kind, name, values.get(name, {}), stored) for name, kind in SECTIONS.items()
    }
    return Settings(seed=values["seed"], **sections)


def _section(kind: type, name: str, values: Mapping[str, Any], stored: bool) -> Any:
    """Returns the dataclass `kind` of the config's section `name`."""
    known = {each.name for each in dataclasses.fields(kind)}
    for unknown in sorted(set(values) - known):
        raise UserError(f"config.{name}.{unknown} is not a field: see docs/config.md")
    if stored:
        older = {each.name: each.before for each in fields_of(kind) if each.before is not None}
        values = {**older, **values}
    words = {each.name for each in fields_of(kind) if each.kind == Sequence[str]}
    return kind(
        **{
            field_name: _split(_frozen(value)) if field_name in words else _frozen(value)
            for field_name, value in values.items()
        }
    )


def _split(value: Any) -> Any:
    """Returns words with each that holds commas as several.

    `--config.classify.arms=real,classical` comes as one word; no word of a field has a comma.
    """
    if not isinstance(value, tuple) or not all(isinstance(word, str) for word in value):
        return value
    return tuple(part.strip() for word in value for part in word.split(",") if part.strip())


def _frozen(value: Any) -> Any:
    """Returns a value with tuples in the place of lists: JSON knows no tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
