"""Every recipe of a generator goes through all stages of a work folder, and comes to figures."""

import json
import math

import numpy as np
import pytest
from support.commands import run_apart

from configs.recipes import RECIPES
from gaug_jax.files import read_json_lines

SMALL = ["--config.data.image_size=16", "--config.model.width=8", "--config.train.steps=30",
         "--config.train.batch_size=16", "--config.train.checkpoint_every=15",
         "--config.model.labels=conditional", "--config.data.train_size=100",
         "--config.model.sampling_steps=4"]  # fmt: skip


def made(command, *flags):
    result = run_apart(command, *map(str, flags))
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_recipe_is_trained_drawn_from_measured_and_audited(tmp_path, recipe):
    folder, file = tmp_path / "W", tmp_path / "g.safetensors"
    made("main", f"--config=digits_study:{recipe}", *SMALL, f"--workdir={folder}")
    rows = read_json_lines(folder / "metrics.jsonl")
    assert rows[-1]["step"] == 30
    assert all(math.isfinite(value) for row in rows for value in row.values() if value is not None)
    made(
        "synthesize",
        f"--workdir={folder}",
        "--num=120",
        "--rejection=2",
        f"--save_generator={file}",
    )
    drawn = np.load(folder / "synthetic" / "images.npz")
    assert drawn["images"].shape == (120, 16, 16, 1) and np.isfinite(drawn["scores"]).all()
    made("synthesize", f"--generator={file}", "--num=5", f"--workdir={tmp_path / 'again'}")
    made("evaluate", f"--workdir={folder}", "--all_checkpoints", "--features=pixels", "--num=60")
    made("embed", f"--workdir={folder}", "--features=pixels")
    said = made("audit", f"--workdir={folder}", "--features=pretrained")
    assert ("denoising loss" in said) == (recipe == "diffusion")
    audit = json.loads((folder / "audit" / "audit.json").read_text())
    assert 0 <= audit["discriminator"]["auroc"] <= 1
