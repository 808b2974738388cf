"""What every binary shares: its flags, and how its errors end.

A user's mistake ends with one line on standard error and status 2, a diverged
training with status 1, an interrupted run with 130 or 143.
"""

import errno
import logging as python_logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import app, flags, logging

from gaug_jax.settings import UserError
from gaug_jax.training.interrupts import SIGNALS
from gaug_jax.user_cache import keep_compiled_programs


def define_config_flag(default: str | None = None) -> None:
    """Defines `--config`, with overrides as `--config.section.field=value`."""
    from ml_collections import config_flags

    config_flags.DEFINE_config_file(
        "config",
        default,
        "A config file, such as configs/digits.py. Any field of configs/base.py can be set beside "
        "it: --config.train.epochs=10.",
        lock_config=True,
    )
    flags.FLAGS["config"].parser = _ConfigParser()


class _ConfigParser(flags.ArgumentParser):
    """Loads a config's file; the parser of ml_collections does not say what is wrong with one."""

    def parse(self, argument: str) -> Any:
        """Returns the config of a file, locked; it has the fields that are set beside it."""
        from gaug_jax.pipeline.config_file import check_fields, read_config

        config = read_config(argument).lock()
        check_fields(config, _given_fields())
        return config


def _given_fields() -> list[str]:
    """Returns the names of the config's fields that the command line sets."""
    arguments = flags.FLAGS.read_flags_from_files(sys.argv, force_gnu=False)
    found = (re.match(r"--?(?:no)?config\.([^=]+)", argument) for argument in arguments)
    return [match[1] for match in found if match]


def given_config() -> Any:
    """Returns the config that the command line gives, or None where it gives none."""
    return flags.FLAGS.config if flags.FLAGS["config"].present else None


def define_workdir_flag(made: bool = True, required: bool = True) -> None:
    """Defines `--workdir`.

    Args:
      made: whether the binary makes one that is absent.
      required: whether it needs one.
    """
    absent = "made if absent, continued if not" if made else "there must be one, of gaug_jax.main"
    flags.DEFINE_string("workdir", None, f"Folder of the run: {absent}.")
    if required:
        flags.mark_flag_as_required("workdir")


def check_has_effect(name: str, has_effect: bool, needed: str) -> None:
    """Raises `UserError` where a flag is given that does nothing without another one.

    Args:
      name: of the flag.
      has_effect: whether the other one is given.
      needed: how the message calls the other one.
    """
    if flags.FLAGS[name].present and not has_effect:
        raise UserError(f"--{name} has no effect without {needed}: give both or neither")


def define_feature_flags(default: str | None, features: str, seed: str) -> None:
    """Defines `--features`, `--seed` and `--inception_weights`.

    Args:
      default: features.
      features: help of the first.
      seed: help of the second.
    """
    flags.DEFINE_string("features", default, features)
    flags.DEFINE_integer("seed", 0, seed)
    flags.DEFINE_string("inception_weights", None, "File of Inception's weights.")


def given_features() -> Any:
    """Returns the `EvaluationOptions` that these flags give."""
    from gaug_jax.pipeline.evaluation import EvaluationOptions

    given = flags.FLAGS
    return EvaluationOptions(given.features, None, given.seed, given.inception_weights)


def define_process_flags() -> None:
    """Defines the flags of a run that several processes make."""
    flags.DEFINE_string("coordinator_address", None, "Host and port of process 0.")
    flags.DEFINE_integer("num_processes", 1, "Processes that make this run.", lower_bound=1)
    flags.DEFINE_integer("process_id", 0, "Number of this process, from 0.", lower_bound=0)


def connect_processes() -> None:
    """Joins the other processes of this run, where the flags or SLURM say that there are some."""
    from gaug_jax import processes

    given = flags.FLAGS
    for name in ("num_processes", "process_id"):
        check_has_effect(name, bool(given.coordinator_address), "--coordinator_address")
    processes.connect(given.coordinator_address, given.num_processes, given.process_id)


def run(main: Callable[[], None], help_text: str) -> None:
    """Parses the flags and runs `main`; does not return.

    Args:
      main: the binary's work; it reads its flags itself.
      help_text: printed above the flags by `--help`.
    """
    # TensorFlow, which writes the events for TensorBoard, is to be silent about itself.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    keep_compiled_programs()
    sys.modules["__main__"].__doc__ = help_text
    for number in SIGNALS:
        signal.signal(number, _terminate)
    # A shell has what it starts in the background ignore Ctrl-C; here it is a wish to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.unraisablehook = _print_unraisable
    _print_log_lines()
    python_logging.getLogger("orbax").setLevel(python_logging.ERROR)
    logging.set_verbosity(logging.WARNING)
    app.run(lambda arguments: sys.exit(_run_to_the_end(main)), flags_parser=_parse)


def _run_to_the_end(main: Callable[[], None]) -> int:
    """Returns the exit status; from then on a signal changes nothing, but for Ctrl-C, which ends.

    A scheduler that terminates what is done already shall see that status.
    """
    try:
        return _guarded(main)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else signal.SIG_IGN)


def _print_log_lines() -> None:
    """Sends what modules report as plain lines to standard output: standard error is for errors."""
    logging.use_absl_handler()
    handler = logging.get_absl_handler()
    handler.setFormatter(python_logging.Formatter("%(message)s"))
    handler.python_handler.stream = sys.stdout
    # orbax also raises what it reports, of every thread that it has.
    handler.addFilter(lambda record: "orbax" not in Path(record.pathname).parts)


def _print_unraisable(unraisable: Any) -> None:
    """Prints an error that nothing can catch, but for what follows from a save that has failed.

    Then orbax closes its loop, and tensorstore calls it all the same for every other array.
    """
    if str(unraisable.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(unraisable)


def _terminate(number: int, frame: object) -> None:
    """Ends the process as a shell would report it, before there is anything to save."""
    sys.exit(128 + number)


def _parse(arguments: Sequence[str]) -> list[str]:
    """Parses the flags; what cannot be parsed is the user's mistake."""
    try:
        rest = flags.FLAGS(list(arguments))
    except (flags.Error, UserError, TypeError, ValueError) as error:
        _fail(str(error))
    except SystemExit as end:
        # absl ends a call for help as an error.
        sys.exit(0 if end.code == 1 else end.code)
    if len(rest) > 1:
        _fail(f"{rest[1]!r} is not a flag: see --help")
    return rest


def _first_line(text: str) -> str:
    """Returns a message as one line."""
    return " ".join(text.split()) or "unknown error"


def _fail(message: str, status: int = 2) -> None:
    """Prints one line and ends the process; to have been stopped is no error."""
    prefix = "" if status > 128 else "error: "
    print(prefix + _first_line(message), file=sys.stderr, flush=True)
    sys.exit(status)


def _guarded(main: Callable[[], None]) -> int:
    """Runs the binary's work and returns its exit status."""
    try:
        main()
        return 0
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:  # Who reads the output has seen enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EFBIG):
            raise
        _fail(f"{error.filename or 'a file'} could not be written: {error.strerror}")
    except Exception as error:
        status = getattr(error, "exit_status", None)
        if status is None:
            raise
        _fail(str(error), status)
    return 1
