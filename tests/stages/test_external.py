"""The study's second test set: its images, what is kept of it, and what people are shown."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from support.commands import TINY_FITS, run
from support.made_cells import MadeStudy

from configs import base
from gaug_jax import data
from gaug_jax.errors import UserError
from gaug_jax.files import read_json, read_json_lines
from gaug_jax.settings import read_settings
from gaug_jax.stages import cell as module
from gaug_jax.stages.external import ExternalSet, external_images

STUDY = [
    "--config=configs/folder.py", "--config.data.image_size=16", "--config.model.width=8",
    "--config.train.steps=1", "--config.train.batch_size=8", *TINY_FITS,
    "--config.classify.arms=('real','gan')", "--config.classify.endpoint_arm=gan",
    "--config.classify.learning_rates=(0.01,)", "--config.classify.seeds=(0,)",
    "--config.classify.ratios=(1.0,)",
]  # fmt: skip


def write_images(path, seed, **others):
    images = np.random.default_rng(seed).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez(path, images=images, labels=np.arange(40) % 2, **others)
    return str(path)


def write_pictures(path, count, seed):
    """Writes a folder of two classes, so many pictures each."""
    random = np.random.default_rng(seed)
    for name in ("covid", "normal"):
        (path / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (16, 16), np.uint8)
            Image.fromarray(pixels).save(path / name / f"{number}.png")
    return path


def settings_with(path, external):
    settings = read_settings(base.get_config().to_dict())
    return dataclasses.replace(
        settings,
        data=dataclasses.replace(settings.data, source="npz", path=path, image_size=8),
        classify=dataclasses.replace(settings.classify, external=external),
    )


def test_images_of_elsewhere_are_taken_and_those_learnt_from_refused(tmp_path):
    own = write_images(tmp_path / "own.npz", 0)
    other = write_images(tmp_path / "other.npz", 1)
    settings = settings_with(own, other)
    prepared = data.prepare(settings.data)
    found = external_images(settings, prepared, np.array([1, 0]))
    assert len(found.images) == 40 and found.labels.tolist() == [1, 0] * 20
    with pytest.raises(UserError, match="leak: .* are duplicates"):
        external_images(settings_with(own, own), prepared, np.array([1, 0]))


def test_groups_are_those_of_the_set_or_each_image_by_itself(tmp_path):
    own = write_images(tmp_path / "own.npz", 0)
    for number, (others, groups) in enumerate([({}, 40), ({"groups": np.arange(40) // 4}, 10)]):
        other = write_images(tmp_path / f"other{number}.npz", 1, **others)
        settings = settings_with(own, other)
        found = external_images(settings, data.prepare(settings.data), np.array([0, 1]))
        assert len(found.groups) == 40 and len(np.unique(found.groups)) == groups


def outside(sha256="first"):
    images = np.random.default_rng(5).integers(0, 256, (4, 8, 8, 1), np.uint8)
    labels, groups = np.array([0, 1, 2, 2], np.int32), np.array([0, 1, 2, 2], np.int32)
    return ExternalSet(images, labels, groups, sha256)


def test_predictions_of_it_are_kept_beside_the_others(tmp_path, monkeypatch):
    study = MadeStudy(tmp_path, monkeypatch)
    monkeypatch.setattr(module, "external_images", lambda *_: outside())
    study.complete()
    with np.load(study.folder.predictions / "0-all-real.npz") as file:
        for name, other in (("external_probabilities", "probabilities"),
                            ("external_label", "label"), ("external_group", "group")):  # fmt: skip
            assert file[name].dtype == file[other].dtype, name
        # Two classifiers, four images, three classes.
        assert file["external_probabilities"].shape == (2, 4, 3)
        assert file["external_label"].tolist() == [0, 1, 2, 2]
        assert file["external_group"].tolist() == [0, 1, 2, 2]
        # The patients of the training part, each image its own.
        assert file["train_group"].tolist() == list(range(10))
    assert {row["external_sha256"] for row in read_json_lines(study.folder.runs)} == {"first"}


def test_runs_without_it_hold_nothing_of_it(tmp_path, monkeypatch):
    study = MadeStudy(tmp_path, monkeypatch)
    study.complete()
    with np.load(study.folder.predictions / "0-all-real.npz") as file:
        assert not [name for name in file.files if "external" in name or "train" in name]
    assert not any("external_sha256" in row for row in read_json_lines(study.folder.runs))


def test_runs_that_judged_other_images_are_made_again_and_those_of_before_are_not(
    tmp_path, monkeypatch
):
    study = MadeStudy(tmp_path, monkeypatch)
    monkeypatch.setattr(module, "external_images", lambda *_: outside())
    arms = study.complete()
    assert study.complete() == []
    monkeypatch.setattr(module, "external_images", lambda *_: outside("other"))
    assert study.complete() == arms and study.complete() == []
    lines = study.folder.runs.read_text().replace(', "external_sha256": "other"', "")
    study.folder.runs.write_text(lines)
    assert study.complete() == []


def test_what_a_study_with_an_external_set_shows(tmp_path):
    own = write_pictures(tmp_path / "own", 30, 0)
    other = write_pictures(tmp_path / "other", 20, 1)
    paths = [f"--config.data.path={own}", f"--config.classify.external={other}"]
    folder = tmp_path / "W" / "downstream"
    call = ("classify", *STUDY, *paths, f"--workdir={folder.parent}")
    result = run(*call)
    assert result.returncode == 0, result.stderr
    assert "External test set other, 40 images of 40 groups" in (folder / "table.md").read_text()
    content = read_json(folder / "summary.json")["sizes"]["0"]
    for arm, found in content["arms"].items():
        row = next(row for row in read_json_lines(folder / "runs.jsonl") if row["arm"] == arm)
        for name, figure in found["external"]["figures"].items():
            assert figure["value"] == pytest.approx(row[f"external_{name}"], abs=1e-6)
    assert content["arms"]["gan"]["external"]["difference_to_real"]["low"] > -1.0

    # Predictions of before hold none of it: they are not made again.
    for path in (folder / "predictions").iterdir():
        kept = {name: each for name, each in np.load(path).items() if "external" not in name}
        np.savez(path, **kept)
    before = (folder / "runs.jsonl").read_bytes()
    assert run(*call).returncode == 0
    assert (folder / "runs.jsonl").read_bytes() == before
    summary = read_json(folder / "summary.json")
    again = summary["sizes"]["0"]
    assert again["external"]["without_predictions"].endswith(".npz")
    mean = again["arms"]["gan"][f"external_{summary['endpoint']}"]
    assert f"| gan | {mean:.3f} |" in (folder / "table.md").read_text()
