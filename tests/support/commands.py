"""Runs the binaries as a user does: in this process, or in one of their own."""

import contextlib
import importlib
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

# A run of seconds on the embedded digits.
TINY = [
    "--config=configs/digits.py",
    "--config.data.image_size=8",
    "--config.model.width=4",
    "--config.train.batch_size=8",
]

# With TINY: fits of a small network whose tuning ends at its grid, and which go on at chance.
TINY_FITS = [
    "--config.classify.architecture=cnn",
    "--config.classify.widenings=0",
    "--config.classify.step_widenings=0",
    "--config.classify.ignore_floor=True",
    "--config.classify.steps=4",
    "--config.classify.width=4",
    "--config.classify.batch_size=8",
]


class Result(NamedTuple):
    """How a command ended, as `subprocess.run` says it."""

    returncode: int
    stdout: str
    stderr: str


def command(module, *arguments):
    """Returns the command line of a binary."""
    return [sys.executable, "-m", f"gaug_jax.{module}", *map(str, arguments)]


def environment(num_devices=1):
    """Returns this process's environment with so many CPU devices."""
    flag = f"--xla_force_host_platform_device_count={num_devices}"
    return {**os.environ, "XLA_FLAGS": flag}


def run_apart(module, *arguments, num_devices=1, more_environment=None, **options):
    """Runs a binary to its end in a process of its own."""
    return subprocess.run(
        command(module, *arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment(num_devices), **(more_environment or {})},
        check=False,
        **options,
    )


def run(module, *arguments, package="gaug_jax"):
    """Runs a binary to its end in this process, on its four devices.

    What is no ending of a binary's own (a traceback and status 1 for the user) is raised.
    """
    from gaug_jax import command_line

    binary = importlib.import_module(f"{package}.{module}").BINARY
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        _log_lines_to(output),
    ):
        status = command_line.call(binary, [str(argument) for argument in arguments])
    return Result(status, output.getvalue(), errors.getvalue())


@contextlib.contextmanager
def _log_lines_to(stream):
    """Has what modules report end as lines of the command's output, as `command_line` does."""
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(lambda record: "orbax" not in Path(record.pathname).parts)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def refused(module, *arguments, **options):
    """Runs a binary that must refuse; returns its one line on standard error."""
    result = run(module, *arguments, **options)
    assert result.returncode == 2, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]
