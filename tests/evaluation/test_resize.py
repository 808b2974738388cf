import jax
import numpy as np
import pytest
from PIL import Image

from gaug_jax.evaluation.resize import MODES, resize_weights, to_inception_input
from gaug_jax.models.inception import IMAGE_SIZE

SIZES = [(64, 64), (28, 40), (299, 299), (512, 300), (1, 5)]


def images_of(size, channels=3, count=2):
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (count, *size, channels), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_clean_is_pillows_bicubic_filter_in_floating_point(size):
    images = images_of(size)
    channels = [
        [
            np.asarray(
                Image.fromarray(image[..., channel].astype(np.float32)).resize(
                    (IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC
                )
            )
            for channel in range(3)
        ]
        for image in images
    ]
    expected = (np.moveaxis(np.array(channels), 1, -1).clip(0, 255) - 128) / 128
    np.testing.assert_allclose(to_inception_input(images, "clean"), expected, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_tf1_is_tensorflows_first_bilinear_filter(size):
    tensorflow = pytest.importorskip("tensorflow")
    images = images_of(size)
    resized = tensorflow.compat.v1.image.resize_bilinear(
        images, (IMAGE_SIZE, IMAGE_SIZE), align_corners=False, half_pixel_centers=False
    )
    expected = (resized.numpy() - 128) / 128
    np.testing.assert_allclose(to_inception_input(images, "tf1"), expected, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_torch_is_bilinear_with_half_pixel_centres(size):
    """TensorFlow's second bilinear filter is PyTorch's, which benchmarks/parity.py compares too."""
    tensorflow = pytest.importorskip("tensorflow")
    images = images_of(size)
    resized = tensorflow.compat.v1.image.resize_bilinear(
        images, (IMAGE_SIZE, IMAGE_SIZE), align_corners=False, half_pixel_centers=True
    )
    expected = 2 * resized.numpy() / 255 - 1
    np.testing.assert_allclose(to_inception_input(images, "torch"), expected, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [1, 7, 64, 299, 1000])
def test_the_weights_of_a_pixel_sum_to_one(mode, size):
    np.testing.assert_allclose(resize_weights(mode, size).sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_images_of_the_networks_size_stay_as_they_are(mode):
    images = images_of((IMAGE_SIZE, IMAGE_SIZE), count=1)
    scale = 127.5 if mode == "torch" else 128.0
    expected = (images.astype(np.float64) - scale) / scale
    np.testing.assert_allclose(to_inception_input(images, mode), expected, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_grey_is_repeated_and_jit_changes_nothing(mode):
    grey = images_of((64, 64), channels=1)
    expected = np.asarray(to_inception_input(np.repeat(grey, 3, axis=-1), mode))
    np.testing.assert_allclose(to_inception_input(grey, mode), expected, atol=1e-6)
    compiled = jax.jit(to_inception_input, static_argnames="mode")(grey, mode=mode)
    np.testing.assert_allclose(compiled, expected, atol=1e-5)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="tf2"):
        to_inception_input(images_of((8, 8)), "tf2")
    with pytest.raises(ValueError, match="4 channels"):
        to_inception_input(images_of((8, 8), channels=4), "tf1")
