"""Two hundred steps of every objective and every way to treat labels, on real images.

The digits are always there. Films and numerals join where the environment says where
they are: GAUG_TEST_XRAY and GAUG_TEST_CMATERDB name folders in their publishers' layouts.
"""

import math
import os

import pytest
from support.commands import run_apart

from gaug_jax.files import read_json_lines
from gaug_jax.objectives.presets import PRESETS

STEPS = 200
FOLDERS = {"xray": "GAUG_TEST_XRAY", "bangla_numerals": "GAUG_TEST_CMATERDB"}


def on_data(name):
    """Returns the flags of a data set, or skips where it is not here."""
    if name == "digits":
        return ["--config=configs/digits.py", "--config.data.image_size=16"]
    if FOLDERS[name] not in os.environ:
        pytest.skip(f"{FOLDERS[name]} does not name a folder of these images")
    return [
        f"--config=configs/{name}.py",
        f"--config.data.path={os.environ[FOLDERS[name]]}",
        "--config.data.allow_missing=True",
        "--config.data.image_size=32",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", *FOLDERS])
@pytest.mark.parametrize("labels", ["none", "per_class", "conditional"])
@pytest.mark.parametrize("preset", sorted(PRESETS.keys() - {"denoising"}))
def test_two_hundred_steps(tmp_path, preset, labels, name):
    result = run_apart(
        "main",
        *on_data(name),
        f"--config.objective.preset={preset}",
        f"--config.model.labels={labels}",
        "--config.model.width=16",
        f"--config.train.steps={STEPS}",
        f"--workdir={tmp_path / 'W'}",
    )
    assert result.returncode == 0, result.stderr
    rows = read_json_lines(tmp_path / "W" / "metrics.jsonl")
    assert rows[-1]["step"] == STEPS
    for row in rows:
        figures = [value for value in row.values() if value is not None]
        assert all(math.isfinite(figure) for figure in figures), row
    assert ("gradient_penalty" in rows[0]) == (PRESETS[preset]["gradient_penalty"] > 0)
