"""Runs the binaries as a user does: in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# A run of seconds on the embedded digits.
TINY = [
    "--config=configs/digits.py",
    "--config.data.image_size=8",
    "--config.model.width=4",
    "--config.train.batch_size=8",
]


def command(module, *arguments):
    """Returns the command line of a binary."""
    return [sys.executable, "-m", f"gaug_jax.{module}", *map(str, arguments)]


def environment(num_devices=1):
    """Returns this process's environment with so many CPU devices."""
    flag = f"--xla_force_host_platform_device_count={num_devices}"
    return {**os.environ, "XLA_FLAGS": flag}


def run(module, *arguments, num_devices=1, **options):
    """Runs a binary to its end."""
    return subprocess.run(
        command(module, *arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(num_devices),
        check=False,
        **options,
    )


def refused(module, *arguments, **options):
    """Runs a binary that must refuse; returns its one line on standard error."""
    result = run(module, *arguments, **options)
    assert result.returncode == 2, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]
