"""Four CPU devices for every test, and no file outside the test's own folders."""

import os
import tempfile

os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
)
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["GAUG_CACHE"] = tempfile.mkdtemp(prefix="gaug_cache_")
