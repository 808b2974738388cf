"""What is compiled is kept, whether JAX was imported before or is imported after."""

import os
import subprocess
import sys

import pytest

_KEEP = "from gaug_jax.user_cache import keep_compiled_programs; keep_compiled_programs()"
_COMPILE = """
import jax, jax.numpy as jnp
from gaug_jax.models.dcgan import Generator
generator = Generator(image_size=32, channels=1, width=8)
draw = lambda key: generator.init_with_output(key, jnp.ones((2, 5)), train=True)[0]
jax.jit(draw)(jax.random.key(0))
"""


@pytest.mark.parametrize("script", [f"{_KEEP}\n{_COMPILE}", f"import jax\n{_KEEP}\n{_COMPILE}"])
def test_programs_are_kept(tmp_path, script):
    names = {name: value for name, value in os.environ.items() if not name.startswith("JAX_C")}
    environment = {**names, "GAUG_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()]
