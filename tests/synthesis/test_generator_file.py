"""A generator as one file: the same images as from its work folder, and what is refused."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load, save
from support.commands import TINY, refused, run

from gaug_jax.auditing.words import privacy_sentence
from gaug_jax.errors import UserError
from gaug_jax.stages.saved_generator import synthesize_from_file
from gaug_jax.stages.synthesize import DrawingOptions
from gaug_jax.synthesis.drawing import draw_by_class, images_per_class, read_generator
from gaug_jax.synthesis.generator_file import (
    _sha256,
    read_generator_file,
    write_generator_file,
)
from gaug_jax.workfolder import WorkFolder

WAYS = {
    "none": [],
    "conditional": ["--config.model.attention=True", "--config.data.image_size=16"],
    "per_class": [],
    "growing": ["--config.train.growing_steps=1", "--config.data.image_size=16"],
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns the work folder of a kind of generator, and its file; made when first wanted."""
    made = {}

    def of(way):
        if way not in made:
            folder = tmp_path_factory.mktemp(way) / "W"
            file = folder.parent / "generator.safetensors"
            labels = "none" if way == "growing" else way
            result = run(
                "main", *TINY, *WAYS[way], "--config.train.steps=4",
                "--config.train.checkpoint_every=2", f"--config.model.labels={labels}",
                f"--workdir={folder}",
            )  # fmt: skip
            assert result.returncode == 0, result.stderr
            result = run("synthesize", f"--workdir={folder}", f"--save_generator={file}")
            assert result.returncode == 0, result.stderr
            assert "the generator of step 4 is in" in result.stdout
            assert not (folder / "synthetic").exists()
            made[way] = (folder, file)
        return made[way]

    return of


@pytest.mark.parametrize("way", WAYS)
def test_the_file_draws_what_its_work_folder_draws(saved, way):
    folder, file = saved(way)
    whole, alone = read_generator(WorkFolder(folder)), read_generator_file(file).generator
    counts = images_per_class(whole, 13, False)
    assert counts == images_per_class(alone, 13, False)
    drawn, again = (draw_by_class(each, counts, 5) for each in (whole, alone))
    np.testing.assert_array_equal(drawn.images, again.images)
    np.testing.assert_array_equal(drawn.labels, again.labels)
    assert again.scores is None and drawn.scores is not None
    assert whole.class_names == alone.class_names and whole.step == alone.step


def test_a_step_can_be_chosen_and_the_same_generator_gives_the_same_bytes(saved, tmp_path):
    folder, file = saved("none")
    of_step = [f"--save_generator={tmp_path / 'two'}", "--step=2"]
    for more in ([f"--save_generator={tmp_path / 'again'}"], of_step):
        assert run("synthesize", f"--workdir={folder}", *more).returncode == 0
    assert (tmp_path / "again").read_bytes() == file.read_bytes()
    assert read_generator_file(tmp_path / "two").generator.step == 2


@pytest.mark.parametrize("file_format", ["npz", "png", "tfds"])
def test_images_are_drawn_from_the_file_into_any_folder(saved, tmp_path, file_format):
    folder, file = saved("conditional")
    mine = shutil.copytree(folder, tmp_path / "mine")
    arguments = ["--num=2", "--per_class", f"--format={file_format}"]
    assert run("synthesize", f"--workdir={mine}", *arguments).returncode == 0
    given = [f"--generator={file}", f"--workdir={tmp_path / 'drawn'}", *arguments]
    result = run("synthesize", *given)
    assert result.returncode == 0, result.stderr
    assert "20 images of step 4" in result.stdout
    assert "nothing to do" in run("synthesize", *given).stdout
    one, other = (path / "synthetic" for path in (mine, tmp_path / "drawn"))
    if file_format == "npz":
        with np.load(one / "images.npz") as mine, np.load(other / "images.npz") as drawn:
            assert set(mine) - set(drawn) == {"scores"}
            for name in drawn:
                np.testing.assert_array_equal(mine[name], drawn[name])
        return
    pattern = "*/*.png" if file_format == "png" else "tfds/*tfrecord*"
    found = [sorted(path.relative_to(each) for path in each.glob(pattern)) for each in (one, other)]
    assert found[0] == found[1] and found[0]
    if file_format == "png":
        for name in found[0]:
            assert (one / name).read_bytes() == (other / name).read_bytes()
        text = (other / "datasheet.md").read_text()
        assert "Images of digits (" in text and "file of a generator" in text


def test_what_it_tells(saved):
    _, file = saved("per_class")
    with safe_open(file, framework="numpy") as opened:
        told = json.loads(opened.metadata()["gaug_jax"])
        assert all("opt" not in name and "discriminator" not in name for name in opened.keys())  # noqa: SIM118
    assert told["format_version"] == 1 and told["family"] == "dcgan" and told["step"] == 4
    assert told["image_size"] == 8 and told["channels"] == 1
    assert told["class_names"] == list("0123456789") and sum(told["class_counts"]) > 1000
    assert told["config"]["model"]["width"] == 4 and told["config"]["data"]["path"] is None
    assert told["training_data"]["source"] == "digits" and told["training_data"]["licences"]
    assert told["training_data"]["sha256"] is None and told["privacy"] is None
    assert len(told["sha256"]) == 64


def test_private_training_is_told(saved, tmp_path):
    generator = read_generator(WorkFolder(saved("none")[0]))
    spent = {"epsilon": 3.5, "delta": 0.001}
    generator = dataclasses.replace(generator, privacy=spent, class_counts=(1,) * 10)
    whole = read_generator_file(saved("none")[1])
    path = tmp_path / "private"
    write_generator_file(path, generator, whole.settings, whole.training_data)
    found = read_generator_file(path)
    assert found.generator.privacy == spent and found.generator.class_counts == (1,) * 10
    synthesize_from_file(str(path), str(tmp_path / "W"), DrawingOptions(2), "png")
    text = (tmp_path / "W" / "synthetic" / "datasheet.md").read_text()
    assert privacy_sentence(spent) in text


def changed(file, path, tell=None, tensors=None):
    """Writes the file with other facts or tensors, and the hash that belongs to them."""
    with safe_open(file, framework="numpy") as opened:
        told = json.loads(opened.metadata()["gaug_jax"])
    arrays = load(file.read_bytes())
    told.update(tell or {})
    if tensors:
        tensors(arrays)
    told["sha256"] = _sha256({k: v for k, v in told.items() if k != "sha256"}, arrays)
    path.write_bytes(save(arrays, {"gaug_jax": json.dumps(told)}))


def without_the_first(arrays):
    del arrays[min(arrays)]


def with_one_more(arrays):
    arrays["params/more"] = np.zeros(3, np.float32)


def with_another_shape(arrays):
    arrays[min(arrays)] = np.zeros((3, 3), np.float32)


def with_another_dtype(arrays):
    arrays[min(arrays)] = arrays[min(arrays)].astype(np.float64)


def with_nan(arrays):
    arrays[min(arrays)] = np.full_like(arrays[min(arrays)], np.nan)


@pytest.mark.parametrize(
    ("tell", "tensors", "message"),
    [
        ({"format_version": 2}, None, "has version 2 of the format, and this gaug_jax reads 1"),
        ({"class_names": ["a"]}, None, "what it tells is wrong"),
        ({"class_counts": [0] * 10}, None, "what it tells is wrong"),
        ({"class_names": None}, None, "what it tells is wrong"),
        ({"config": {}}, None, "config.seed is missing"),
        ({"config": {"seed": 0, "data": {"image_size": 9}}}, None, "image_size=9"),
        ({"config": {"seed": 0, "data": {"image_size": 8}}}, None, "tensor"),
        (
            {"config": {"seed": 0, "data": {"image_size": 8}, "model": {"width": 10**15}}},
            None,
            "tensor",
        ),
        (
            {"config": {"seed": 0, "data": {"image_size": 8}, "model": {"latent_dim": -1}}},
            None,
            "latent_dim=-1 is too small",
        ),
        ({"image_size": 16}, None, "family, image size or channels"),
        ({"family": "another"}, None, "family, image size or channels"),
        ({"training_data": {}}, None, "what it tells is wrong"),
        ({"privacy": {}}, None, "what it tells is wrong"),
        (None, without_the_first, "has no tensor 'batch_stats/"),
        (None, with_one_more, "has an unknown tensor 'params/more'"),
        (None, with_another_shape, "is F32 (3, 3), and its config makes it F32 ("),
        (None, with_another_dtype, "is F64 ("),
        (None, with_nan, "holds parameters that are not finite"),
    ],
)
def test_files_that_do_not_fit_are_refused(saved, tmp_path, tell, tensors, message):
    changed(saved("none")[1], tmp_path / "other", tell, tensors)
    with pytest.raises(UserError) as found:
        read_generator_file(tmp_path / "other")
    assert message in str(found.value) and "\n" not in str(found.value)


def test_every_flipped_byte_and_every_cut_is_found(saved, tmp_path):
    whole = saved("none")[1].read_bytes()
    path = tmp_path / "damaged"
    random = np.random.default_rng(0)
    header = int.from_bytes(whole[:8], "little")
    places = [*range(12), *random.integers(8, 8 + header, 60), *random.integers(0, len(whole), 60)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(UserError):
            read_generator_file(path)
    for length in (0, 7, 8, 100, 8 + header, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError):
            read_generator_file(path)
    huge = (2**63 - 1).to_bytes(8, "little")
    for content in (huge + whole[8:], whole + b"more", b"no file of ours" * 9, save({})):
        path.write_bytes(content)
        with pytest.raises(UserError):
            read_generator_file(path)


def test_mistakes(saved, tmp_path):
    folder, file = saved("none")
    new, old = f"--workdir={tmp_path / 'drawn'}", f"--workdir={folder}"
    for arguments, message in (
        ([old], "give --num, --save_generator or both"),
        ([old, f"--save_generator={tmp_path / 'g'}", "--num=0"], "--num=0: give 1 or more"),
        ([old, f"--save_generator={tmp_path / 'g'}", "--seed=1"], "--seed has no effect without"),
        ([old, f"--save_generator={tmp_path / 'g'}", "--step=3"], "no checkpoint of step 3"),
        ([old, f"--save_generator={tmp_path}"], "--save_generator="),
        ([new, f"--generator={file}"], "--generator has no effect without --num"),
        ([new, f"--generator={file}", "--num=1", "--step=2"], "leave --generator out"),
        ([old, f"--generator={file}", "--num=1"], "choose another --workdir"),
        ([new, f"--generator={file}", "--num=1", "--rejection=2"], "needs the discriminator"),
        ([new, f"--generator={file}", "--num=1", "--filter=copies"], "the real images"),
        ([new, f"--generator={file}", "--num=1", "--per_class"], "needs a generator of classes"),
        ([new, f"--generator={tmp_path / 'none'}", "--num=1"], "does not exist"),
        ([new, f"--generator={tmp_path}", "--num=1"], "cannot be read"),
    ):  # fmt: skip
        assert message in refused("synthesize", *arguments)
    assert not any(tmp_path.iterdir())
