"""What is compiled is kept, whether JAX was imported before or is imported after, and is mended."""

import os
import resource
import signal
import subprocess
import sys

import pytest

_KEEP = "from gaug_jax.compiled_programs import keep_compiled_programs; keep_compiled_programs()"
_COMPILE = """
import jax, jax.numpy as jnp
from gaug_jax.models.dcgan import Generator
generator = Generator(image_size=32, channels=1, width=8)
draw = lambda key: generator.init_with_output(key, jnp.ones((2, 5)), train=True)[0]
jax.jit(draw)(jax.random.key(0))
"""


def compiled(folder, script=f"{_KEEP}\n{_COMPILE}", **options):
    """Returns what a process that compiles says on standard error."""
    names = {name: value for name, value in os.environ.items() if not name.startswith("JAX_C")}
    environment = {**names, "GAUG_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True,
        **options,
    )  # fmt: skip
    return done.stderr


def kept(folder):
    """Returns what is kept, by name."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("script", [f"{_KEEP}\n{_COMPILE}", f"import jax\n{_KEEP}\n{_COMPILE}"])
def test_programs_are_kept(tmp_path, script):
    compiled(tmp_path, script)
    assert kept(tmp_path)


def test_a_program_that_was_kept_in_part_is_made_anew_without_a_word(tmp_path):
    compiled(tmp_path)
    whole = kept(tmp_path)
    for path in tmp_path.rglob("*-cache"):
        path.write_bytes(path.read_bytes()[:100])
    assert compiled(tmp_path) == ""
    mended = kept(tmp_path)
    assert mended.keys() == whole.keys()
    # Of one program two compilations may differ by some bytes, and the time that it took is in it.
    assert all(len(mended[name]) > 0.5 * len(whole[name]) for name in whole)
    assert compiled(tmp_path) == "" and kept(tmp_path) == mended


def test_where_nothing_can_be_kept_one_line_says_so(tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    (said,) = compiled(tmp_path, preexec_fn=limit).splitlines()
    assert "what is compiled cannot be kept" in said
    assert str(tmp_path) in said and "File too large" in said
    assert kept(tmp_path) == {}
