"""Four CPU devices for every test, and no file outside the test's own folders."""

import gc
import os
import shutil
import sys
import tempfile

import pytest

# Most of the time of these tests is compiling. LLVM is told to optimise less here: it takes a sixth
# off that. The slow tests, in processes of their own, have programs as users have them.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=4",
        "--xla_backend_optimization_level=1",
    ]
)
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if "PYTEST_XDIST_WORKER" not in os.environ:  # Workers share the cache of the process above them.
    os.environ["GAUG_CACHE"] = tempfile.mkdtemp(prefix="gaug_cache_")


def pytest_configure():
    """Has what the tests compile kept, as the binaries do: files and workers share programs."""
    from gaug_jax.compiled_programs import keep_compiled_programs

    keep_compiled_programs()


@pytest.fixture(autouse=True, scope="module")
def _no_programs_are_kept():
    """Drops the compiled programs of a file: those of all would use up a worker's memory maps."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
        gc.collect()


def pytest_unconfigure():
    """Removes what the tests kept."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["GAUG_CACHE"], ignore_errors=True)
