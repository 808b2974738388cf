"""Sampling from a work folder alone, as files a user can take elsewhere."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image
from support.commands import TINY, refused, run
from support.made_data import data_settings

from gaug_jax.data.sources import read_source
from gaug_jax.evaluation.image_sets import read_image_set
from gaug_jax.synthesis import export
from gaug_jax.synthesis.drawing import SyntheticImages, share_out
from gaug_jax.synthesis.export import class_folders
from gaug_jax.workfolder import WorkFolder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Work folders of four steps, one for each way to treat labels."""
    made = {}
    for labels in ("none", "conditional", "per_class"):
        folder = tmp_path_factory.mktemp(labels) / "W"
        result = run(
            "main", *TINY, "--config.train.steps=4", "--config.train.checkpoint_every=2",
            f"--config.model.labels={labels}", f"--workdir={folder}",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        made[labels] = folder
    return made


@pytest.fixture
def copy_of(trained, tmp_path):
    def copy(labels):
        shutil.copytree(trained[labels], tmp_path / labels)
        return tmp_path / labels

    return copy


@pytest.mark.parametrize("labels", ["conditional", "per_class"])
def test_images_of_every_class_in_the_training_proportions(copy_of, labels):
    folder = copy_of(labels)
    result = run("synthesize", f"--workdir={folder}", "--num=41")
    assert result.returncode == 0, result.stderr
    with np.load(folder / "synthetic" / "images.npz", allow_pickle=False) as drawn:
        assert drawn["images"].shape == (41, 8, 8, 1)
        assert drawn["images"].dtype == np.uint8
        assert drawn["scores"].shape == (41,)
        assert np.isfinite(drawn["scores"]).all()
        counts = np.bincount(drawn["labels"], minlength=10)
    # The digits' classes are nearly equal in size: four of each, and one more somewhere.
    assert sorted(counts) == [4] * 9 + [5]
    again = run("synthesize", f"--workdir={folder}", "--num=41")
    assert "nothing to do" in again.stdout


def test_the_same_seed_gives_the_same_images(copy_of):
    folder = copy_of("conditional")
    drawn = []
    for arguments in (["--num=3"], ["--num=5"], ["--num=3", "--seed=1"], ["--num=3", "--step=2"]):
        result = run("synthesize", f"--workdir={folder}", "--per_class", *arguments)
        assert result.returncode == 0, result.stderr
        with np.load(folder / "synthetic" / "images.npz") as arrays:
            drawn.append(arrays["images"].reshape(10, -1, 8, 8, 1))
    np.testing.assert_array_equal(drawn[0], drawn[1][:, :3])
    assert (drawn[0] != drawn[2]).any()
    assert (drawn[0] != drawn[3]).any()


def test_the_choice_of_latents_is_part_of_what_was_drawn(copy_of):
    folder = copy_of("conditional")
    drawn = []
    for arguments in ([], ["--truncation=0.3"], ["--truncation=0.3", "--rejection=3"]):
        result = run("synthesize", f"--workdir={folder}", "--num=20", *arguments)
        assert result.returncode == 0, result.stderr
        assert "20 images of step 4" in result.stdout
        with np.load(folder / "synthetic" / "images.npz") as arrays:
            drawn.append((arrays["images"], arrays["scores"]))
    assert (drawn[0][0] != drawn[1][0]).any()
    assert drawn[2][1].mean() > drawn[1][1].mean()
    again = run("synthesize", f"--workdir={folder}", "--num=20", *arguments)
    assert "nothing to do" in again.stdout


def test_pictures_by_class_with_a_manifest(copy_of):
    folder = copy_of("per_class")
    arguments = ["synthesize", f"--workdir={folder}", "--num=2", "--per_class"]
    assert run(*arguments).returncode == 0
    assert run(*arguments, "--format=png").returncode == 0
    with open(folder / "synthetic" / "manifest.csv") as file:
        rows = list(csv.DictReader(file))
    with np.load(folder / "synthetic" / "images.npz") as arrays:
        images, labels, scores = (arrays[name] for name in ("images", "labels", "scores"))
    assert [int(row["label"]) for row in rows] == labels.tolist()
    for row, image, score in zip(rows, images, scores, strict=True):
        picture = np.asarray(Image.open(folder / "synthetic" / row["file"]))
        np.testing.assert_array_equal(picture, image[..., 0])
        assert float(row["score"]) == pytest.approx(float(score), rel=1e-6)
    assert {row["file"].split("/")[0] for row in rows} == set("0123456789")


NAMES = ("a/b, or so", "Ünïcode: ক", "plain")


def drawn_of(labels):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(labels), 4, 4, 1), np.uint8)
    return SyntheticImages(images, np.array(labels, np.int32), np.zeros(len(labels), np.float32))


def test_classes_keep_their_names_whatever_they_hold(tmp_path):
    folder, drawn = WorkFolder(tmp_path), drawn_of([0, 1, 1, 2])
    wanted = [NAMES[label] for label in drawn.labels]
    export.write_npz(folder, drawn, NAMES, {})
    assert read_image_set(folder.synthetic_images).classes.tolist() == wanted
    of_npz = read_source(data_settings(source="npz", path=str(folder.synthetic_images)))
    assert [record.label for record in of_npz.records] == wanted
    folder.synthetic_images.unlink()
    export.write_pictures(folder, drawn, NAMES)
    pictures = read_image_set(folder.synthetic)
    assert sorted(pictures.classes) == sorted(wanted)
    of_folder = read_source(data_settings(source="folder", path=str(folder.synthetic)))
    assert sorted(record.label for record in of_folder.records) == sorted(wanted)


def test_images_without_classes_have_no_names(tmp_path):
    folder = WorkFolder(tmp_path)
    export.write_npz(folder, drawn_of([-1, -1]), NAMES, {})
    with np.load(folder.synthetic_images) as arrays:
        assert "class_names" not in arrays
    assert read_image_set(folder.synthetic_images).classes is None


def test_pictures_of_an_earlier_drawing_do_not_stay(copy_of):
    folder = copy_of("per_class")
    for number in (20, 3):
        assert (
            run("synthesize", f"--workdir={folder}", f"--num={number}", "--format=png").returncode
            == 0
        )
    with open(folder / "synthetic" / "manifest.csv") as file:
        named = {row["file"] for row in csv.DictReader(file)}
    found = {
        str(path.relative_to(folder / "synthetic")) for path in folder.rglob("synthetic/*/*.png")
    }
    assert found == named and len(named) == 3


def test_images_that_were_removed_are_drawn_again(copy_of):
    folder = copy_of("conditional")
    images = folder / "synthetic" / "images.npz"
    drawn = []
    for _ in range(2):
        assert run("synthesize", f"--workdir={folder}", "--num=3").returncode == 0
        drawn.append(images.read_bytes())
        images.unlink()
    assert drawn[0] == drawn[1]


def test_a_generator_without_labels(copy_of):
    folder = copy_of("none")
    assert run("synthesize", f"--workdir={folder}", "--num=7").returncode == 0
    with np.load(folder / "synthetic" / "images.npz") as arrays:
        assert arrays["labels"].tolist() == [-1] * 7
    assert "--per_class needs a generator of classes" in refused(
        "synthesize", f"--workdir={folder}", "--num=7", "--per_class"
    )


def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(copy_of):
    folder = copy_of("conditional")
    victim = folder / "checkpoints" / "00000004" / "sha256.json"
    victim.write_text(victim.read_text().replace("a", "b"))
    result = run("synthesize", f"--workdir={folder}", "--num=1")
    assert result.returncode == 0, result.stderr
    assert "checkpoint of step 4 is damaged: using step 2" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--num=0"], "--num=0: give 1 or more"),
        ([], "num"),
        (["--num=1", "--step=3"], "no checkpoint of step 3: it has 2, 4"),
        (["--num=1", "--format=jpg"], "format"),
        (["--num=1", "--truncation=0"], "--truncation=0.0: give a number above 0"),
        (["--num=1", "--truncation=-1"], "--truncation=-1.0: give a number above 0"),
        (["--num=1", "--rejection=0"], "--rejection=0: give 1 or more"),
    ],
)
def test_mistakes(trained, arguments, message):
    assert message in refused("synthesize", f"--workdir={trained['none']}", *arguments)


def test_a_folder_that_is_no_work_folder(tmp_path):
    line = refused("synthesize", f"--workdir={tmp_path / 'W'}", "--num=1")
    assert "config.json does not exist" in line
    assert not (tmp_path / "W").exists()


def test_whole_numbers_in_proportion():
    # Hamilton's method by hand: 10 * (5, 3, 1) / 9 = 5.56, 3.33, 1.11; the one that is left
    # goes to the largest remainder.
    assert share_out(10, [5, 3, 1]) == [6, 3, 1]
    assert share_out(0, [1, 2]) == [0, 0]
    assert share_out(3, [1, 1]) == [2, 1]
    assert share_out(7, [4]) == [7]


def test_folders_of_classes_fit_any_file_system():
    assert class_folders(("COVID-19", "a/b:c", "..")) == ["COVID-19", "a_b_c", "class_2"]
    # Vowel signs are combining marks: these two must not become one folder.
    assert class_folders(("কা", "কি")) == ["কা", "কি"]
    assert class_folders((300 * "é", "a")) == [50 * "é", "a"]
    assert class_folders((300 * "a" + "b", 300 * "a")) == ["0_" + 100 * "a", "1_" + 100 * "a"]


def test_no_two_classes_share_a_folder():
    assert class_folders(("a/b", "a:b", "c")) == ["0_a_b", "1_a_b", "2_c"]
    assert class_folders(("A", "a")) == ["0_A", "1_a"]
    assert class_folders(("e\u0301", "\u00e9")) == ["0_e\u0301", "1_\u00e9"]
    assert class_folders(("1_a", "tfds")) == ["0_1_a", "1_tfds"]


def test_a_filter_keeps_the_best_of_more_and_stores_every_score(copy_of):
    folder = copy_of("conditional")
    arguments = [f"--workdir={folder}", "--num=40", "--filter=copies", "--keep=0.4"]
    result = run("synthesize", *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("takes") == 10  # The agreement of each class is told.
    with np.load(folder / "synthetic" / "images.npz") as drawn:
        kept = drawn["filter_copies"]
        assert len(kept) == len(drawn["images"]) == 40
        for name in ("discriminator", "agreement", "density"):
            assert np.isfinite(drawn[f"filter_{name}"]).all()
    every = run("synthesize", f"--workdir={folder}", "--num=100", "--filter_scores")
    assert every.returncode == 0, every.stderr
    with np.load(folder / "synthetic" / "images.npz") as drawn:
        assert len(drawn["images"]) == 100
        # The same seed: the forty are the best of these hundred, a class's tenth or so each.
        assert kept.mean() > drawn["filter_copies"].mean()


def test_a_filter_needs_classes_and_a_share(copy_of):
    folder = copy_of("none")
    line = refused("synthesize", f"--workdir={folder}", "--num=4", "--filter=density")
    assert "filters need a generator of classes" in line
    arguments = ["synthesize", f"--workdir={folder}", "--num=4", "--keep=0"]
    assert "--keep=0" in refused(*arguments, "--filter=density")
    assert "--keep has no effect without --filter: give both" in refused(*arguments)


@pytest.mark.parametrize("labels", ["conditional", "none"])
def test_tensorflow_datasets_reads_what_was_written(copy_of, labels):
    import tensorflow_datasets as tfds

    folder = copy_of(labels)
    result = run("synthesize", f"--workdir={folder}", "--num=21", "--format=tfds")
    assert result.returncode == 0, result.stderr
    run("synthesize", f"--workdir={folder}", "--num=21")
    assert (folder / "synthetic" / "tfds" / "datasheet.md").exists()
    builder = tfds.builder_from_directory(folder / "synthetic" / "tfds")
    rows = list(tfds.as_numpy(builder.as_dataset("train", shuffle_files=False)))
    with np.load(folder / "synthetic" / "images.npz", allow_pickle=False) as drawn:
        np.testing.assert_array_equal([row["image"] for row in rows], drawn["images"])
        np.testing.assert_array_equal([row["score"] for row in rows], drawn["scores"])
        if labels == "conditional":
            np.testing.assert_array_equal([row["label"] for row in rows], drawn["labels"])
            assert builder.info.features["label"].num_classes == 10
    assert not list((folder / "synthetic").glob(".*"))


def test_the_datasheet_says_how_and_of_what(copy_of):
    folder = copy_of("conditional")
    result = run(
        "synthesize", f"--workdir={folder}", "--num=30", "--format=png", "--truncation=2",
        "--rejection=2",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    text = (folder / "synthetic" / "datasheet.md").read_text()
    assert "30 images of 8x8 pixels" in text and "Checkpoint of step 4" in text
    assert "every number within 2 of 0, the best of 2" in text and "- Filter: none." in text
    assert "CC BY 4.0: 1797 images" in text and "Not for diagnosis" in text
    assert "were not audited" in text
    (folder / "synthetic" / "datasheet.md").unlink()
    again = run("synthesize", f"--workdir={folder}", "--num=30", "--format=png", "--truncation=2",
                "--rejection=2")  # fmt: skip
    assert "nothing to do" in again.stdout
    assert (folder / "synthetic" / "datasheet.md").read_text() == text
