"""The lines of the guide's part "From Python" run as they stand, in their order."""

import re

import numpy as np
import pytest
from support.commands import ROOT, run

SMALL = {
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": 2,
    "train.checkpoint_every": 2,
}  # fmt: skip


def blocks():
    """Returns the blocks of Python."""
    text = (ROOT / "docs" / "guide.md").read_text()
    part = re.search(r"^## From Python$(.*?)^## ", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^```python\n(.*?)^```", part, re.DOTALL | re.MULTILINE)


def block_with(text):
    (found,) = [block for block in blocks() if text in block]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Returns a folder in which the first three blocks were run, and their names."""
    folder = tmp_path_factory.mktemp("python")
    random = np.random.default_rng(0)
    names = {
        "images": random.integers(0, 256, (40, 8, 8), np.uint8),
        "labels": np.arange(40) % 2,
        "patients": np.arange(40) // 4,
    }
    first, second, third = blocks()[:3]
    first = first.replace('{"train.steps": 200}', repr(SMALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in (first, second, third):
            exec(block, names)
    for file_format in ("npz", "tfds"):
        result = run(
            "synthesize", f"--workdir={folder / 'runs' / 'digits'}", "--num=20",
            f"--format={file_format}",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    return folder, names


def test_train_measure_and_keep(made):
    folder, names = made
    assert names["row"]["kid_mean"] is not None and len(names["real"].images) > 300
    assert names["drawn"].images.shape == (16, 8, 8, 1)
    assert names["mine"].class_names == ("0", "1")
    assert (folder / "digits.safetensors").exists()


def test_in_pytorch(made, monkeypatch):
    torch = pytest.importorskip("torch")
    folder, names = made
    monkeypatch.chdir(folder)
    names = dict(names)
    exec(block_with("import torch"), names)
    images, labels = next(iter(names["loader"]))
    assert images.shape == (20, 1, 8, 8) and images.dtype == torch.float32
    assert images.min() >= 0 and images.max() <= 1 and labels.dtype == torch.int64


def test_in_keras(made):
    pytest.importorskip("keras")
    names = dict(made[1])
    exec(block_with("import keras"), names)
    assert names["model"].predict(names["drawn"].images).shape == (16, 10)


def test_in_tensorflow(made, monkeypatch):
    monkeypatch.chdir(made[0])
    names = dict(made[1])
    exec(block_with("import tensorflow_datasets"), names)
    rows = list(names["dataset"].as_numpy_iterator())
    assert len(rows) == 20 and rows[0][0].shape == (8, 8, 1) and rows[0][0].dtype == np.uint8
