"""The config at its defaults. The other files are deltas.

Every field, with its meaning and default, is defined once, in gaug_jax/settings; docs/config.md
lists them. A field left unset (a placeholder) follows what its meaning says; an explicit value
wins.
"""

from ml_collections import ConfigDict, config_dict

from gaug_jax.settings import SECTIONS, Settings
from gaug_jax.settings.fields import fields_of


def _section(kind: type) -> ConfigDict:
    """Returns the fields of a dataclass at their defaults."""
    section = ConfigDict()
    for field in fields_of(kind):
        unset = field.default is None
        section[field.name] = config_dict.placeholder(field.kind) if unset else field.default
    return section


def get_config() -> ConfigDict:
    """Returns all sections at their defaults."""
    config = _section(Settings)
    for name, kind in SECTIONS.items():
        config[name] = _section(kind)
    return config
