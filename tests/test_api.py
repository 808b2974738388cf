"""The functions of `gaug_jax`: what they return is what the commands write."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from support.commands import TINY, refused, run

import gaug_jax
from configs import digits
from gaug_jax.files import read_json
from gaug_jax.workfolder import WorkFolder

SMALL = {
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": 4,
    "train.checkpoint_every": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two work folders of one config, of the command and of the function, and its generator."""
    folder = tmp_path_factory.mktemp("trained")
    result = run(
        "main", *TINY, "--config.train.steps=4", "--config.train.checkpoint_every=2",
        f"--workdir={folder / 'command'}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    generator = gaug_jax.train_generator("digits", folder / "function", SMALL)
    return folder / "command", folder / "function", generator


def test_importing_the_package_alone_takes_no_time():
    script = (
        "import sys; before = set(sys.modules); import gaug_jax; "
        "assert 'draw_images' in dir(gaug_jax); "
        "print({name.split('.')[0] for name in set(sys.modules) - before}"
        " & {'jax', 'numpy', 'flax', 'absl'}, 'gaug_jax.api' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert output.stdout.strip() == "set() False", output
    with pytest.raises(AttributeError, match="no attribute 'draw_image'"):
        _ = gaug_jax.draw_image


def test_every_name_is_there_and_documented():
    for name in gaug_jax.__all__:
        assert getattr(gaug_jax, name).__doc__, name


def test_loaded_images_are_those_that_are_trained_on(trained):
    config = digits.get_config()
    config.data.image_size = 8
    before = config.to_json_best_effort()
    loaded = gaug_jax.load_images(config, {"data.train_size": 100})
    assert config.to_json_best_effort() == before
    assert loaded.images.dtype == np.uint8 and loaded.images.shape[1:] == (8, 8, 1)
    assert len(loaded.images) == len(loaded.labels) == len(loaded.groups) == len(loaded.parts)
    assert loaded.class_names == tuple("0123456789")
    assert len(loaded.part("train").images) == 100
    whole = gaug_jax.load_images("digits", {"data.image_size": 8})
    manifest = read_json(WorkFolder(trained[0]).data_manifest)
    assert whole.manifest["manifest_sha256"] == manifest["manifest_sha256"]


def test_training_is_that_of_the_command_and_goes_on(trained):
    command, function, generator = trained
    assert read_json(command / "config.json") == read_json(function / "config.json")
    drawn, same = (
        gaug_jax.draw_images(each, 20, seed=1)
        for each in (gaug_jax.load_generator(command), generator)
    )
    np.testing.assert_array_equal(drawn.images, same.images)
    np.testing.assert_array_equal(drawn.scores, same.scores)
    further = gaug_jax.train_generator("digits", function, SMALL | {"train.steps": 4})
    assert further.step == generator.step == 4


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"num": 16}, ["--num=16"]),
        ({"num": 2, "per_class": True, "seed": 3}, ["--num=2", "--per_class", "--seed=3"]),
        (
            {"num": 5, "truncation": 0.5, "rejection": 2},
            ["--num=5", "--truncation=0.5", "--rejection=2"],
        ),
    ],
)
def test_drawn_images_are_those_that_synthesize_writes(trained, options, flags):
    folder = trained[0]
    assert run("synthesize", f"--workdir={folder}", *flags).returncode == 0
    drawn = gaug_jax.draw_images(gaug_jax.load_generator(folder), **options)
    with np.load(folder / "synthetic" / "images.npz") as written:
        for name in ("images", "labels", "scores"):
            np.testing.assert_array_equal(written[name], getattr(drawn, name))


def test_a_file_draws_the_same_in_three_lines(trained, tmp_path):
    gaug_jax.save_generator(trained[0], tmp_path / "digits.safetensors")
    generator = gaug_jax.load_generator(tmp_path / "digits.safetensors")
    drawn = gaug_jax.draw_images(generator, 16, seed=0)
    np.testing.assert_array_equal(drawn.images, gaug_jax.draw_images(trained[2], 16, seed=0).images)
    assert drawn.images.shape == (16, 8, 8, 1) and drawn.scores is None
    with pytest.raises(gaug_jax.UserError, match="no work folder"):
        gaug_jax.load_generator(tmp_path / "digits.safetensors", step=2)


def two_sets(folder):
    """Writes a folder of pictures and an `.npz` file; returns both as paths and as arrays."""
    random = np.random.default_rng(0)
    real, fake = (random.integers(0, 256, (count, 8, 8), np.uint8) for count in (30, 40))
    labels = [np.arange(len(each)) % 2 for each in (real, fake)]
    for index, (image, label) in enumerate(zip(real, labels[0], strict=True)):
        path = folder / "real" / str(label) / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    np.savez(folder / "fake.npz", images=fake, labels=labels[1])
    np.savez(folder / "real.npz", images=real, labels=labels[0], groups=np.arange(30) // 2)
    return real, fake, labels


def test_a_measurement_is_the_row_of_the_command(tmp_path):
    real, fake, labels = two_sets(tmp_path)
    rows = []
    for name in ("real", "real.npz"):
        out = tmp_path / "row.json"
        result = run(
            "evaluate", f"--real={tmp_path / name}", f"--fake={tmp_path / 'fake.npz'}",
            f"--out={out}", "--features=pixels", "--seed=2",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        rows.append(json.loads(out.read_text()))
    of_paths = gaug_jax.evaluate_images(
        tmp_path / "real", tmp_path / "fake.npz", features="pixels", seed=2
    )
    assert json.loads(json.dumps(of_paths)) == rows[0]
    of_arrays = gaug_jax.evaluate_images(
        real, fake[..., None], real_labels=labels[0], fake_labels=labels[1],
        real_groups=np.arange(30) // 2, features="pixels", seed=2,
    )  # fmt: skip
    named = {"real": rows[1]["real"], "fake": rows[1]["fake"]}
    assert json.loads(json.dumps({**of_arrays, **named})) == rows[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"real": np.zeros((4, 8, 8))}, "real: images has values of dtype float64"),
        ({"fake": np.zeros((1, 8, 8), np.uint8)}, "fake has 1 image"),
        ({"fake": np.zeros((4, 8), np.uint8)}, "fake: images has shape (4, 8)"),
        ({"fake": np.zeros((4, 9, 9), np.uint8)}, "give --image_size"),
        ({"real_labels": np.arange(3)}, "real: labels has shape (3,)"),
        ({"real": "absent", "real_labels": np.arange(4)}, "real_labels has no effect"),
        ({"real": "absent"}, "absent does not exist"),
        ({"image_size": 0}, "--image_size=0: give 1 or more"),
        ({"image_resize": "pad"}, "--image_resize has no effect"),
        ({"image_size": 8, "image_resize": "fit"}, "fit"),
        ({"resize": "best"}, "best"),
        ({"features": "none.such"}, "none"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(change, message):
    images = np.zeros((4, 8, 8), np.uint8)
    with pytest.raises(gaug_jax.UserError) as found:
        gaug_jax.evaluate_images(**{"real": images, "fake": images, "features": "pixels"} | change)
    assert message in str(found.value) and "\n" not in str(found.value)


def made_images(count=60):
    """Returns noise, text as labels, and groups of two."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 8, 8), np.uint8)
    return {"images": images, "labels": np.arange(count) % 2, "groups": np.arange(count) // 4,
            "class_names": ["no", "yes"]}  # fmt: skip


def test_arrays_are_trained_on_as_a_file_of_them_is(tmp_path):
    arrays = made_images()
    generator = gaug_jax.train_generator("folder", tmp_path / "W", SMALL, **arrays)
    assert generator.class_names == ("no", "yes") and generator.step == 4
    np.savez(tmp_path / "mine.npz", **arrays)
    source = {"data.source": "npz", "data.path": tmp_path / "mine.npz"}
    same = gaug_jax.train_generator("folder", tmp_path / "V", SMALL | source)
    np.testing.assert_array_equal(
        gaug_jax.draw_images(generator, 9).images, gaug_jax.draw_images(same, 9).images
    )
    again = gaug_jax.train_generator("folder", tmp_path / "W", SMALL, **arrays)
    assert again.step == 4
    other = {**arrays, "labels": 1 - arrays["labels"]}
    with pytest.raises(gaug_jax.UserError, match="other images than are given"):
        gaug_jax.train_generator("folder", tmp_path / "W", SMALL, **other)
    assert (np.load(tmp_path / "W" / "given_images.npz")["labels"] == arrays["labels"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, "labels is missing"),
        ({"images": None}, "images is missing"),
        ({"images": np.zeros((60, 8, 8))}, "dtype float64"),
        ({"images": [[1, 2], [3]]}, "images is no array: its items have several shapes"),
        ({"labels": np.arange(59)}, "labels has shape (59,)"),
        ({"class_names": ["no"]}, "has 1 names and a label is 1"),
        ({"changes": SMALL | {"train.batch_size": 7}}, "batch_size"),
        ({"changes": SMALL | {"objective.loss": "none"}}, "objective.loss"),
    ],
)
def test_arrays_with_a_mistake_leave_nothing_behind(tmp_path, change, message):
    given = {"config": "folder", "workdir": tmp_path / "W", "changes": SMALL, **made_images()}
    with pytest.raises(gaug_jax.UserError) as found:
        gaug_jax.train_generator(**given | change)
    assert message in str(found.value) and not (tmp_path / "W").exists()


def test_arrays_for_a_work_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "W").write_text("a file")
    with pytest.raises(gaug_jax.UserError, match="--workdir=.*W cannot be made"):
        gaug_jax.train_generator("folder", tmp_path / "W", SMALL, **made_images())
    assert (tmp_path / "W").read_text() == "a file"


def test_a_section_is_no_field(tmp_path):
    for value in (3, {"path": str(tmp_path)}):
        with pytest.raises(gaug_jax.UserError, match="config.data is a section: give its fields"):
            gaug_jax.load_images("folder", {"data": value})


def test_mistakes_have_the_words_of_the_commands(tmp_path, trained):
    for config, changes, flags in (
        ("digit", {}, ["--config=digit"]),
        ("digits", {"train.step": 3}, ["--config=digits", "--config.train.step=3"]),
        ("digits", {"data.image_size": 9}, ["--config=digits", "--config.data.image_size=9"]),
        ("digits", {"objective.loss": "x"}, ["--config=digits", "--config.objective.loss=x"]),
    ):
        line = refused("main", *flags, f"--workdir={tmp_path / 'W'}")
        with pytest.raises(gaug_jax.UserError) as found:
            gaug_jax.train_generator(config, tmp_path / "W", changes)
        assert line == f"error: {found.value}"
    for options, flags in (
        ({"num": 0}, ["--num=0"]),
        ({"num": 1, "rejection": 0}, ["--num=1", "--rejection=0"]),
        ({"num": 1, "truncation": 0.0}, ["--num=1", "--truncation=0"]),
    ):
        line = refused("synthesize", f"--workdir={trained[0]}", *flags)
        with pytest.raises(gaug_jax.UserError) as found:
            gaug_jax.draw_images(trained[2], **options)
        assert line == f"error: {found.value}"
    for step, path in ((3, trained[0]), (None, tmp_path / "none"), (None, tmp_path)):
        with pytest.raises(gaug_jax.UserError):
            gaug_jax.load_generator(path, step)
    assert not any(tmp_path.iterdir())


def test_a_study_is_refused_before_anything_is_written(tmp_path):
    for num, changes, message in (
        (1, {}, "--num=1: give 2 or more"),
        (9, {"data.fold": 7}, "data.fold"),
        (9, {"classify.arms": ["real", "none"]}, "classify.arms"),
    ):
        with pytest.raises(gaug_jax.UserError, match=message):
            gaug_jax.run_study("digits_study", tmp_path / "W", changes, num=num)
    assert not (tmp_path / "W").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"train.steps": "many"}, {"model.width": None}, {"data.image_size": 8.5},
        {"data.allow_missing": "yes"},
    ],
)  # fmt: skip
def test_values_of_another_type_are_refused(changes):
    with pytest.raises(gaug_jax.UserError, match="the field takes no"):
        gaug_jax.load_images("digits", changes)
