"""A sweep: the runs that a file describes, checked before anything starts."""

import dataclasses
import re
import runpy
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gaug_jax.config_file import check_fields, read_config
from gaug_jax.errors import UserError
from gaug_jax.files import read_json
from gaug_jax.gan.spec import make_spec
from gaug_jax.settings import Settings, read_settings

COMMANDS = ("main", "classify", "study")
_NAMES_SHOWN = 3
_NAME = re.compile(r"[\w.+-]+")


@dataclasses.dataclass(frozen=True)
class SweepRun:
    """One run of a sweep.

    Attributes:
      name: of its folder, once in a sweep.
      config: path of the config's file.
      command: binary of `gaug_jax` that makes it.
      overrides: fields of the config, as `section.field`, with their values.
      evaluate: features that `gaug_jax.evaluate` then measures it by; None for not at all.
    """

    name: str
    config: str
    command: str
    overrides: dict[str, Any]
    evaluate: str | None = None

    def commands(self, workdir: Path) -> list[list[str]]:
        """Returns the modules to be called one after another, each with its arguments."""
        fields = [f"--config.{name}={value}" for name, value in self.overrides.items()]
        place = f"--workdir={workdir}"
        calls = [[f"gaug_jax.{self.command}", f"--config={self.config}", *fields, place]]
        if self.evaluate:
            calls.append(["gaug_jax.evaluate", f"--features={self.evaluate}", place])
        return calls


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What a file describes.

    Attributes:
      runs: all of them.
      paper: what a paper reports of groups of runs (names without the seed), as text.
    """

    runs: list[SweepRun]
    paper: dict[str, str]


def read_sweep(path: str, given: Sequence[tuple[str, str, Any]] = ()) -> Sweep:
    """Returns the sweep of a file that defines `sweep(add)` and perhaps `PAPER`, checked.

    Args:
      path: of the file.
      given: overrides beside the file's, such as where the data is: pattern of the runs' names
        (as of shells), field and value.

    Raises:
      UserError: there is no such file or sweep, two runs have one name, a run's config does not
        take an override (the message names the run), or a pattern is of no run.
    """
    if not Path(path).is_file():
        raise UserError(f"--sweep={path} does not exist: give a file such as "
                        "launch/sweeps/objectives.py")  # fmt: skip
    try:
        defined = runpy.run_path(path)
    except Exception as error:  # The file is a program of the user's.
        raise UserError(f"--sweep={path} cannot be loaded: {error!r}") from None
    sweep = defined.get("sweep")
    if sweep is None:
        raise UserError(f"{path} defines no sweep(add)")
    runs: dict[str, SweepRun] = {}

    def add(
        name: str,
        *,
        config: str,
        command: str = "main",
        evaluate: str | None = None,
        **overrides: Any,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise UserError(f"run {name!r}: a name has letters, digits and _ . + - alone")
        if name in runs:
            raise UserError(f"run {name}: there are two of this name in {path}")
        for field, value in overrides.items():
            if value is None:
                raise UserError(
                    f"run {name}: {field}=None cannot be given on a command line: leave it out, or "
                    "make a config of its own"
                )
        more = {field: value for pattern, field, value in given if fnmatchcase(name, pattern)}
        runs[name] = SweepRun(name, config, command, overrides | more, evaluate)
        _check(runs[name])

    try:
        sweep(add)
    except TypeError as error:
        raise UserError(f"--sweep={path}: {error}") from None
    if not runs:
        raise UserError(f"{path} adds no run")
    for pattern, field, value in given:
        if not any(fnmatchcase(name, pattern) for name in runs):
            some = ", ".join(list(runs)[:_NAMES_SHOWN])
            raise UserError(
                f"--set={pattern}:{field}={value} is for no run of {path}: its {len(runs)} runs "
                f"have names such as {some}"
            )
    return Sweep(list(runs.values()), defined.get("PAPER", {}))


def settings_of(run: SweepRun) -> Settings:
    """Returns the settings of a run, with its overrides.

    Raises:
      UserError: the file is no config, or has no such field.
      TypeError or ValueError: it does not take a value.
    """
    config = read_config(run.config).lock()
    check_fields(config, run.overrides)
    config.update_from_flattened_dict(run.overrides)
    return read_settings(config.to_dict())


def read_runs(path: Path) -> dict[str, SweepRun]:
    """Returns the runs that a root's `sweep.json` describes, by their names."""
    return {values["name"]: SweepRun(**values) for values in read_json(path)["runs"]}


def _check(run: SweepRun) -> None:
    """Raises `UserError` unless a run's config takes its overrides."""
    if run.command not in COMMANDS:
        raise UserError(f"run {run.name}: command {run.command!r} is not one of {COMMANDS}")
    try:
        make_spec(settings_of(run), num_classes=2)
    except (UserError, TypeError, ValueError) as error:
        raise UserError(f"run {run.name}: {' '.join(str(error).split())}") from None
