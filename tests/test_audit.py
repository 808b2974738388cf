"""The audit as a user runs it: planted copies are caught, held-out images are not."""

import numpy as np
import pytest
from support.commands import TINY, refused, run

from gaug_jax.data import prepare
from gaug_jax.files import read_json
from gaug_jax.settings import read_settings
from gaug_jax.workfolder import WorkFolder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit") / "run"
    result = run(
        "main", *TINY, "--config.train.steps=2", "--config.data.train_size=200",
        f"--workdir={folder}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def prepared(trained):
    return prepare(read_settings(read_json(trained / "config.json")).data)


def pass_off(folder, images, labels):
    """Has images pass for generated ones."""
    path = WorkFolder(folder).synthetic_images
    path.parent.mkdir(exist_ok=True)
    np.savez(path, images=images, labels=labels, scores=np.zeros(len(labels), np.float32))


def test_it_needs_images_and_enough_of_them(trained, prepared):
    assert "gaug_jax.synthesize" in refused("audit", f"--workdir={trained}")
    images, labels = prepared.part("train")
    pass_off(trained, images[:150], labels[:150])
    message = refused("audit", f"--workdir={trained}")
    assert "150 generated images against 200 training images" in message and "--num=200" in message
    assert not (trained / "audit").exists()


def test_a_copying_generator_is_caught_and_the_report_shows_whom(trained, prepared):
    images, labels = prepared.part("train")
    noise = np.random.default_rng(0).integers(-12, 13, images.shape)
    copies = np.clip(images.astype(int) + noise, 0, 255).astype(np.uint8)
    pass_off(trained, np.concatenate([copies, copies]), np.concatenate([labels, labels]))
    result = run("audit", f"--workdir={trained}")
    assert result.returncode == 0, result.stderr
    assert "Training images can be told from these generated ones" in result.stdout
    found = read_json(WorkFolder(trained).audit)
    assert found["leaks"] is True
    for space in ("pixels", "features"):
        assert found["spaces"][space]["copies"]["data_copying_score"] < -3
        assert found["spaces"][space]["membership"]["auroc_low"] > 0.5
        control = found["spaces"][space]["membership"]["control"]
        assert control["auroc_low"] <= 0.5 <= control["auroc_high"]
    assert WorkFolder(trained).audit_picture.stat().st_size > 500
    again = run("audit", f"--workdir={trained}")
    assert "nothing to do" in again.stdout


def test_real_images_of_nobody_trained_on_are_not_caught(trained, prepared):
    # Images beyond data.train_size, which neither the generator nor the audit uses.
    rows = np.random.default_rng(0).permutation(prepared.indices("unused"))[:400]
    pass_off(trained, prepared.images[rows], prepared.labels[rows])
    result = run("audit", f"--workdir={trained}")
    assert result.returncode == 0, result.stderr
    assert "Neither copies nor members were found" in result.stdout
    found = read_json(WorkFolder(trained).audit)
    assert found["leaks"] is False
    for space in found["spaces"].values():
        assert space["membership"]["auroc_low"] <= 0.5


def test_a_folder_without_a_run_or_a_manifest_is_refused(trained, tmp_path):
    assert "config.json does not exist" in refused("audit", f"--workdir={tmp_path}")
    (tmp_path / "config.json").write_text((trained / "config.json").read_text())
    assert "data_manifest.json" in refused("audit", f"--workdir={tmp_path}")


def test_images_must_have_been_held_out(tmp_path):
    arguments = ["--config.data.train_size=100", "--config.data.num_folds=0",
                 "--config.data.test_fraction=0.0",
                 "--config.data.validation_fraction=0.0"]  # fmt: skip
    result = run("main", *TINY, "--config.train.steps=1", *arguments, f"--workdir={tmp_path}")
    assert result.returncode == 0, result.stderr
    message = refused("audit", f"--workdir={tmp_path}")
    assert "that were not trained on, and has 0: change config.data.test_fraction" in message


def test_damaged_images_are_refused(trained, prepared):
    path = WorkFolder(trained).synthetic_images
    images, labels = prepared.part("train")
    path.write_bytes(b"no zip")
    assert "cannot be read as .npz" in refused("audit", f"--workdir={trained}")
    np.savez(path, images=images)
    assert "has no array labels" in refused("audit", f"--workdir={trained}")
    np.savez(path, images=images.astype(np.float32), labels=labels)
    assert "values of dtype float32" in refused("audit", f"--workdir={trained}")
    np.savez(path, images=images, labels=labels + 50)
    assert "labels are not one class for each image" in refused("audit", f"--workdir={trained}")
