"""`python -m gaug_jax.embed`: pictures, numbers, and what it says a second time."""

import json

import numpy as np
import pytest
from support.commands import TINY, refused, run

from gaug_jax.picture_files import read_picture


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded") / "W"
    made = run("main", *TINY, "--config.train.steps=3", f"--workdir={folder}")
    assert made.returncode == 0, made.stderr
    arguments = [*TINY, "--config.train.steps=3", "--config.embed.num_images=60"]
    result = run("embed", *arguments, "--features=pixels", f"--workdir={folder}")
    assert result.returncode == 0, result.stderr
    assert "generated images and the test part: neighbours mix" in result.stdout
    return folder, arguments


def test_every_plane_has_a_picture_and_its_places(embedded):
    folder = embedded[0] / "embedding"
    for plane in ("pca", "tsne", "umap"):
        picture = read_picture(folder / f"{plane}.png", 3)
        assert picture.shape[0] > 400 and picture.std() > 10
        with np.load(folder / f"{plane}.npz", allow_pickle=False) as file:
            assert file["places"].shape == (180, 2)
            assert np.bincount(file["origins"]).tolist() == [60, 60, 60]
            assert file["origin_names"].tolist() == ["training part", "test part", "generated"]
            assert set(file["labels"]) <= set(range(10))


def test_the_training_map_has_the_samples_of_every_step(embedded):
    folder = embedded[0] / "embedding"
    assert read_picture(folder / "training_map.png", 3).std() > 10
    with np.load(folder / "training_map.npz", allow_pickle=False) as file:
        steps, counts = np.unique(file["samples_steps"], return_counts=True)
        # A hundred samples at the start and at the end, and the real images.
        assert steps.tolist() == [-1, 0, 3] and counts.tolist() == [300, 100, 100]
        assert file["checkpoints"].tolist() == [3]
        assert file["samples_places"].shape == (500, 2)


def test_the_overlap_is_that_of_noise(embedded):
    # After three steps the generator draws noise, which everything tells from digits.
    overlap = json.loads((embedded[0] / "embedding" / "overlap.json").read_text())
    for part in ("training", "test"):
        assert overlap[part]["two_sample_accuracy_low"] > 0.8
        assert overlap[part]["neighbour_mixing"] < 0.3
    assert 0.2 < sum(overlap["explained_variance"]) <= 1.0 + 1e-9
    assert overlap["made_with"]["num_images"]["generated"] == 60


def test_a_second_call_has_nothing_to_do(embedded):
    folder, arguments = embedded
    before = (folder / "embedding" / "tsne.npz").read_bytes()
    again = run("embed", *arguments, "--features=pixels", f"--workdir={folder}")
    assert again.returncode == 0 and "nothing to do" in again.stdout
    assert (folder / "embedding" / "tsne.npz").read_bytes() == before


@pytest.mark.slow
def test_another_seed_is_another_embedding(embedded):
    folder, arguments = embedded
    before = (folder / "embedding" / "tsne.npz").read_bytes()
    other = run("embed", *arguments, "--features=pixels", "--seed=1", f"--workdir={folder}")
    assert other.returncode == 0 and "nothing to do" not in other.stdout
    assert (folder / "embedding" / "tsne.npz").read_bytes() != before


def test_a_folder_without_a_run_is_refused(tmp_path):
    assert "does not exist" in refused("embed", f"--workdir={tmp_path / 'W'}")
    assert not (tmp_path / "W").exists()
