"""What classifiers of a region see of an image."""

import numpy as np
import pytest
from PIL import Image

from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.regions import BORDER, MIDDLE, WHOLE, in_region, part_in_region
from gaug_jax.downstream.runs import Parts


def noise(size, channels=1, count=3):
    shape = (count, size, size, channels)
    return np.random.default_rng(size).integers(1, 256, shape, np.uint8)


def test_the_whole_is_the_images_themselves():
    images = noise(8)
    assert in_region(images, "whole") is images


@pytest.mark.parametrize("channels", [1, 3])
def test_of_64_pixels_the_border_has_44_black_ones(channels):
    images = noise(64, channels)
    before = images.copy()
    seen = in_region(images, "border")
    black = np.zeros((64, 64), bool)
    black[10:54, 10:54] = True
    assert black.sum() == 44 * 44
    assert not seen[:, black].any()
    np.testing.assert_array_equal(seen[:, ~black], images[:, ~black])
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "edge"), [(8, 1), (28, 4), (32, 5), (64, 10)])
def test_the_middle_is_the_centre_as_pillow_resizes_it(size, edge, channels):
    images = noise(size, channels)
    seen = in_region(images, "middle")
    assert seen.shape == images.shape and seen.dtype == np.uint8
    for image, made in zip(images, seen, strict=True):
        picture = Image.fromarray(image if channels == 3 else image[..., 0])
        cut = picture.crop((edge, edge, size - edge, size - edge))
        expected = np.asarray(cut.resize((size, size), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(made, expected.reshape(image.shape))


@pytest.mark.parametrize("size", range(8, 65))
def test_middle_and_border_share_no_pixel_and_leave_none_out(size):
    images = noise(size, count=1)
    black = in_region(images, "border")[0, ..., 0] == 0
    rows = np.flatnonzero(black.any(axis=1))
    edge = rows[0]
    assert 1 <= edge == size - 1 - rows[-1] and abs((size - 2 * edge) / size - 0.7) <= 1 / size
    assert black[edge : size - edge, edge : size - edge].all()
    assert black.sum() == (size - 2 * edge) ** 2
    # What lies in the border does not show in the middle, and the other way round.
    inner, outer = images.copy(), images.copy()
    inner[0, black], outer[0, ~black] = 7, 7
    np.testing.assert_array_equal(in_region(outer, "middle"), in_region(images, "middle"))
    np.testing.assert_array_equal(in_region(inner, "border"), in_region(images, "border"))


@pytest.mark.parametrize("region", (WHOLE, MIDDLE, BORDER))
def test_no_images_are_no_images(region):
    assert in_region(noise(8, count=0), region).shape == (0, 8, 8, 1)


def test_every_part_is_seen_in_the_region_and_labels_and_groups_stay():
    parts = [Labelled(noise(8, count=count), np.arange(count)) for count in (4, 3, 2)]
    groups = np.array([0, 0, 1, 2])
    seen = Parts(*parts, None, groups).in_region("border")
    for part, made in zip(parts, (seen.train, seen.validation, seen.test), strict=True):
        np.testing.assert_array_equal(made.images, in_region(part.images, "border"))
        assert made.labels is part.labels
    assert seen.external is None and seen.train_groups is groups
    seen = Parts(*parts, parts[2]).in_region("middle")
    np.testing.assert_array_equal(seen.external.images, in_region(parts[2].images, "middle"))
    assert part_in_region(None, "middle") is None
