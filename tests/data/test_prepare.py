import dataclasses
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from support.made_data import (
    data_settings,
    make_characters,
    make_films,
    make_folder,
    random_picture,
    save,
)

from gaug_jax.data import prepare
from gaug_jax.data.load import natural_order
from gaug_jax.data.manifest import report_lines
from gaug_jax.errors import UserError


@pytest.fixture
def folder_settings(tmp_path):
    make_folder(tmp_path / "pictures", images=20)
    return data_settings(
        source="folder", path=str(tmp_path / "pictures"), cache_path=str(tmp_path / "cache")
    )


def _changed(settings, **fields):
    return dataclasses.replace(settings, **fields)


def test_parts_hold_the_images_and_labels(folder_settings):
    prepared = prepare(folder_settings)
    assert prepared.class_names == ("cat", "dog")
    assert prepared.images.shape == (40, 16, 16, 1)
    assert prepared.labels.dtype == prepared.groups.dtype == np.int32
    # A fifth is tested, and a tenth of the rest, in each class of 20: 4, 2 and 14.
    for part, size in (("test", 4), ("validation", 2), ("train", 14), ("unused", 0)):
        images, labels = prepared.part(part)
        assert np.bincount(labels, minlength=2).tolist() == [size, size], part
        np.testing.assert_array_equal(images, prepared.images[prepared.parts == part])
    with pytest.raises(ValueError, match="part 'training' is not one of"):
        prepared.part("training")


def test_manifest_lists_every_image_and_count(folder_settings):
    prepared = prepare(_changed(folder_settings, train_size=10))
    manifest = prepared.manifest
    assert json.loads(json.dumps(manifest)) == manifest
    assert manifest["source"] == "folder"
    assert manifest["options"]["train_size"] == 10
    assert manifest["num_images"] == manifest["num_groups"] == len(manifest["rows"]) == 40
    assert manifest["counts"]["train"] == {"cat": 5, "dog": 5}
    assert manifest["counts"]["unused"] == {"cat": 9, "dog": 9}
    assert manifest["groups_known"] is prepared.groups_known is False
    row = manifest["rows"][7]
    assert (row["name"], row["label"], row["source_group"]) == ("cat/07.png", "cat", None)
    assert row["part"] == prepared.parts[7]
    assert len({row["sha256"] for row in manifest["rows"]}) == 40


def test_content_hash_follows_what_training_sees(folder_settings, tmp_path):
    def hashed(**fields):
        return prepare(_changed(folder_settings, **fields)).manifest["manifest_sha256"]

    first = hashed()
    assert hashed() == first
    make_folder(tmp_path / "elsewhere", images=20)
    assert hashed(path=str(tmp_path / "elsewhere")) == first
    others = {hashed(fold=1), hashed(train_size=10), hashed(split_seed=1), hashed(resize="pad")}
    assert len(others | {first}) == 5


def test_duplicates_join_groups_across_patients(tmp_path):
    make_films(tmp_path / "films", absent=())
    images = tmp_path / "films" / "images"
    # Film 8 of patient 4 (COVID-19) is published again as film 17 of patient 8 (COVID-19).
    (images / "film17.png").write_bytes((images / "film8.png").read_bytes())
    settings = data_settings(
        source="covid_chestxray",
        path=str(tmp_path / "films"),
        num_folds=3,
        cache_path=str(tmp_path),
    )
    for fold in range(3):
        prepared = prepare(_changed(settings, fold=fold))
        assert prepared.groups_known
        index = {name: place for place, name in enumerate(prepared.names)}
        joined = [index[f"film{number}.png"] for number in (8, 9, 16, 17)]
        assert len(set(prepared.groups[joined])) == 1
        assert len(set(prepared.parts[joined])) == 1
        for part in ("train", "validation", "test"):
            inside = prepared.groups[prepared.parts == part]
            assert not np.isin(inside, prepared.groups[prepared.parts != part]).any()
    duplicates = prepared.manifest["duplicates"]
    assert duplicates["exact"] == [["film17.png", "film8.png"]]
    assert [sorted(names) for names in duplicates["joined_groups"]] == [["4", "8"]]
    assert prepared.manifest["num_groups"] == 11


def test_training_images_that_duplicate_test_images_are_dropped(tmp_path):
    train, test = (random_picture(seed, (50, 16, 16)) for seed in (0, 1))
    train[[3, 4]] = test[7]
    # A near duplicate: a little brighter.
    base = np.kron(random_picture(2, (4, 4)), np.ones((4, 4), np.uint8)) // 2
    test[9], train[20] = base, base + 9
    path = tmp_path / "parts.npz"
    labels = np.arange(50) % 2
    np.savez(path, train_images=train, train_labels=labels, test_images=test, test_labels=labels)
    prepared = prepare(data_settings(source="npz", path=str(path)))
    dropped = ["train_000003", "train_000004", "train_000020"]
    assert prepared.manifest["dropped_beside_test"] == dropped
    np.testing.assert_array_equal(np.flatnonzero(prepared.parts == "unused"), [3, 4, 20])
    assert (prepared.parts[50:] == "test").all()
    assert prepared.manifest["official_test"] is True


def test_official_parts_can_be_set_aside(tmp_path):
    images, labels = random_picture(0, (60, 16, 16)), np.arange(60) % 2
    path = tmp_path / "parts.npz"
    np.savez(
        path,
        train_images=images[:40],
        train_labels=labels[:40],
        test_images=images[40:],
        test_labels=labels[40:],
    )
    prepared = prepare(data_settings(source="npz", path=str(path), official_test=False))
    assert (prepared.parts == "test").sum() == 12
    assert not (prepared.parts[40:] == "test").all()
    assert prepared.manifest["official_test"] is False


@pytest.mark.parametrize(
    ("parts", "options", "said"),
    [
        (("train", "val"), {}, r"parts as published \(train, validation\) are not kept"),
        (("train", "val", "test"), {}, "validation part is divided anew .*num_folds=0 keeps it"),
        (("train", "val", "test"), {"num_folds": 0}, None),
        (("train", "test"), {}, None),
        (("train", "val"), {"official_test": False}, None),
    ],
)
def test_published_parts_that_are_not_kept_are_said(tmp_path, parts, options, said):
    arrays = {}
    for number, part in enumerate(parts):
        arrays[f"{part}_images"] = random_picture(number, (30, 16, 16))
        arrays[f"{part}_labels"] = np.arange(30) % 2
    np.savez(tmp_path / "parts.npz", **arrays)
    settings = data_settings(source="npz", path=str(tmp_path / "parts.npz"), **options)
    notes = prepare(settings).manifest["notes"]
    assert [bool(re.search(said, note)) for note in notes] == [True] if said else notes == []


def test_absent_films_end_the_run_or_are_listed(tmp_path):
    make_films(tmp_path / "films", absent=("film5.png", "film2.png"))
    settings = data_settings(
        source="covid_chestxray",
        path=str(tmp_path / "films"),
        num_folds=2,
        cache_path=str(tmp_path),
    )
    with pytest.raises(UserError) as caught:
        prepare(settings)
    assert str(caught.value) == (
        "2 pictures are absent: film2.png, film5.png; restore them, or go on without them by "
        "--config.data.allow_missing=True"
    )
    prepared = prepare(_changed(settings, allow_missing=True))
    assert prepared.manifest["missing"] == ["film2.png", "film5.png"]
    assert len(prepared.images) == 22


def test_unreadable_pictures_end_the_run_or_are_listed(folder_settings, tmp_path):
    noise = Image.fromarray(random_picture(0, (64, 64)))
    for number in range(25):
        path = tmp_path / "pictures" / "cat" / f"x{number:02d}.jpg"
        noise.save(path)
        path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(UserError) as caught:
        prepare(folder_settings)
    line = str(caught.value)
    assert line.startswith("25 pictures cannot be read: cat/x00.jpg, cat/x01.jpg, ")
    assert "cat/x19.jpg and 5 more; restore them" in line
    assert "by --config.data.allow_missing=True (cat/x00.jpg cannot be read as a picture" in line
    assert "\n" not in line
    prepared = prepare(_changed(folder_settings, allow_missing=True))
    assert len(prepared.images) == 40
    assert len(prepared.manifest["unreadable"]) == 25
    assert "truncated" in prepared.manifest["unreadable"]["cat/x07.jpg"]
    (line,) = (each for each in report_lines(prepared.manifest) if "not readable" in each)
    assert "and 5 more (the first: cat/x00.jpg cannot be read as a picture" in line


def test_no_readable_picture_ends_the_run_in_any_case(tmp_path):
    (tmp_path / "pictures" / "cat").mkdir(parents=True)
    (tmp_path / "pictures" / "cat" / "a.png").write_bytes(b"no picture")
    settings = data_settings(source="folder", path=str(tmp_path / "pictures"), allow_missing=True)
    with pytest.raises(UserError, match="1 pictures cannot be read: cat/a.png; none is left"):
        prepare(settings)


def test_odd_formats_are_read(tmp_path):
    pictures = tmp_path / "pictures"
    make_folder(pictures, images=5)
    noise = random_picture(1, (16, 16))
    deep = Image.fromarray(noise.astype(np.uint16) * 257)
    deep.save(pictures / "cat" / "deep.png")
    indexed = Image.fromarray(noise).convert("P")
    indexed.save(pictures / "cat" / "indexed.png")
    alpha = Image.fromarray(np.stack([noise] * 3 + [np.full_like(noise, 255)], axis=-1))
    alpha.save(pictures / "cat" / "alpha.png")
    prepared = prepare(data_settings(source="folder", path=str(pictures), num_folds=3))
    for name in ("deep", "indexed", "alpha"):
        index = prepared.names.index(f"cat/{name}.png")
        np.testing.assert_array_equal(prepared.images[index, :, :, 0], noise)
    # The three are one picture, so they are one group.
    assert prepared.manifest["num_groups"] == 11


def test_small_classes_are_dropped_or_merged(folder_settings, tmp_path):
    for number, name in enumerate(("ant", "bee")):
        for index in range(3 + number):
            path = tmp_path / "pictures" / name / f"{index}.png"
            save(path, random_picture(9000 + 10 * number + index))
    dropped = prepare(_changed(folder_settings, min_class_size=5))
    assert dropped.class_names == ("cat", "dog")
    assert dropped.manifest["class_changes"] == {"dropped": {"ant": 3, "bee": 4}, "merged": {}}
    assert len(dropped.images) == 40
    merged = prepare(_changed(folder_settings, min_class_size=5, small_classes="merge"))
    assert merged.class_names == ("cat", "dog", "other")
    assert merged.manifest["class_changes"] == {"dropped": {}, "merged": {"ant": 3, "bee": 4}}
    assert np.bincount(merged.labels).tolist() == [20, 20, 7]
    with pytest.raises(UserError, match="min_class_size=21 leaves no class"):
        prepare(_changed(folder_settings, min_class_size=21))


def test_classes_are_in_natural_order(tmp_path):
    make_characters(tmp_path / "characters")
    settings = data_settings(source="banglalekha_isolated", path=str(tmp_path / "characters"))
    prepared = prepare(settings)
    assert prepared.class_names == ("1", "2", "10")
    assert prepared.groups_known
    # Six forms, three characters on each.
    assert np.bincount(prepared.groups).tolist() == [3] * 6
    names = ["x10", "x9", "10", "9", "a", ""]
    assert sorted(names, key=natural_order) == ["", "9", "10", "a", "x9", "x10"]


def test_unknown_groups_are_said(tmp_path, caplog):
    make_characters(tmp_path / "characters")
    save(tmp_path / "characters" / "Images" / "1" / "odd.png", random_picture(3))
    path = str(tmp_path / "characters")
    prepared = prepare(data_settings(source="banglalekha_isolated", path=path))
    assert prepared.groups_known is False
    assert prepared.manifest["num_unknown_groups"] == 1
    assert "groups are not known for 1 of 19 images: these are split by image" in caplog.text


def test_digits_need_no_path():
    prepared = prepare(data_settings(source="digits", image_size=8))
    assert prepared.images.shape == (1797, 8, 8, 1)
    assert prepared.class_names == tuple("0123456789")
    # scikit-learn's counts of its digits.
    assert np.bincount(prepared.labels).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    assert abs((prepared.parts == "test").mean() - 0.2) < 0.01


def test_importing_the_package_is_light():
    script = (
        "import sys, gaug_jax.data; "
        "print([n for n in ('tensorflow', 'tensorflow_datasets', 'pandas', 'sklearn', 'scipy') "
        "if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_picture_in_two_classes_is_named(tmp_path):
    pictures = random_picture(3, (40, 16, 16))
    pictures[21] = pictures[2]
    path = tmp_path / "mixed.npz"
    np.savez(path, images=pictures, labels=np.arange(40) // 20)
    settings = data_settings(
        source="npz", path=str(path), image_size=16, channels=1, cache_path=str(tmp_path)
    )
    manifest = prepare(settings).manifest
    pairs = manifest["duplicates"]["exact_in_two_classes"]
    assert len(pairs) == 1 and pairs == manifest["duplicates"]["exact"]
    assert any(f"{' = '.join(pairs[0])}" in line for line in report_lines(manifest))
