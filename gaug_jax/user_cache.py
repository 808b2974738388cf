"""Where files that can be made again are kept between runs, for each user."""

import os
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns `$GAUG_CACHE`, or `gaug_jax` in the user's cache folder."""
    if os.environ.get("GAUG_CACHE"):
        return Path(os.environ["GAUG_CACHE"])
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "gaug_jax"
