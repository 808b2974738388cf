"""Whether a work folder may be continued with a config."""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

from gaug_jax.errors import UserError
from gaug_jax.settings.config import SECTIONS, Settings
from gaug_jax.settings.fields import Field, fields_of


def check_same_run(
    before: Settings,
    now: Settings,
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
      bound: fields that may change elsewhere and must agree here, as `section.field`.
    """
    old, new = dict(_values(before)), dict(_values(now))
    for name, each in _fields():
        section = name.rpartition(".")[0]
        if section == ignored_section or (each.may_change and name not in bound):
            continue
        if old[name] != new[name]:
            raise UserError(
                f"{folder} was made with config.{name}={_plain(old[name])!r}, not "
                f"{_plain(new[name])!r}: set it so, or choose another --workdir"
            )


def _fields() -> Iterator[tuple[str, Field]]:
    """Yields every field with its name as `section.field`, in alphabetical order."""
    named = [
        (f"{name}.{each.name}", each) for name in SECTIONS for each in fields_of(SECTIONS[name])
    ]
    named += [(each.name, each) for each in fields_of(Settings)]
    yield from sorted(named)


def _values(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yields the value of every field by its name as `section.field`."""
    for each in fields_of(Settings):
        yield each.name, getattr(settings, each.name)
    for section in SECTIONS:
        for name, value in dataclasses.asdict(getattr(settings, section)).items():
            yield f"{section}.{name}", value


def _plain(value: Any) -> Any:
    """Returns a value as messages show it."""
    return list(value) if isinstance(value, tuple) else value
