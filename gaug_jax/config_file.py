"""A config's file and the fields that are set beside it: what is wrong with them, in one line."""

import copy
import difflib
import os
import re
import runpy
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from gaug_jax.errors import UserError, in_short
from gaug_jax.settings import SECTIONS, Settings, read_settings
from gaug_jax.settings.fields import fields_of

# A config by its name, by its file, or itself.
Config = str | os.PathLike[str] | ConfigDict

_A_CONFIG = "a Python file whose get_config() returns a config, such as configs/digits.py"
# Below this likeness a guess at what was meant misleads.
_LIKENESS = 0.8


def read_config(path: str) -> ConfigDict:
    """Returns the config that the `get_config` of a file returns.

    Args:
      path: of the file, or the name of a config that comes with the project, such as
        `digits_study`; after a colon there may be the name of a recipe (configs/recipes.py).

    Raises:
      UserError: there is no such file, it is not Python, an error ends it, or it is no config; the
        message names the file and, where there is one, the line.
    """
    path, recipe = _path_and_recipe(path)
    try:
        defined = runpy.run_path(path)
        config = defined["get_config"](*recipe) if "get_config" in defined else None
    except SyntaxError as error:
        raise UserError(
            f"{_place(path, error.filename, error.lineno)}: {error.msg}: give {_A_CONFIG}"
        ) from None
    except (Exception, SystemExit) as error:  # The file is a program of the user's.
        raise UserError(f"{_place_of(error, path)}: {_words(error)}") from None
    if not isinstance(config, ConfigDict):
        raise UserError(f"--config={path} is not a config: give {_A_CONFIG}")
    return config


def _path_and_recipe(given: str) -> tuple[str, tuple[str, ...]]:
    """Returns the path of a config's file, and the recipe that stands after it, if any.

    Raises:
      UserError: there is no such file, or it takes no recipe.
    """
    name, colon, recipe = given.rpartition(":")
    if Path(given).is_file() or not colon:
        return given if Path(given).is_file() else _shipped(given), ()
    path = name if Path(name).is_file() else _shipped(name)
    if not re.search(r"^def get_config\(\w", Path(path).read_text(), re.MULTILINE):
        raise UserError(f"--config={name} takes no recipe: leave out ':{recipe}'")
    return path, (recipe,)


def settings_of(config: Config, changes: Mapping[str, Any] | None = None) -> Settings:
    """Returns the settings of a config with other values of some fields.

    Args:
      config: its name, its file or itself, which is not changed.
      changes: values by the names of fields, as `section.field`.

    Raises:
      UserError: as of `read_config`, a field is unknown, or a value is not allowed.
    """
    is_config = isinstance(config, ConfigDict)
    config = copy.deepcopy(config) if is_config else read_config(os.fspath(config))
    changes = dict(changes or {})
    check_fields(config, changes)
    for name, value in changes.items():
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        value = tuple(value) if isinstance(value, list) else value
        try:
            if value is None and name not in _may_be_unset():
                raise TypeError
            config.update_from_flattened_dict({name: value})
        except (TypeError, ValueError):
            raise UserError(
                f"config.{name}={in_short(repr(value))}: the field takes no "
                f"{type(value).__name__}: see docs/config.md"
            ) from None
    return read_settings(config.to_dict())


def _may_be_unset() -> set[str]:
    """Returns the names of the fields that may be None."""
    return {
        f"{section}.{each.name}"
        for section, kind in SECTIONS.items()
        for each in fields_of(kind)
        if each.default is None
    }


def _shipped(name: str) -> str:
    """Returns the path of a config that comes with the project.

    Args:
      name: its file's name without the ending, or the path that it has in the repository.

    Raises:
      UserError: there is none of this name.
    """
    # Beside the package, in a checkout as where a wheel was installed.
    folder = Path(__file__).resolve().parents[1] / "configs"
    found = re.fullmatch(r"(?:configs/)?([a-z0-9_]+)(?:\.py)?", name)
    if found and (folder / f"{found[1]}.py").is_file():
        return str(folder / f"{found[1]}.py")
    files = sorted(folder.glob("[a-z]*.py"))
    names = [path.stem for path in files if "def get_config" in path.read_text()]
    raise UserError(
        f"--config={name} does not exist: give {_A_CONFIG}, or one of {', '.join(names)}"
    )


def _place(path: str, file: str | None, line: int | None) -> str:
    """Returns where a config's file went wrong: in itself, or in a file that it imports."""
    imported = f", in {file}" if file not in (None, path) else ""
    return f"--config={path}{imported}" + (f", line {line}" if line else "")


def _place_of(error: BaseException, path: str) -> str:
    """Returns the last line of a config's file that an error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    return _place(path, path, lines[-1] if lines else None)


def _words(error: BaseException) -> str:
    """Returns an error's kind and message; ml_collections raises one error as text of another."""
    kind = type(error).__name__
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    # As text a `KeyError` would be in quotes; the other fields are objects without a name.
    message = str(error.args[0] if isinstance(error, KeyError) else error)
    return f"{kind}: {in_short(re.sub('Other fields present: .*', '', message))}"


def check_fields(config: ConfigDict, names: Iterable[str]) -> None:
    """Raises `UserError` where a config lacks one of these fields; says which may be meant.

    A section is no field: a value in its place would lose what the config says in it.

    Args:
      config: whose fields they are to be.
      names: of fields, as `section.field`.
    """
    known = list(_names(config))
    for name in names:
        if name in SECTIONS:
            raise UserError(
                f"--config.{name} is a section: give its fields, each as --config.{name}.<field>"
            )
        if name not in known:
            meant = _like(name, known)
            advice = f"did you mean {meant}?" if meant else "see docs/config.md"
            raise UserError(f"--config.{name}: no such field; {advice}")


def _names(config: ConfigDict, prefix: str = "") -> Iterator[str]:
    """Yields the names of all sections and fields."""
    for name in config:
        yield prefix + name
        if config.get_type(name) is ConfigDict:
            yield from _names(config[name], f"{prefix}{name}.")


def _like(name: str, known: list[str]) -> str:
    """Returns the fields that a name may mean, those of this name in any section first."""
    last = name.rpartition(".")[2]
    elsewhere = [field for field in known if field.rpartition(".")[2] == last]
    return " or ".join(elsewhere or difflib.get_close_matches(name, known, 1, _LIKENESS))
