"""What only a GPU shows; `make test-gpu` runs it where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gpu
ROOT = Path(__file__).parent.parent

# In a process of its own: the tests themselves run on CPU devices.
GUARDED_RUN = """
import jax, jax.numpy as jnp
from gaug_jax.training import parallel
from gaug_jax.gan.state import new_state
from support.settings_for_tests import small_feed, small_spec

assert jax.default_backend() == "gpu", jax.default_backend()
spec = small_spec()
assert spec.generator.implementation == "native"
feed = small_feed(spec, jax.devices())
run = parallel.make_run_steps(spec, feed, 1e6)
state, constant, key, no = parallel.replicate(
    (new_state(jax.random.key(1), spec), feed.take_constant(), jax.random.key(2), jnp.bool_(False))
)
result = run(state, constant, None, key, 1, no)
with jax.transfer_guard("disallow"):
    result = run(result.state, constant, None, key, 5, result.diverged)
    jax.block_until_ready(result)
assert int(result.done) == 5
"""


def run_on_gpu(script):
    paths = [ROOT, ROOT / "tests"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    environment.pop("JAX_PLATFORMS", None)
    environment.pop("XLA_FLAGS", None)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )


def test_a_dispatch_moves_nothing_between_host_and_device():
    result = run_on_gpu(GUARDED_RUN)
    assert result.returncode == 0, result.stderr
