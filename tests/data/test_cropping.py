"""What of a picture is kept before it is resized."""

import numpy as np
import pytest
from PIL import Image

from gaug_jax.data.cropping import centre, mask_path, read_mask, within_mask
from gaug_jax.data.prepare import prepare
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings


def picture(height, width):
    return np.arange(height * width, dtype=np.uint8).reshape(height, width, 1)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 40), (7, 9)])
def test_the_centre_leaves_the_same_on_both_sides(height, width):
    found = centre(picture(height, width), 0.7)
    top, left = round(0.15 * height), round(0.15 * width)
    np.testing.assert_array_equal(
        found, picture(height, width)[top : height - top, left : width - left]
    )


def test_all_of_a_picture_is_the_picture():
    whole = picture(5, 6)
    assert np.shares_memory(centre(whole, 1.0), whole) and centre(whole, 1.0).shape == whole.shape


def test_the_centre_of_64_pixels_is_of_44():
    assert centre(picture(64, 64), 0.7).shape == (44, 44, 1)


def test_outside_of_a_mask_is_black_and_cut():
    mask = np.zeros((4, 5), bool)
    mask[1:3, 1] = mask[1, 3] = True
    found = within_mask(np.full((4, 5, 1), 9, np.uint8), mask)
    np.testing.assert_array_equal(found[..., 0], [[9, 0, 9], [9, 0, 0]])


@pytest.mark.parametrize(
    ("mask", "words"),
    [(np.ones((4, 4), bool), r"mask is of \(4, 4\)"), (np.zeros((4, 5), bool), "keeps nothing")],
)
def test_a_mask_that_does_not_fit_is_refused(mask, words):
    with pytest.raises(ValueError, match=words):
        within_mask(picture(4, 5), mask)


def test_a_mask_is_found_by_name_whatever_its_suffix(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.array([[0, 100, 200]], np.uint8)).save(tmp_path / "a" / "x.png")
    path = mask_path(tmp_path, "a/x.jpg")
    assert path == tmp_path / "a" / "x.png"
    assert read_mask(path, "a/x.jpg").tolist() == [[False, False, True]]
    with pytest.raises(UserError, match=r"a/y.jpg has no mask in config.data.masks"):
        mask_path(tmp_path, "a/y.jpg")


@pytest.fixture
def folder(tmp_path):
    """Pictures of 20x20 in two classes whose middle is brighter the later they come."""
    for label in "ab":
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(6):
            values = np.random.default_rng(number).integers(0, 60, (20, 20)).astype(np.uint8)
            values[5:15, 5:15] += np.uint8(20 * number + 40)
            Image.fromarray(values).save(tmp_path / "pictures" / label / f"{number}.png")
    return tmp_path


def prepared(folder, **options):
    settings = DataSettings(
        source="folder", path=str(folder / "pictures"), image_size=8, num_folds=3,
        cache_path=str(folder / "cache"), **options,
    )  # fmt: skip
    return prepare(settings)


def test_a_data_set_is_cropped_before_it_is_resized(folder):
    whole, middle = prepared(folder), prepared(folder, crop=0.5)
    assert (middle.images.mean(axis=(1, 2, 3)) > whole.images.mean(axis=(1, 2, 3)) + 10).all()
    # The cache keeps both.
    np.testing.assert_array_equal(prepared(folder).images, whole.images)
    np.testing.assert_array_equal(prepared(folder, crop=0.5).images, middle.images)
    with Image.open(folder / "pictures" / whole.names[0]) as opened:
        cut = opened.crop((5, 5, 15, 15)).resize((8, 8), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(middle.images[0, ..., 0], np.asarray(cut))


def test_a_folder_of_masks_is_as_cropping_where_they_are_squares(folder):
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 255
    for label in "ab":
        (folder / "masks" / label).mkdir(parents=True)
        for number in range(6):
            Image.fromarray(mask).save(folder / "masks" / label / f"{number}.png")
    found = prepared(folder, masks=str(folder / "masks"))
    np.testing.assert_array_equal(found.images, prepared(folder, crop=0.5).images)


def test_a_picture_without_a_mask_is_named(folder):
    (folder / "masks").mkdir()
    with pytest.raises(
        UserError, match=r"none is left \(a/0.png has no mask in config.data.masks="
    ):
        prepared(folder, masks=str(folder / "masks"))


@pytest.mark.parametrize("share", [0.0, -0.1, 1.2])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(UserError, match=r"config.data.crop="):
        DataSettings(crop=share)
