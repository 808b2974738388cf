"""Sets of images: what is read, and what is refused with one line."""

import numpy as np
import pytest
from PIL import Image
from support.made_data import data_settings

from gaug_jax.data.preprocess import preprocess
from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError
from gaug_jax.evaluation.image_sets import Form, array_set, read_image_set

RANDOM = np.random.default_rng(0)


def picture(path, size=(6, 5), mode="L", **options):
    """Writes a random picture of a width and a height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    array = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(array).save(path, **options)
    return array


def refused(path):
    with pytest.raises(UserError) as error:
        read_image_set(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_folder_of_classes_in_the_order_of_paths(tmp_path):
    arrays = [picture(tmp_path / name) for name in ("a/1.png", "a/2.png", "b/0.png")]
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    images = read_image_set(tmp_path)
    assert len(images) == 3 and images.shape == (5, 6, 1)
    assert images.classes.tolist() == ["a", "a", "b"]
    np.testing.assert_array_equal(images.read([2, 0])[..., 0], [arrays[2], arrays[0]])


def test_a_flat_folder_has_no_classes_and_may_be_rgb(tmp_path):
    arrays = [picture(tmp_path / f"{n}.png", mode="RGB") for n in range(2)]
    images = read_image_set(tmp_path)
    assert images.classes is None and images.shape == (5, 6, 3)
    np.testing.assert_array_equal(images.read(range(2)), arrays)


def test_the_hash_follows_the_content_and_not_the_place(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        for n in range(2):
            Image.fromarray(np.full((4, 4), 9 * n, np.uint8)).save(tmp_path / folder / f"{n}.png")
    one, other = read_image_set(tmp_path / "one"), read_image_set(tmp_path / "other")
    assert one.sha256 == other.sha256
    Image.fromarray(np.full((4, 4), 1, np.uint8)).save(tmp_path / "other" / "0.png")
    assert read_image_set(tmp_path / "other").sha256 != one.sha256


def test_an_npz_file_with_labels_and_groups(tmp_path):
    array = RANDOM.integers(0, 256, (4, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=array, labels=[1, 0, 1, 1], groups=["x", "y", "x", "z"])
    images = read_image_set(tmp_path / "a.npz")
    assert images.shape == (8, 8, 1) and images.classes.tolist() == ["1", "0", "1", "1"]
    assert images.groups.tolist() == [0, 1, 0, 2]
    np.testing.assert_array_equal(images.read([3])[0, ..., 0], array[3])


def test_the_hash_of_arrays_knows_their_shape():
    array = np.zeros((2, 4, 4, 1), np.uint8)
    assert array_set("a", array).sha256 != array_set("a", array.reshape(2, 2, 8, 1)).sha256


def test_a_corrupt_picture_is_named(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture at all")
    assert "b.png cannot be read as a picture" in refused(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
def test_a_picture_that_is_cut_short_is_named(tmp_path, suffix):
    for name in "ab":
        picture(tmp_path / f"{name}.{suffix}", size=(60, 60))
    broken = tmp_path / f"b.{suffix}"
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    with pytest.raises(UserError, match=f"b.{suffix} cannot be read as a picture"):
        read_image_set(tmp_path).read(range(2))


def test_an_empty_folder_and_a_path_that_is_not_there(tmp_path):
    assert "holds no pictures" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "gone")


def test_one_image_is_no_distribution(tmp_path):
    picture(tmp_path / "a.png")
    assert "has 1 image" in refused(tmp_path)


def test_mixed_sizes_name_both_pictures(tmp_path):
    picture(tmp_path / "a.png", size=(6, 5))
    picture(tmp_path / "b.png", size=(7, 5))
    line = refused(tmp_path)
    assert "b.png is 7x5" in line and "a.png 6x5" in line


def test_a_turned_photograph_counts_as_it_is_shown(tmp_path):
    picture(tmp_path / "a.png", size=(6, 5))
    exif = Image.Exif()
    exif[0x0112] = 6  # Shown turned by a quarter.
    picture(tmp_path / "b.png", size=(5, 6), exif=exif)
    assert read_image_set(tmp_path).read(range(2)).shape == (2, 5, 6, 1)


def test_grey_and_rgb_mixed(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", mode="RGB")
    assert "b.png is RGB and a.png grey" in refused(tmp_path)


def test_sixteen_bits(tmp_path):
    picture(tmp_path / "a.png")
    Image.fromarray(np.full((5, 6), 60_000, np.uint16)).save(tmp_path / "b.png")
    assert "b.png has not 8 bits" in refused(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.full((2, 4, 4, 1), np.nan)}, "NaN"),
        ({"images": np.zeros((2, 4, 4, 1), np.float32)}, "float32"),
        ({"images": np.zeros((2, 4, 4, 2), np.uint8)}, "shape"),
        ({"images": np.zeros((0, 4, 4, 1), np.uint8)}, "shape"),
        ({"pictures": np.zeros((2, 4, 4), np.uint8)}, "no array 'images'"),
        ({"images": np.zeros((2, 4, 4), np.uint8), "labels": [1]}, "labels"),
    ],
)
def test_arrays_that_are_no_images(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    assert message in refused(tmp_path / "a.npz")


def test_numbers_of_classes_are_told_by_their_names(tmp_path):
    array = RANDOM.integers(0, 256, (3, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=array, labels=[1, 0, 1], class_names=["a/b", "c"])
    assert read_image_set(tmp_path / "a.npz").classes.tolist() == ["c", "a/b", "c"]
    np.savez(tmp_path / "a.npz", images=array, labels=[1, 2, 1], class_names=["a", "c"])
    assert "has 2 names and a label is 2" in refused(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", images=array, labels=[-1, -1, -1])
    assert read_image_set(tmp_path / "a.npz").classes is None


def test_a_folder_counts_what_training_reads_and_says_the_rest(tmp_path):
    for name in ("a/1.png", "b/1.png", "a/deeper/1.png", "a/deeper/2.png", "a/.hidden/1.png"):
        picture(tmp_path / name)
    images = read_image_set(tmp_path)
    settings = data_settings(source="folder", path=str(tmp_path))
    assert len(images) == len(read_source(settings).records) == 2
    assert images.notes == ("pictures not read, which lie elsewhere: a/deeper/ 2",)


def test_where_folders_fit_two_readings_there_are_no_classes(tmp_path):
    for name in ("x/p1/1.png", "x/p2/1.png"):
        picture(tmp_path / name)
    images = read_image_set(tmp_path)
    assert len(images) == 2 and images.classes is None
    assert "classes are not known: x/ is one class with 2 groups" in images.notes[0]


@pytest.mark.parametrize("kind", ["folder", "npz"])
def test_wide_pictures_are_padded_or_said_to_be_stretched(tmp_path, kind):
    wide = [picture(tmp_path / "mine" / f"{number}.png", (8, 4)) for number in range(2)]
    path = tmp_path / "mine"
    if kind == "npz":
        path = tmp_path / "a.npz"
        np.savez(path, images=np.stack(wide))
    padded = read_image_set(path, Form(8, "pad"))
    expected = np.pad(wide[1], ((2, 2), (0, 0)))
    np.testing.assert_array_equal(padded.read([1])[0, ..., 0], expected)
    stretched = read_image_set(path, Form(8))
    assert padded.notes == () and stretched.sha256 != padded.sha256
    assert "2 of 2 pictures are not square and are stretched" in stretched.notes[0]
    assert read_image_set(path).notes == ()


def test_one_channel_is_the_luminance_that_training_takes(tmp_path):
    colours = [picture(tmp_path / "mine" / f"{number}.png", mode="RGB") for number in range(2)]
    grey = read_image_set(tmp_path / "mine", Form(channels=1))
    np.savez(tmp_path / "a.npz", images=np.stack(colours))
    arrays = read_image_set(tmp_path / "a.npz", Form(channels=1))
    assert grey.shape == arrays.shape == (5, 6, 1)
    np.testing.assert_array_equal(grey.read([0, 1]), arrays.read([0, 1]))
    expected = colours[0] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey.read([0])[0, ..., 0], expected, atol=0.51)
    assert grey.sha256 != read_image_set(tmp_path / "mine").sha256


class Malicious:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return open, (self.marker, "w")


def test_objects_in_an_npz_file_are_not_executed(tmp_path):
    marker = tmp_path / "executed"
    objects = np.array([Malicious(marker)] * 2, dtype=object)
    np.savez(tmp_path / "a.npz", images=objects)
    assert "Python objects" in refused(tmp_path / "a.npz")
    assert not marker.exists()


def test_a_damaged_npz_file(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "a.npz" in refused(tmp_path / "a.npz")


def test_an_image_size_takes_pictures_as_training_takes_them(tmp_path):
    folder = tmp_path / "mine"
    made = [picture(folder / "a" / "1.png"), picture(folder / "b" / "2.png", (9, 4))]
    Image.fromarray(made[0].astype(np.uint16) * 257).save(folder / "b" / "3.png")
    settings = data_settings(
        source="folder", path=str(folder), image_size=8, channels=1, cache_path=str(tmp_path)
    )
    records = read_source(settings)
    images = read_image_set(folder, Form(8))
    assert images.shape == (8, 8, 1) and images.classes.tolist() == ["a", "b", "b"]
    np.testing.assert_array_equal(images.read(range(3)), preprocess(records, settings).images)
    assert images.sha256 != read_image_set(folder, Form(6)).sha256
    np.savez(tmp_path / "arrays.npz", images=np.stack([made[0], made[0]]))
    arrays = read_image_set(tmp_path / "arrays.npz", Form(8))
    np.testing.assert_array_equal(arrays.read([1]), images.read([0]))
