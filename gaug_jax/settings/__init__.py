"""The config: one frozen dataclass a section, in which every field has its default and meaning.

A new field is one line in its section's file, and its use. `configs/base.py` and the reference of
the config's fields are made from these classes.
"""

from gaug_jax.settings.augment import AugmentSettings
from gaug_jax.settings.classify import ClassifySettings
from gaug_jax.settings.config import SECTIONS, Settings, read_settings
from gaug_jax.settings.data import DataSettings
from gaug_jax.settings.embed import EmbedSettings
from gaug_jax.settings.evaluate import EvaluateSettings
from gaug_jax.settings.model import ModelSettings
from gaug_jax.settings.objective import ObjectiveSettings
from gaug_jax.settings.same_run import check_same_run
from gaug_jax.settings.train import TrainSettings

__all__ = [
    "SECTIONS",
    "AugmentSettings",
    "ClassifySettings",
    "DataSettings",
    "EmbedSettings",
    "EvaluateSettings",
    "ModelSettings",
    "ObjectiveSettings",
    "Settings",
    "TrainSettings",
    "check_same_run",
    "read_settings",
]
