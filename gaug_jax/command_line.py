"""What every binary shares: its flags, and how its errors end.

A binary is a module with `define_flags(given)`, `main(given)` and a docstring, which is its help.
A user's mistake ends with one line on standard error and status 2, a diverged training with
status 1, an interrupted run with 128 and the number of the signal (docs/work_folder.md).
"""

import errno
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from gaug_jax.compiled_programs import keep_compiled_programs
from gaug_jax.errors import UserError
from gaug_jax.training.interrupts import SIGNALS

_HELP = {"-h", "-help", "--help", "--helpshort", "--helpfull"}
_UNWRITABLE = (
    errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG,
)  # fmt: skip


class Binary(NamedTuple):
    """A command.

    Attributes:
      define_flags: defines its flags in a set of flags.
      main: does its work, given that set after parsing.
      help: what is printed above the flags by `--help`.
    """

    define_flags: Callable[[flags.FlagValues], None]
    main: Callable[[flags.FlagValues], None]
    help: str


def define_config_flag(given: flags.FlagValues) -> None:
    """Defines `--config`, with overrides as `--config.section.field=value`."""
    from ml_collections import config_flags

    # Defined when the arguments are known: ml_collections looks for the overrides in them.
    arguments = given.arguments
    config_flags.DEFINE_config_file(
        "config",
        None,
        "A config file, such as configs/digits.py, or the name of one that comes with the project, "
        "such as digits_study; folder_study:style has another recipe. Any field of a config can be "
        "set beside it: --config.train.epochs=10.",
        flag_values=given,
        lock_config=True,
        sys_argv=arguments,
    )
    given["config"].parser = _ConfigParser(arguments)


class _ConfigParser(flags.ArgumentParser):
    """Loads a config's file; the parser of ml_collections does not say what is wrong with one."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = list(arguments)

    def parse(self, argument: str) -> Any:
        """Returns the config of a file, locked; it has the fields that are set beside it."""
        from gaug_jax.config_file import check_fields, read_config

        config = read_config(argument).lock()
        check_fields(config, _given_fields(self._arguments))
        return config


def _given_fields(arguments: Sequence[str]) -> list[str]:
    """Returns the names of the config's fields that the command line sets."""
    expanded = flags.FlagValues().read_flags_from_files(list(arguments), force_gnu=False)
    found = (re.match(r"--?(?:no)?config\.([^=]+)", argument) for argument in expanded)
    return [match[1] for match in found if match]


def given_settings(given: flags.FlagValues) -> Any:
    """Returns the `Settings` that the command line gives, or None where it gives none.

    Raises:
      UserError: a value of the config is not allowed.
    """
    from gaug_jax.settings import read_settings

    return read_settings(given.config.to_dict()) if given["config"].present else None


def define_workdir_flag(
    given: flags.FlagValues, *, made: bool = True, required: bool = True
) -> None:
    """Defines `--workdir`.

    Args:
      given: the binary's flags.
      made: whether the binary makes one that is absent.
      required: whether it needs one.
    """
    absent = "made if absent, continued if not" if made else "there must be one, of gaug_jax.main"
    text = f"Folder of the run: {absent}."
    flags.DEFINE_string("workdir", None, text, flag_values=given)
    flags.register_validator(
        "workdir",
        lambda value: value is None or bool(value.strip()),
        "is empty: give a folder of its own",
        flag_values=given,
    )
    if required:
        flags.mark_flag_as_required("workdir", flag_values=given)


def check_has_effect(given: flags.FlagValues, name: str, has_effect: bool, needed: str) -> None:
    """Raises `UserError` where a flag is given that does nothing without another one.

    Args:
      given: the binary's flags.
      name: of the flag.
      has_effect: whether the other one is given.
      needed: how the message calls the other one.
    """
    if given[name].present and not has_effect:
        raise UserError(f"--{name} has no effect without {needed}: give both or neither")


def define_feature_flags(
    given: flags.FlagValues, default: str | None, features: str, seed: str
) -> None:
    """Defines `--features`, `--seed` and `--inception_weights`.

    Args:
      given: the binary's flags.
      default: value of `--features` where it is not given.
      features: help of `--features`.
      seed: help of `--seed`.
    """
    flags.DEFINE_string("features", default, features, flag_values=given)
    flags.DEFINE_integer("seed", 0, seed, flag_values=given)
    text = "File of Inception's weights."
    flags.DEFINE_string("inception_weights", None, text, flag_values=given)


def given_features(given: flags.FlagValues) -> Any:
    """Returns the `EvaluationOptions` that these flags give."""
    from gaug_jax.stages.evaluate import EvaluationOptions

    return EvaluationOptions(given.features, None, given.seed, given.inception_weights)


def define_process_flags(given: flags.FlagValues) -> None:
    """Defines the flags of a run that several processes make."""
    flags.DEFINE_string(
        "coordinator_address", None, "Host and port of process 0.", flag_values=given
    )
    flags.DEFINE_integer(
        "num_processes", 1, "Processes that make this run.", lower_bound=1, flag_values=given
    )
    flags.DEFINE_integer(
        "process_id", 0, "Number of this process, from 0.", lower_bound=0, flag_values=given
    )


def connect_processes(given: flags.FlagValues) -> None:
    """Joins the other processes of this run, where the flags or SLURM say that there are some."""
    from gaug_jax import processes

    for name in ("num_processes", "process_id"):
        check_has_effect(given, name, bool(given.coordinator_address), "--coordinator_address")
    processes.connect(given.coordinator_address, given.num_processes, given.process_id)


def run(binary: Binary) -> None:
    """Parses the flags of this process and does a binary's work; does not return."""
    _prepare_process()
    status = 2
    try:
        status = call(binary, sys.argv[1:])
    finally:
        # Who ends what is done already shall see its status: from here on a signal changes
        # nothing, but for Ctrl-C, which ends.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else signal.SIG_IGN)
    sys.exit(status)


def call(binary: Binary, arguments: Sequence[str]) -> int:
    """Does a binary's work in this process, and returns its exit status.

    Args:
      binary: the command.
      arguments: its flags, as a shell would give them.
    """
    if _HELP.intersection(arguments):
        print(_help(binary))
        return 0
    try:
        binary.main(_parsed(binary, arguments))
        return 0
    except (UserError, flags.Error) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    except BrokenPipeError:  # Who reads the output has seen enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        return _failed(f"{error.filename or 'a file'} could not be written: {error.strerror}")
    except Exception as error:
        status = getattr(error, "exit_status", None)
        if status is None:
            raise
        return _failed(str(error), status)


def _parsed(binary: Binary, arguments: Sequence[str]) -> flags.FlagValues:
    """Returns a binary's flags.

    Raises:
      UserError: they cannot be parsed.
    """
    given = _Flags(arguments)
    binary.define_flags(given)
    try:
        rest = given([sys.argv[0], *arguments])
    except (flags.Error, TypeError, ValueError) as error:
        raise UserError(str(error)) from None
    if len(rest) > 1:
        raise UserError(f"{rest[1]!r} is not a flag: see --help")
    return given


class _Flags(flags.FlagValues):
    """The flags of one call, which remember the arguments that they are to be parsed from."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__()
        self.__dict__["arguments"] = list(arguments)


def _help(binary: Binary) -> str:
    """Returns a binary's docstring, and what each flag does."""
    given = _Flags([])
    binary.define_flags(given)
    lines = [binary.help.strip(), "", "Flags:", ""]
    for name in sorted(given):
        flag = given[name]
        shown = f"[no]{name}" if flag.boolean else name
        default = "" if flag.default is None else f" (default: {flag.default_as_str})"
        lines.append(flags.text_wrap(f"--{shown}: {flag.help}{default}", 100, "      ", "  "))
    return "\n".join(lines)


def _prepare_process() -> None:
    """Has this process keep its programs, end well when it is asked to, and say what it should."""
    # TensorFlow, which writes the events for TensorBoard, is to be silent about itself.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    keep_compiled_programs()
    for number in SIGNALS:
        signal.signal(number, _terminate)
    # A shell has what it starts in the background ignore Ctrl-C; here it is a wish to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.unraisablehook = _print_unraisable
    if hasattr(sys.stdout, "reconfigure"):  # Names are printed whatever the terminal's letters are.
        sys.stdout.reconfigure(errors="backslashreplace")
    _print_log_lines()


def _print_log_lines() -> None:
    """Sends what modules report as plain lines to standard output: standard error is for errors."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(message)s"))
    # orbax also raises what it reports, of every thread that it has.
    handler.addFilter(lambda record: "orbax" not in Path(record.pathname).parts)
    logging.getLogger().handlers = [handler]


def _print_unraisable(unraisable: Any) -> None:
    """Prints an error that nothing can catch, but for what follows from a save that has failed.

    Then orbax closes its loop, and tensorstore calls it all the same for every other array.
    """
    if str(unraisable.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(unraisable)


def _terminate(number: int, frame: object) -> None:
    """Ends the process as a shell would report it, before there is anything to save."""
    sys.exit(128 + number)


def _failed(message: str, status: int = 2) -> int:
    """Prints one line and returns the status; to have been stopped is no error."""
    prefix = "" if status > 128 else "error: "
    line = " ".join(message.split()) or "unknown error"
    print(prefix + line, file=sys.stderr, flush=True)
    return status
