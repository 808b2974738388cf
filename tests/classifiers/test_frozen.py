"""Features that are not fitted to labels: kept by content, of pixels, of a pretrained network."""

import functools

import jax
import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from gaug_jax.classifiers.frozen import Remembered, _map, pixel_components, pretrained_features
from gaug_jax.models.efficientnet import EfficientNetLite0, EfficientNetOutputs, network_input
from gaug_jax.weights.efficientnet import pretrained_efficientnet


def noise(count, size=8, channels=1, seed=0):
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


class Counted:
    """Features that are the first pixels of an image, and the batches they were computed of."""

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        self.batches.append(images.copy())
        return images.reshape(len(images), -1)[:, :3].astype(np.float32)

    def taken(self):
        return len(self.batches)


def first_pixels(images):
    return images.reshape(len(images), -1)[:, :3]


def test_features_are_in_the_order_of_the_images_and_batches_are_full():
    counted, images = Counted(), noise(7)
    remembered = Remembered(counted, batch_size=3)
    np.testing.assert_array_equal(remembered(images), first_pixels(images))
    assert [batch.shape for batch in counted.batches] == [(3, 8, 8, 1)] * 3
    # The last is filled up with what is there.
    assert {image.tobytes() for image in counted.batches[-1]} == {images[6].tobytes()}


def test_an_image_is_computed_once():
    counted, images = Counted(), noise(6)
    remembered = Remembered(counted, batch_size=2)
    remembered(images[[0, 1, 0, 1, 0]])
    assert counted.taken() == 1
    np.testing.assert_array_equal(remembered(images[[1, 2, 0]]), first_pixels(images[[1, 2, 0]]))
    assert counted.taken() == 2 and counted.batches[1][0].tobytes() == images[2].tobytes()
    np.testing.assert_array_equal(remembered(images[[2, 1]].copy()), first_pixels(images[[2, 1]]))
    assert counted.taken() == 2


def test_images_of_other_shapes_are_others_though_their_bytes_are_the_same():
    counted = Counted()
    remembered = Remembered(counted, batch_size=1)
    images = noise(1)
    remembered(images)
    remembered(images.reshape(1, 4, 16, 1))
    assert counted.taken() == 2


def test_the_oldest_is_forgotten():
    counted, images = Counted(), noise(4)
    remembered = Remembered(counted, batch_size=1, most=2)
    remembered(images[:3])
    assert counted.taken() == 3
    remembered(images[[1, 2]])
    assert counted.taken() == 3
    remembered(images[:1])
    assert counted.taken() == 4
    remembered(images[2:3])
    assert counted.taken() == 4
    remembered(images[1:2])
    assert counted.taken() == 5


def test_more_images_than_are_kept_have_their_features_all_the_same():
    images = noise(9)
    remembered = Remembered(Counted(), batch_size=2, most=3)
    for _ in range(2):
        np.testing.assert_array_equal(remembered(images), first_pixels(images))
    # Some known, which the new ones push out.
    np.testing.assert_array_equal(remembered(images[::-1]), first_pixels(images[::-1]))


@pytest.mark.parametrize(("count", "components"), [(80, 50), (51, 50), (12, 11), (2, 1)])
def test_pixels_are_projected_as_by_scikit_learn(count, components):
    images, others = noise(count), noise(5, seed=1)
    project = pixel_components(images)
    theirs = PCA(components, svd_solver="full").fit(images.reshape(count, -1) / 255.0)
    found = project(others)
    assert found.shape == (5, components)
    expected = theirs.transform(others.reshape(5, -1) / 255.0)
    # A component may point the other way.
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=2e-3)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=1e-3, atol=1e-3)


def test_there_are_no_more_components_than_pixels():
    assert pixel_components(noise(30, size=4))(noise(2, size=4)).shape == (2, 16)


def test_components_are_of_the_images_that_they_were_made_of():
    images = noise(20)
    project = pixel_components(images)
    np.testing.assert_allclose(project(images).mean(axis=0), 0.0, atol=1e-5)
    before = project(images[:3])
    project(noise(20, seed=5))
    np.testing.assert_array_equal(project(images[:3]), before)


@functools.cache
def network():
    """Returns the published network, from images to its outputs."""
    variables = pretrained_efficientnet().variables
    apply = functools.partial(EfficientNetLite0(1000).apply, variables, train=False)
    return jax.jit(lambda images: apply(network_input(images)))


@pytest.mark.parametrize("channels", [1, 3])
def test_pretrained_features_are_those_of_the_published_network(channels):
    images = noise(3, 64, channels)
    found = pretrained_features("linear")(images)
    assert found.shape == (3, 1280) and found.dtype == np.float32
    np.testing.assert_allclose(found, network()(images).features, atol=2e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_have_the_features_of_the_same_at_64x64(channels):
    images = noise(2, 32, channels)
    pictures = [Image.fromarray(image if channels == 3 else image[..., 0]) for image in images]
    larger = [np.asarray(each.resize((64, 64), Image.Resampling.BICUBIC)) for each in pictures]
    larger = np.stack(larger).reshape(2, 64, 64, channels)
    features = pretrained_features("linear")
    np.testing.assert_array_equal(features(images), features(larger))


def test_grey_images_have_the_features_of_the_same_in_colour():
    images = noise(2, 64)
    features = pretrained_features("linear")
    np.testing.assert_allclose(features(images), features(images.repeat(3, axis=3)), atol=1e-5)


def test_the_map_is_of_4x4_positions_at_a_stride_of_16():
    images = noise(3, 64)
    found = pretrained_features("linear_map")(images)
    assert found.shape == (3, 4 * 4 * 112) and found.dtype == np.float32
    expected = np.asarray(network()(images).stages[4])
    assert expected.shape == (3, 4, 4, 112)
    np.testing.assert_allclose(found, expected.reshape(3, -1), atol=1e-3 * expected.std())


@pytest.mark.parametrize(("size", "cell"), [(64, 1), (128, 2), (192, 3)])
def test_larger_maps_are_brought_to_4x4_positions_by_means(size, cell):
    """Each value of a map is its row and column."""
    places = np.arange(size // 16, dtype=np.float32)
    stage = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)[None]
    found = _map(EfficientNetOutputs((None,) * 4 + (stage, None, None), None, None))
    means = cell * np.arange(4) + (cell - 1) / 2
    expected = np.stack(np.meshgrid(means, means, indexing="ij"), axis=-1)
    np.testing.assert_allclose(found, expected.reshape(1, -1))


def test_the_networks_of_each_kind_are_made_once():
    for kind in ("linear", "linear_map"):
        assert pretrained_features(kind) is pretrained_features(kind)
    assert pretrained_features("linear") is not pretrained_features("linear_map")
