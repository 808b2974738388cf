"""What `pip install` of the built wheel gives: commands, configs by name, sweeps."""

import os
import shutil
import subprocess
import sys

import pytest
from support.commands import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel holds, and an empty folder to call it from."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy of what is built from: two workers that build in one folder take each other's files.
    source = folder / "source"
    for name in ("gaug_jax", "configs", "launch"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", str(source), "-w", str(folder)], check=True, cwd=folder
    )
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    (folder / "empty").mkdir()
    return site, folder / "empty"


def call(installed, module, *arguments):
    site, empty = installed
    environment = {**os.environ, "PYTHONPATH": str(site), "XLA_FLAGS": ""}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=empty, env=environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def test_a_config_is_found_by_its_name_and_by_its_path(installed):
    for name in ("digits", "configs/digits.py"):
        result = call(
            installed, "gaug_jax.main", f"--config={name}", "--config.data.image_size=8",
            "--config.model.width=4", "--config.train.steps=2", "--workdir=run",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    assert "nothing to do" in result.stdout


def test_a_name_of_no_config_lists_those_that_there_are(installed):
    result = call(installed, "gaug_jax.study", "--config=digits_studi", "--workdir=none")
    assert result.returncode == 2
    assert "digits_study" in result.stderr and "recipes" not in result.stderr


def test_the_launcher_and_the_report_come_along(installed):
    site, empty = installed
    assert call(installed, "launch.run", "--help").returncode == 0
    assert (site / "gaug_jax" / "reporting" / "templates" / "page.html.jinja").exists()
    found = call(installed, "gaug_jax.study", "--help").stdout
    assert "python -m gaug_jax.study" in found
