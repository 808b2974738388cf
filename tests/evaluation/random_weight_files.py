"""Random weights in the official layout, written once for each process of tests."""

import functools
import tempfile
from pathlib import Path

from benchmarks.random_weights import write_random_weights


@functools.cache
def weights_folder():
    """Returns a folder with a file for each network, as `benchmarks.random_weights` makes them."""
    folder = Path(tempfile.mkdtemp(prefix="gaug_weights_"))
    write_random_weights(folder, seed=0)
    return folder
