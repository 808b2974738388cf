import dm_pix
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gaug_jax.evaluation.metrics.ssim import (
    multiscale_ssim,
    nearest_ssim,
    num_scales,
    random_pairs,
    ssim,
)


def images_of(count=4, size=(64, 64), channels=3, seed=0):
    return np.random.default_rng(seed).random((count, *size, channels))


def reference(a, b):
    """SSIM and its structure term of two planes, by SciPy's filter, in float64."""

    def mean(plane):
        return gaussian_filter(plane, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]

    covariance = mean(a * b) - mean(a) * mean(b)
    variances = mean(a * a) - mean(a) ** 2 + mean(b * b) - mean(b) ** 2
    structure = (2 * covariance + 0.0009) / (variances + 0.0009)
    luminance = (2 * mean(a) * mean(b) + 0.0001) / (mean(a) ** 2 + mean(b) ** 2 + 0.0001)
    return np.mean(luminance * structure), np.mean(structure)


@pytest.mark.parametrize("size", [(64, 64), (32, 48), (11, 13)])
@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_that_of_scipys_filter_and_of_dm_pix(size, channels):
    a, b = images_of(size=size, channels=channels), images_of(size=size, channels=channels, seed=1)
    b = 0.7 * a + 0.3 * b
    expected = [
        np.mean([reference(x[..., c], y[..., c])[0] for c in range(channels)])
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(ssim(a, b), expected, rtol=1e-10)
    np.testing.assert_allclose(ssim(a, b), dm_pix.ssim(a, b), rtol=2e-4)


def test_multiscale_ssim_is_the_weighted_product_over_the_scales():
    a, b = images_of(2, channels=1), images_of(2, channels=1, seed=1)
    b = 0.6 * a + 0.4 * b
    weights = np.array([0.0448, 0.2856, 0.3001])
    expected = []
    for x, y in zip(a[..., 0], b[..., 0], strict=True):
        terms = []
        for scale in range(3):
            pair = [
                plane.reshape(64 >> scale, 1 << scale, 64 >> scale, 1 << scale).mean((1, 3))
                for plane in (x, y)
            ]
            terms.append(reference(*pair)[0 if scale == 2 else 1])
        expected.append(np.prod(np.array(terms) ** (weights / weights.sum())))
    np.testing.assert_allclose(multiscale_ssim(a, b), expected, rtol=1e-10)


def test_equal_images_are_at_one_and_opposite_ones_at_zero_or_below():
    a = images_of()
    np.testing.assert_allclose(ssim(a, a), 1.0, rtol=1e-12)
    np.testing.assert_allclose(multiscale_ssim(a, a), 1.0, rtol=1e-12)
    assert (ssim(a, 1 - a) < 0).all()
    assert (multiscale_ssim(a, 1 - a) == 0).all()


def test_constant_images_differ_by_their_means_alone():
    a, b = np.full((1, 16, 16, 1), 0.25), np.full((1, 16, 16, 1), 0.75)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    np.testing.assert_allclose(ssim(a, b), expected, rtol=1e-9)


def test_scales_fit_the_image():
    assert [num_scales(size, size) for size in (10, 11, 21, 22, 64, 176, 1000)] == [
        0, 1, 1, 2, 3, 5, 5,
    ]  # fmt: skip


def test_the_nearest_real_image_is_found():
    real = images_of(6)
    fake = np.stack([0.9 * real[4] + 0.05, real[2]])
    every = np.array([[ssim(one[None], other[None])[0] for other in real] for one in fake])
    np.testing.assert_allclose(nearest_ssim(fake, real), every.max(axis=1), rtol=1e-12)
    assert every.argmax(axis=1).tolist() == [4, 2]


def test_pairs_are_of_one_class_and_none_comes_twice():
    labels = np.array([0] * 5 + [1] * 3 + [2])
    pairs = random_pairs(labels, 1000, np.random.default_rng(0))
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == len(pairs) == 10 + 3
    assert all(labels[one] == labels[other] and one != other for one, other in pairs)
    assert len(random_pairs(labels, 4, np.random.default_rng(0))) == 4


def test_pairs_of_many_images_are_numbered_right():
    pairs = random_pairs(np.zeros(30_000, int), 20_000, np.random.default_rng(0))
    assert (pairs[:, 0] > pairs[:, 1]).all() and pairs.min() >= 0 and pairs.max() < 30_000
    assert len(np.unique(pairs, axis=0)) == 20_000


def test_what_is_undefined_is_an_error():
    with pytest.raises(ValueError, match="too small"):
        ssim(images_of(size=(8, 8)), images_of(size=(8, 8)))
    with pytest.raises(ValueError, match="outside"):
        multiscale_ssim(images_of() * 255, images_of())
    with pytest.raises(ValueError, match="outside"):
        ssim(np.full((1, 16, 16, 1), np.nan), images_of(1, (16, 16), 1))
    with pytest.raises(ValueError, match="not compared"):
        nearest_ssim(images_of(), images_of(size=(32, 32)))
    with pytest.raises(ValueError, match="no pair"):
        random_pairs(np.arange(5), 3, np.random.default_rng(0))
