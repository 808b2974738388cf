import dataclasses
import logging
import os

import numpy as np
import pytest
from PIL import Image
from support.made_data import data_settings, make_folder, random_picture, save

from gaug_jax.data.decoding import decode_file
from gaug_jax.data.preprocess import cache_folder, cache_key, preprocess
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.sources import read_source


@pytest.fixture
def folder_settings(tmp_path):
    make_folder(tmp_path / "pictures", images=3)
    return data_settings(
        source="folder", path=str(tmp_path / "pictures"), cache_path=str(tmp_path / "cache")
    )


def _entries(settings):
    return sorted(cache_folder(settings).glob("*.npz"))


def test_images_are_stacked_in_order(folder_settings):
    data = read_source(folder_settings)
    made = preprocess(data, folder_settings)
    assert made.images.shape == (6, 16, 16, 1)
    assert made.images.dtype == np.uint8
    with Image.open(data.records[4].picture) as picture:
        expected = picture.resize((16, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(made.images[4, :, :, 0], expected)
    np.testing.assert_array_equal(made.kept, np.arange(6))


def test_arrays_and_files_of_them_are_the_same(tmp_path):
    array = random_picture(0, (20, 30, 3))
    path = save(tmp_path / "one.png", array)
    records = (
        Record("array", array, "x"),
        Record("file", path, "x"),
        Record("b", path.read_bytes(), "x"),
    )
    for channels in (1, 3):
        settings = data_settings(channels=channels, cache_path=str(tmp_path / "cache"))
        images = preprocess(SourceData("made", "1", records), settings).images
        np.testing.assert_array_equal(images[0], images[1])
        np.testing.assert_array_equal(images[0], images[2])


def test_grey_arrays_become_rgb():
    grey = random_picture(0, (16, 16, 1))
    data = SourceData("grey", "1", (Record("grey", grey, "x"),))
    images = preprocess(data, data_settings(channels=3)).images
    np.testing.assert_array_equal(images[0], np.repeat(grey, 3, axis=-1))


def test_cache_is_reused_and_says_so(folder_settings, caplog):
    data = read_source(folder_settings)
    first = preprocess(data, folder_settings)
    before = [entry.stat().st_mtime_ns for entry in _entries(folder_settings)]
    with caplog.at_level(logging.INFO, "gaug_jax"):
        second = preprocess(data, folder_settings)
    assert "reusing 6 preprocessed images" in caplog.text
    np.testing.assert_array_equal(first.images, second.images)
    assert [entry.stat().st_mtime_ns for entry in _entries(folder_settings)] == before
    assert len(before) == 1


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_entry_is_made_anew(folder_settings, damage, caplog):
    data = read_source(folder_settings)
    made = preprocess(data, folder_settings)
    [entry] = _entries(folder_settings)
    content = bytearray(entry.read_bytes())
    whole = bytes(content)
    content[400] ^= 1  # Among the pixels of the first image.
    entry.write_bytes({"cut": content[:700], "flip": content, "empty": b""}[damage])
    again = preprocess(data, folder_settings)
    np.testing.assert_array_equal(again.images, made.images)
    assert "is damaged and is made anew" in caplog.text
    assert entry.read_bytes()[:700] == whole[:700]


def test_every_option_of_the_pixels_is_in_the_key(folder_settings):
    data = read_source(folder_settings)
    keys = {cache_key(data, folder_settings)}
    for change in ({"image_size": 32}, {"channels": 3}, {"resize": "pad"}):
        keys.add(cache_key(data, dataclasses.replace(folder_settings, **change)))
    keys.add(cache_key(dataclasses.replace(data, version="2"), folder_settings))
    keys.add(cache_key(dataclasses.replace(data, source="other"), folder_settings))
    keys.add(cache_key(dataclasses.replace(data, records=data.records[1:]), folder_settings))
    path = data.records[0].picture
    os.utime(path, ns=(1, 1))
    keys.add(cache_key(data, folder_settings))
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(1, 1))
    keys.add(cache_key(data, folder_settings))
    assert len(keys) == 9


def test_options_of_the_split_are_not_in_the_key(folder_settings):
    data = read_source(folder_settings)
    other = dataclasses.replace(folder_settings, fold=3, train_size=2, split_seed=5)
    assert cache_key(data, folder_settings) == cache_key(data, other)


def test_changed_picture_is_read_again(folder_settings):
    before = preprocess(read_source(folder_settings), folder_settings)
    data = read_source(folder_settings)
    save(data.records[2].picture, random_picture(99, (40, 40)))
    after = preprocess(read_source(folder_settings), folder_settings)
    changed = (before.images != after.images).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.flatnonzero(changed), [2])


def test_unreadable_pictures_are_collected_and_cached(folder_settings):
    data = read_source(folder_settings)
    path = data.records[1].picture
    path.write_bytes(path.read_bytes()[:200])
    for _ in range(2):
        made = preprocess(data, folder_settings)
        assert list(made.unreadable) == ["cat/01.png"]
        assert "truncated" in made.unreadable["cat/01.png"]
        np.testing.assert_array_equal(made.kept, [0, 2, 3, 4, 5])
        assert len(made.images) == 5


def test_cache_folder_follows_setting_then_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "gaug"))
    assert cache_folder(data_settings(cache_path=str(tmp_path))) == tmp_path
    assert cache_folder(data_settings()) == tmp_path / "gaug"
    monkeypatch.delenv("GAUG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder(data_settings()) == tmp_path / "xdg" / "gaug_jax"


def test_cache_that_cannot_be_written_is_no_failure(folder_settings, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    settings = dataclasses.replace(folder_settings, cache_path=str(tmp_path / "file" / "cache"))
    assert len(preprocess(read_source(settings), settings).images) == 6
    assert "images are not cached" in caplog.text


def smooth_film(path, shape, seed=0, **options):
    """Writes a large film as JPEG: broad shades, edges and grain."""
    random = np.random.default_rng(seed)
    shades = np.asarray(
        Image.fromarray(random.integers(0, 256, (9, 9), np.uint8)).resize(
            shape[::-1], Image.Resampling.BICUBIC
        ),
        np.float32,
    )
    shades[: shape[0] // 3, shape[1] // 2 :] = 250
    film = (shades + random.normal(0, 2, shape)).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(film).save(path, quality=92, **options)
    return path


@pytest.mark.parametrize("resize", ["stretch", "pad"])
def test_large_jpegs_are_decoded_small_and_look_the_same(tmp_path, resize):
    shapes = [(700, 1100), (1024, 1024), (300, 2000), (260, 260)]
    exif = Image.Exif()
    exif[0x0112] = 6
    for index, shape in enumerate(shapes):
        more = {"exif": exif} if index == 0 else {}
        smooth_film(tmp_path / "mine" / "ab"[index % 2] / f"{index}.jpg", shape, index, **more)
    settings = data_settings(
        source="folder", path=str(tmp_path / "mine"), cache_path=str(tmp_path), resize=resize
    )
    whole = dataclasses.replace(settings, decode_whole=True)
    data = read_source(settings)
    assert cache_key(data, settings) != cache_key(data, whole)
    small, exact = (preprocess(data, each) for each in (settings, whole))
    difference = np.abs(small.images.astype(int) - exact.images)
    # One of 255 by the rounding of the decoder's own reduction.
    assert 0 < difference.max() <= 1
    np.testing.assert_array_equal(small.facts, exact.facts)
    by_name = {record.name: facts for record, facts in zip(data.records, small.facts, strict=True)}
    assert by_name["a/0.jpg"][:2].tolist() == [1100, 700]  # As it is shown.
    height, width, _ = decode_file(data.records[0].picture, 1, "0", least_side=128).pixels.shape
    assert (height, width) == (275, 175)


def test_what_is_cut_is_decoded_whole(tmp_path):
    smooth_film(tmp_path / "mine" / "a" / "0.jpg", (640, 640))
    Image.fromarray(np.full((640, 640), 255, np.uint8)).save(tmp_path / "0.png")
    settings = data_settings(
        source="folder", path=str(tmp_path / "mine"), cache_path=str(tmp_path / "cache")
    )
    exact = preprocess(
        read_source(settings), dataclasses.replace(settings, decode_whole=True)
    ).images
    masks = tmp_path / "masks" / "a"
    masks.mkdir(parents=True)
    (tmp_path / "0.png").rename(masks / "0.png")
    masked = preprocess(
        read_source(settings), dataclasses.replace(settings, masks=str(masks.parent))
    ).images
    np.testing.assert_array_equal(masked, exact)
    cut, whole = (
        preprocess(read_source(each), each).images
        for each in (
            dataclasses.replace(settings, crop=0.7, decode_whole=whole) for whole in (False, True)
        )
    )
    np.testing.assert_array_equal(cut, whole)
