"""`python -m gaug_jax.evaluate` in both its forms: what it writes, and what it refuses."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image
from support.commands import TINY, refused, run, run_apart
from support.random_weights import write_random_weights

from gaug_jax.files import read_json_lines
from gaug_jax.weights.efficientnet import SHA256

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work folder of two checkpoints that was followed while it trained."""
    folder = tmp_path_factory.mktemp("trained") / "W"
    result = run(
        "main", *TINY, "--config.train.steps=4", "--config.train.checkpoint_every=2",
        "--config.evaluate.every=2", f"--workdir={folder}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder


def sets(folder, size=16, counts=(30, 40)):
    """Writes real images as a folder of pictures and generated ones as an `.npz` file."""
    for number in range(counts[0]):
        path = folder / "real" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RANDOM.integers(0, 256, (size, size), dtype=np.uint8)).save(path)
    images = RANDOM.integers(0, 256, (counts[1], size, size, 1), dtype=np.uint8)
    np.savez(folder / "fake.npz", images=images, labels=np.array(["a", "b"] * (counts[1] // 2)))
    return [f"--real={folder / 'real'}", f"--fake={folder / 'fake.npz'}"]


@pytest.mark.parametrize("flag", ["--num=3", "--step=2", "--all_checkpoints"])
def test_a_flag_of_work_folders_beside_two_sets(tmp_path, flag):
    line = refused("evaluate", *sets(tmp_path), f"--out={tmp_path / 'row.json'}", flag)
    assert f"{flag.split('=')[0]} has no effect without --workdir" in line
    assert not (tmp_path / "row.json").exists()


def test_training_is_followed_by_cheap_figures(trained):
    rows = [row for row in read_json_lines(trained / "metrics.jsonl") if "kid_mean" in row]
    assert [row["step"] for row in rows] == [2, 4]
    assert all(0 <= row["precision_k5"] <= 1 and 0 <= row["recall_k5"] <= 1 for row in rows)
    assert (trained / "classifier.npz").exists()


def test_every_checkpoint_has_a_row_and_a_second_call_has_nothing_to_do(trained):
    arguments = ["evaluate", f"--workdir={trained}", "--features=classifier", "--num=60"]
    result = run(*arguments, "--all_checkpoints")
    assert result.returncode == 0, result.stderr
    rows = read_json_lines(trained / "evaluation" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [2, 4]
    for row in rows:
        assert row["reference_split"] == "validation" and row["num_fake"] == 60
        assert row["features"] == "classifier" and len(row["weights_sha256"]) == 64
        assert row["fid"] > 0 and len(row["per_class"]) == 10
        assert row["lpips_diversity"] is None and "lpips" in row["notes"]["lpips_diversity"]
    with Image.open(trained / "evaluation" / "curve.png") as picture:
        assert picture.width > 500
    again = run(*arguments, "--reference_split=validation")
    assert again.returncode == 0 and "nothing to do" in again.stdout
    assert read_json_lines(trained / "evaluation" / "metrics.jsonl") == rows
    test = run(*arguments, "--step=2")
    assert test.returncode == 0
    added = read_json_lines(trained / "evaluation" / "metrics.jsonl")[2:]
    assert [(row["step"], row["reference_split"]) for row in added] == [(2, "test")]


@pytest.mark.slow
def test_a_row_without_lpips_is_made_again_once_its_weights_are_here(trained, tmp_path):
    write_random_weights(tmp_path, seed=0)
    arguments = ["evaluate", f"--workdir={trained}", "--features=pixels", "--num=20"]
    with_lpips = [*arguments, f"--lpips_weights={tmp_path}", "--allow_unofficial_weights"]
    before = len(read_json_lines(trained / "evaluation" / "metrics.jsonl"))
    for call, again in ((arguments, False), (with_lpips, False), (with_lpips, True)):
        result = run(*call)
        assert result.returncode == 0, result.stderr
        assert ("nothing to do" in result.stdout) == again
    added = read_json_lines(trained / "evaluation" / "metrics.jsonl")[before:]
    assert [row["official_lpips_weights"] for row in added] == [None, False]


def test_a_config_may_say_where_the_data_is_but_not_change_it(trained):
    arguments = ["--num=30", "--features=pixels", f"--workdir={trained}"]
    result = run("evaluate", *TINY, *arguments, "--config.evaluate.every=2")
    assert result.returncode == 0, result.stderr
    line = refused("evaluate", *TINY, *arguments, "--config.data.split_seed=9")
    assert "data.split_seed" in line


def test_any_two_sets(tmp_path):
    out = tmp_path / "deep" / "out.json"
    result = run("evaluate", *sets(tmp_path), f"--out={out}", "--features=pixels")
    assert result.returncode == 0, result.stderr
    row = json.loads(out.read_text())
    assert row["features"] == "pixels" and row["num_real"] == 30 and row["num_fake"] == 40
    assert set(row["per_class"]) == {"a", "b"}
    assert row["fid"] > 0 and row["ms_ssim_diversity"] is not None
    assert "kid_mean" in result.stdout


def film(size):
    """A smooth random picture."""
    small = Image.fromarray(RANDOM.integers(0, 256, (6, 6), dtype=np.uint8))
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def measured(tmp_path, fakes, *flags):
    """Returns the row and the output for real pictures in `mine`."""
    np.savez(tmp_path / "fake.npz", **fakes)
    out = tmp_path / "out.json"
    result = run("evaluate", f"--real={tmp_path / 'mine'}", f"--fake={tmp_path / 'fake.npz'}",
                 f"--out={out}", "--features=pixels", *flags)  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(out.read_text()), result.stdout


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def test_wide_films_are_padded_as_training_pads_them(tmp_path):
    """A generator that draws the very same films has a FID of 0 and a precision of 1."""
    images, labels = [], []
    for name in ("covid", "normal"):
        for number in range(30):
            wide = np.maximum(film(64)[:32], 30)
            save(tmp_path / "mine" / name / f"{number}.png", wide)
            square = Image.new("L", (64, 64))
            square.paste(Image.fromarray(wide), (0, 16))
            images.append(np.asarray(square.resize((16, 16), Image.Resampling.BICUBIC)))
            labels.append(name)
    fakes = {"images": np.stack(images), "labels": labels}
    row, _ = measured(tmp_path, fakes, "--image_size=16", "--image_resize=pad")
    assert row["fid"] == pytest.approx(0.0, abs=1e-6) and row["precision_k5"] == 1.0
    assert row["image_resize"] == "pad" and row["notes_on_sets"] == []
    row, output = measured(tmp_path, fakes, "--image_size=16")
    assert row["fid"] > 50
    assert "60 of 60 pictures are not square and are stretched" in output
    assert len(row["notes_on_sets"]) == 1
    line = refused("evaluate", *sets(tmp_path), "--out=o.json", "--image_resize=pad")
    assert "--image_resize has no effect without --image_size" in line


def test_grey_films_saved_as_rgb_are_compared_as_grey(tmp_path):
    for name in ("covid", "normal"):
        for number in range(20):
            rgb = np.repeat(film(32)[..., None], 3, axis=2)
            save(tmp_path / "mine" / name / f"{number}.png", rgb)
    fakes = {"images": np.stack([film(16) for _ in range(40)])}
    row, output = measured(tmp_path, fakes, "--image_size=16")
    assert row["channels"] == 1 and "compared as grey (luminance)" in output


def test_copies_in_hidden_folders_are_not_measured(tmp_path):
    for name in ("covid", "normal"):
        for number in range(10):
            picture = film(16)
            save(tmp_path / "mine" / name / f"{number}.png", picture)
            save(tmp_path / "mine" / name / ".ipynb_checkpoints" / f"{number}.png", picture)
    row, _ = measured(tmp_path, {"images": np.stack([film(16) for _ in range(20)])})
    assert row["num_real"] == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--workdir"),
        (["--real=a"], "all three of --real, --fake and --out"),
        (["--workdir=W", "--real=a", "--fake=b", "--out=c"], "either --workdir"),
        (["--workdir=/no/such/folder"], "/no/such/folder/config.json"),
        (["--workdir=W", "--reference_split=dev"], "reference_split"),
        (["--workdir=W", "--num=1"], "--num=1"),
        (["--workdir=W", "--step=1", "--all_checkpoints"], "exclude"),
    ],
)
def test_flags_that_do_not_fit_end_with_one_line(arguments, message):
    assert message in refused("evaluate", *arguments)


def test_a_step_that_is_not_there(trained):
    assert "has no checkpoint of step 3" in refused(
        "evaluate", f"--workdir={trained}", "--step=3", "--features=pixels"
    )


def test_without_weights_one_line_and_no_other_extractor(tmp_path):
    out = tmp_path / "out.json"
    environment = {"GAUG_CACHE": str(tmp_path / "cache"), "TORCH_HOME": str(tmp_path)}
    # No address answers: what a machine without a network sees.
    environment |= {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    arguments = [*sets(tmp_path), f"--out={out}", "--features=inception"]
    result = run_apart("evaluate", *arguments, more_environment=environment)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and "pt_inception-2015-12-05-6726825d.pth is needed" in line
    assert "--inception_weights" in line
    assert not out.exists()


def test_without_a_choice_and_weights_the_features_that_are_installed_are_taken(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("GAUG_INCEPTION_WEIGHTS", raising=False)
    out = tmp_path / "out.json"
    result = run("evaluate", *sets(tmp_path), f"--out={out}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("features: pretrained, as none are chosen (--features)") == 1
    row = json.loads(out.read_text())
    assert row["features"] == "pretrained" and row["weights_sha256"] == SHA256
    assert row["inception_score_mean"] is None and row["kid_mean"] is not None


class Malicious:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return open, (self.marker, "w")


@pytest.mark.parametrize("extra", [[], ["--allow_unofficial_weights"]])
def test_a_malicious_weight_file_is_not_executed(tmp_path, extra):
    marker, weights = tmp_path / "executed", tmp_path / "weights.pth"
    weights.write_bytes(pickle.dumps(Malicious(marker)))
    out = tmp_path / "out.json"
    line = refused(
        "evaluate", *sets(tmp_path), f"--out={out}", f"--inception_weights={weights}", *extra
    )
    assert "weights.pth" in line
    assert not marker.exists() and not out.exists()


def test_a_malicious_npz_file_is_not_executed(tmp_path):
    marker = tmp_path / "executed"
    arguments = sets(tmp_path)
    np.savez(tmp_path / "fake.npz", images=np.array([Malicious(marker)] * 3, dtype=object))
    out = tmp_path / "out.json"
    line = refused("evaluate", *arguments, f"--out={out}", "--features=pixels")
    assert "Python objects" in line
    assert not marker.exists() and not out.exists()


def test_a_corrupt_picture_is_named_and_nothing_is_written(tmp_path):
    arguments = sets(tmp_path)
    (tmp_path / "real" / "a" / "0.png").write_bytes(b"broken")
    out = tmp_path / "out.json"
    line = refused("evaluate", *arguments, f"--out={out}", "--features=pixels")
    assert "0.png cannot be read as a picture" in line
    assert not out.exists()


def test_an_out_that_cannot_be_written_is_told_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    line = refused("evaluate", *sets(tmp_path), f"--out={tmp_path}/file/out.json",
                   "--features=pixels")  # fmt: skip
    assert "--out=" in line and "cannot be written" in line


def test_pixels_of_two_sizes_are_refused_and_brought_to_one(tmp_path):
    real, fake = sets(tmp_path / "small")[0], sets(tmp_path / "large", size=20)[1]
    out = tmp_path / "out.json"
    arguments = [real, fake, f"--out={out}", "--features=pixels"]
    assert "is 16x16x1 and" in refused("evaluate", *arguments) and not out.exists()
    result = run("evaluate", *arguments, "--image_size=16")
    assert result.returncode == 0, result.stderr
    row = json.loads(out.read_text())
    assert row["image_size"] == 16 and row["fid"] > 0
