"""Where files that can be made again are kept between runs, for each user."""

import hashlib
import os
import platform
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns `$GAUG_CACHE`, or `gaug_jax` in the user's cache folder."""
    if os.environ.get("GAUG_CACHE"):
        return Path(os.environ["GAUG_CACHE"])
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "gaug_jax"


def keep_compiled_programs() -> None:
    """Has JAX keep what it compiles from one run to the next; to be called before it is imported.

    Programs for a CPU use what that CPU can do, and home folders are shared between
    machines, so that each kind of processor has a folder. `JAX_COMPILATION_CACHE_DIR`
    and JAX's other variables win.
    """
    folder = user_cache_folder() / "compiled" / _processor()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")


def _processor() -> str:
    """Returns a short name of this kind of processor: its instruction set, and the flags' hash."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"
