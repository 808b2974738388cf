"""`python -m gaug_jax.inspect`: what it prints and draws, and what it refuses."""

import os

import numpy as np
import pytest
from PIL import Image
from support.commands import refused, run, run_apart
from support.made_data import make_films, make_folder, random_picture, save

from gaug_jax.files import atomic_file, read_json
from gaug_jax.images import cut_grid
from gaug_jax.reporting.contact_sheets import chosen_images, sheet

SIZE = 16


def inspected(tmp_path, *arguments):
    result = run(
        "inspect", "--config=configs/folder.py", f"--config.data.image_size={SIZE}",
        f"--config.data.cache_path={tmp_path / 'cache'}", f"--out={tmp_path / 'seen'}", *arguments,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


def images_of(tmp_path, name):
    """Returns the images of a sheet; 16 pixels are enlarged three times."""
    picture = np.asarray(Image.open(tmp_path / "seen" / "contact_sheets" / f"{name}.png"))
    return cut_grid(picture[..., None], 3 * SIZE)[:, ::3, ::3]


def test_the_card_counts_what_training_would_read(tmp_path):
    root = make_folder(tmp_path / "mine", images=20)
    save(root / "cat" / "tall.png", random_picture(5, (60, 24, 3)))
    (root / "cat" / "notes.txt").write_text("words")
    printed = inspected(tmp_path, f"--config.data.path={root}")
    rows = {
        line.split("  ")[1]: line.split()[1:] for line in printed.splitlines() if line[:2] == "  "
    }
    counts = read_json(tmp_path / "seen" / "data_manifest.json")["counts"]
    for name in ("cat", "dog"):
        assert rows[name] == [str(counts[part][name]) for part in ("train", "validation", "test")]
    assert "  formats         PNG 41" in printed
    assert "2 different: height 20 to 60 (median 20), width 24" in printed
    assert "coloured 1, of 16 bits 0, with several pages 0" in printed
    assert "not read, of other kinds (.txt 1): cat/notes.txt" in printed
    assert "read as class/<picture>" in printed


def test_a_sheet_has_the_images_as_they_are_used(tmp_path):
    root = make_folder(tmp_path / "mine", images=12)
    save(root / "cat" / "same.png", random_picture(1000))  # The first dog's pixels.
    inspected(tmp_path, f"--config.data.path={root}", "--num=5")
    for name, count in (("cat", 5), ("dog", 5), ("duplicates", 2)):
        assert len(images_of(tmp_path, name)) == count
    left, right = images_of(tmp_path, "duplicates")
    np.testing.assert_array_equal(left, right)


def test_what_is_absent_stops_nothing_and_is_said(tmp_path):
    root = make_films(tmp_path / "films")
    films = ("--config.data.source=covid_chestxray", f"--config.data.path={root}")
    printed = inspected(tmp_path, *films)
    assert "1 pictures absent: film5.png" in printed
    assert "training stops at pictures that are absent" in printed
    assert "training stops" not in inspected(tmp_path, *films, "--config.data.allow_missing=True")


def test_names_that_are_no_text_are_read_and_shown(tmp_path):
    # As archives of before have them: of bytes that are Latin-1.
    root = make_folder(tmp_path / "mine", images=12)
    os.rename(root / "cat", os.fsencode(root) + b"/caf\xe9")
    name = os.fsencode(next((root / "dog").iterdir()))
    os.rename(name, name[:-4] + b"\xfc.png")
    result = run_apart(
        "inspect", "--config=configs/folder.py", "--config.data.image_size=16",
        f"--config.data.path={root}", f"--out={tmp_path / 'seen'}",
        more_environment={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "2 classes: café, dog" in result.stdout
    assert (tmp_path / "seen" / "contact_sheets" / "café.png").exists()
    with atomic_file(tmp_path / "names.csv", "w") as file:
        file.write("caf\udce9")
    assert (tmp_path / "names.csv").read_text("utf-8") == "caf\\udce9"


def test_an_earlier_call_leaves_nothing(tmp_path):
    inspected(tmp_path, f"--config.data.path={make_folder(tmp_path / 'a', ('x', 'y'))}")
    inspected(tmp_path, f"--config.data.path={make_folder(tmp_path / 'b', ('z', 'w'))}")
    sheets = sorted(path.name for path in (tmp_path / "seen" / "contact_sheets").iterdir())
    assert sheets == ["w.png", "z.png"]


def test_each_group_has_an_image_before_any_has_two():
    groups = np.array([7] * 10 + [8] * 3 + [9])
    places = np.arange(100, 114)
    for most, of_group in ((3, {7: 1, 8: 1, 9: 1}), (6, {7: 3, 8: 2, 9: 1})):
        found = groups[chosen_images(places, groups, most) - 100]
        counts = dict(zip(*np.unique(found, return_counts=True), strict=True))
        if most == 3:
            assert counts == of_group
        assert sum(counts.values()) == most and counts[8] >= 1 and counts[9] == 1
    assert len(chosen_images(places, groups, 99)) == 14


@pytest.mark.parametrize("size", [8, 64])
def test_images_of_a_sheet_are_whole(size):
    images = np.random.default_rng(0).integers(0, 256, (5, size, size, 3), np.uint8)
    factor = max(1, 48 // size)
    cut = cut_grid(sheet(images, 12), size * factor)[:, ::factor, ::factor]
    np.testing.assert_array_equal(cut, images)


def test_bad_input_is_one_line(tmp_path):
    line = refused("inspect", "--config=configs/folder.py", f"--config.data.path={tmp_path / 'no'}")
    assert "does not exist" in line
    (tmp_path / "file").write_text("x")
    out = f"--out={tmp_path / 'file'}"
    assert "--out" in refused("inspect", "--config=configs/digits.py", out)
    assert "num" in refused("inspect", "--config=configs/digits.py", "--num=0")


def test_what_can_be_no_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name in ("link", "link/below", 300 * "x"):
        line = refused("inspect", "--config=configs/digits.py", f"--out={tmp_path / name}")
        assert "cannot be written: choose a file in a folder of yours" in line
