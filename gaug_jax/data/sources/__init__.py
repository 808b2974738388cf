"""Sources by name: each turns a copy on disk, or nothing, into records.

A source is a function of the data settings that returns `SourceData`. A new one is a
file here and a line in `SOURCES`.
"""

import difflib
from collections.abc import Callable

from gaug_jax.data.record import SourceData
from gaug_jax.data.sources import (
    banglalekha_isolated,
    cmaterdb,
    covid_chestxray,
    digits,
    folder,
    npz,
    published,
    table,
    tfds_source,
)
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

SOURCES: dict[str, Callable[[DataSettings], SourceData]] = {
    "digits": digits.read,
    "covid_chestxray": covid_chestxray.read,
    "banglalekha_isolated": banglalekha_isolated.read,
    "cmaterdb": cmaterdb.read,
    "folder": folder.read,
    "npz": npz.read,
    "table": table.read,
    **published.readers(),
}

_TFDS = "tfds:"


def read_source(settings: DataSettings) -> SourceData:
    """Returns the records of `settings.source`.

    Raises:
      UserError: the source is not known, or its data is absent or not as it should be.
    """
    if settings.source.startswith(_TFDS):
        return tfds_source.read(settings, settings.source.removeprefix(_TFDS))
    if settings.source not in SOURCES:
        close = difflib.get_close_matches(settings.source, SOURCES, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        names = ", ".join([*SOURCES, "tfds:<name>"])
        raise UserError(
            f"config.data.source={settings.source!r} is not known{hint}: choose one of {names}"
        )
    return SOURCES[settings.source](settings)
