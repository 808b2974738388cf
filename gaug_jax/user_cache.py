"""Where files that can be made again are kept between runs, for each user."""

import hashlib
import os
import platform
import sys
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns `$GAUG_CACHE`, or `gaug_jax` in the user's cache folder."""
    if os.environ.get("GAUG_CACHE"):
        return Path(os.environ["GAUG_CACHE"])
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "gaug_jax"


def keep_compiled_programs() -> None:
    """Has JAX keep what it compiles from one run to the next; to be called before it compiles.

    Programs for a CPU use what that CPU can do, and home folders are shared between
    machines, so that each kind of processor has a folder. `JAX_COMPILATION_CACHE_DIR`
    and JAX's other variables win.
    """
    folder = user_cache_folder() / "compiled" / _processor()
    options = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.2,
        "jax_persistent_cache_min_entry_size_bytes": 0,
    }
    for name, value in options.items():
        if name.upper() in os.environ:
            continue
        os.environ[name.upper()] = str(value)
        if "jax" in sys.modules:  # Which reads its variables when it is imported.
            sys.modules["jax"].config.update(name, value)


def _processor() -> str:
    """Returns a short name of this kind of processor: its instruction set, and the flags' hash."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"
