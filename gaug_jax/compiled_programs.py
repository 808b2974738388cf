"""What JAX compiles is kept from one run to the next, in the user's cache."""

import glob
import hashlib
import logging
import os
import platform
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from gaug_jax.user_cache import user_cache_folder

_FAILED = re.compile(
    r"Error (?P<doing>reading|writing) persistent compilation cache entry for "
    r"'(?P<program>[^']+)': (?P<why>.*)",
    re.DOTALL,
)


def keep_compiled_programs() -> None:
    """Has JAX keep what it compiles; to be called before it compiles.

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
    if os.environ["JAX_COMPILATION_CACHE_DIR"]:
        _mend(Path(os.environ["JAX_COMPILATION_CACHE_DIR"]))


def _processor() -> str:
    """Returns a short name of this kind of processor: its instruction set, and the flags' hash."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def _mend(folder: Path) -> None:
    """Has programs that were kept in part removed.

    JAX writes them in place and never over one that is there: of a run that was killed or found
    the disk full, the part would stay, warned of and compiled anew by every run after it. A run
    that reads what another one is writing meets the same.
    """
    shown, said = warnings.showwarning, []
    if getattr(shown, "mended", None) == folder:
        return

    def show(message: Any, category: Any, *others: Any, **more: Any) -> None:
        failed = _FAILED.fullmatch(str(message))
        if failed is None:
            shown(message, category, *others, **more)
            return
        for path in folder.glob(f"{glob.escape(failed['program'])}-*-cache"):
            path.unlink(missing_ok=True)
        if failed["doing"] == "writing" and not said:
            said.append(folder)
            text = "what is compiled cannot be kept in %s (%s): each run compiles it anew"
            logging.getLogger(__name__).warning(text, folder, failed["why"])

    show.mended = folder  # Several binaries of one process add it once.
    warnings.showwarning = show
