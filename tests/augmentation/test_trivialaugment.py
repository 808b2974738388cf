"""TrivialAugment: every operation beside Pillow's on bytes, and how it is drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from PIL import Image, ImageEnhance, ImageOps

from gaug_jax.augmentation.trivialaugment import LEVELS, OPERATIONS, drawn, operated, trivialaugment
from gaug_jax.images import to_unit

# Of bytes: Pillow rounds its results, or cuts them to whole numbers.
_ROUNDING = 1.01
# With as many pixels as 255 levels share out, so that Pillow's step of equalise is whole.
HEIGHT, WIDTH = 128, 255
_LEVELS = (0, 1, 7, 15, 22, 30)
_apply = jax.jit(operated)
_FACTORS = {
    "colour": ImageEnhance.Color, "contrast": ImageEnhance.Contrast,
    "brightness": ImageEnhance.Brightness, "sharpness": ImageEnhance.Sharpness,
}  # fmt: skip


def picture(channels, seed=0):
    """Smooth bytes from 20 to 219, with noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = [np.sin(rows / (9 + 4 * each)) * np.cos(columns / (13 - 3 * each)) for each in range(3)]
    values = 120 + 80 * np.stack(waves, axis=-1) + random.uniform(-19, 19, (HEIGHT, WIDTH, 3))
    return values[..., :channels].round().astype(np.uint8)


def as_pillow(values):
    return Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)


def bytes_of(name, values, level, sign=1):
    """Returns what an operation makes of bytes, as bytes that are not rounded."""
    kind = jnp.array(OPERATIONS.index(name))
    changed = _apply(to_unit(values), kind, jnp.array(level), jnp.array(sign))
    return (np.asarray(changed, np.float64) + 1) * 127.5


def pillows(name, image, level):
    """Returns what Pillow makes of an image, a level read as the authors' code does (`fix`)."""
    if name in _FACTORS:
        return _FACTORS[name](image).enhance(0.1 + 1.8 * level / 30)
    return {
        "identity": lambda: image,
        "autocontrast": lambda: ImageOps.autocontrast(image),
        "solarise": lambda: ImageOps.solarize(image, 256 - int(256 * level / 30)),
        "posterise": lambda: ImageOps.posterize(image, 8 - int(4 * level / 30)),
    }[name]()


@pytest.mark.parametrize("level", _LEVELS)
@pytest.mark.parametrize("name", [*_FACTORS, "identity", "autocontrast", "solarise", "posterise"])
@pytest.mark.parametrize("channels", [1, 3])
def test_values_are_pillows_to_its_rounding(name, level, channels):
    values = picture(channels)
    expected = np.asarray(pillows(name, as_pillow(values), level), np.float64)
    found = bytes_of(name, values, level).reshape(expected.shape)
    exact = name in ("identity", "solarise", "posterise")
    # Twice where what a factor starts from (luminance, its mean, the smooth image) is rounded too.
    twice = name in ("colour", "contrast", "sharpness")
    rounding = 1e-3 if exact else 2 * _ROUNDING if twice else _ROUNDING
    assert np.abs(found - expected).max() < rounding


@pytest.mark.parametrize("channels", [1, 3])
def test_equalise_is_pillows_up_to_the_share_of_a_level(channels):
    values = picture(channels)
    expected = np.asarray(ImageOps.equalize(as_pillow(values)), np.float64)
    found = bytes_of("equalise", values, 0).reshape(expected.shape)
    # Pillow counts the pixels below a level and this those up to it, of all but the last, or but
    # the first level; and Pillow's step is whole.
    largest = max(np.bincount(plane.ravel()).max() for plane in np.moveaxis(values, -1, 0))
    step = HEIGHT * WIDTH // 255
    assert np.abs(found - expected).max() < 255 * (2 * largest / (HEIGHT * WIDTH) + 1 / step) + 1


def _affine_of(name, level):
    """Returns Pillow's coefficients of an operation about the centre."""
    shift, slope = 10 * level / 30, 0.3 * level / 30
    return {
        "shear_x": (1, slope, -slope * HEIGHT / 2, 0, 1, 0),
        "shear_y": (1, 0, 0, slope, 1, -slope * WIDTH / 2),
        "translate_x": (1, 0, -int(abs(shift) * WIDTH / 32) * np.sign(level), 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, -int(abs(shift) * HEIGHT / 32) * np.sign(level)),
    }[name]


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("level", _LEVELS)
@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_places_are_pillows_where_it_does_not_fill_with_black(name, level, sign):
    values = picture(1)

    def moved(image):
        if name == "rotate":
            # Clockwise, where Pillow turns against the clock.
            return image.rotate(-sign * level, Image.Resampling.BILINEAR)
        affine = _affine_of(name, sign * level)
        return image.transform(
            image.size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
        )

    expected = np.asarray(moved(as_pillow(values)), np.float64)
    # Away from what comes from outside, where the picture has no black of its own.
    inside = np.asarray(moved(Image.new("L", (WIDTH, HEIGHT), 255))) == 255
    inside[[0, -1]] = inside[:, [0, -1]] = False
    found = bytes_of(name, values, level, sign)[..., 0]
    assert inside.mean() > 0.35
    assert np.abs(found - expected)[inside].max() < _ROUNDING


def test_level_0_and_one_channel_leave_what_they_should():
    values = picture(1)
    for name in ("identity", "colour", "rotate", "shear_x", "translate_y", "solarise", "posterise"):
        np.testing.assert_allclose(bytes_of(name, values, 0), values, atol=1e-3)
    np.testing.assert_allclose(bytes_of("colour", values, 30), values, atol=1e-3)
    # 15 of 30 is a factor of 1.
    for name in _FACTORS:
        np.testing.assert_allclose(bytes_of(name, picture(3), 15), picture(3), atol=1e-2)


def test_a_translation_reaches_the_papers_10_of_32_pixels_and_its_share_of_other_sizes():
    for size, most in ((8, 2), (32, 10)):
        values = np.zeros((size, size, 1), np.uint8)
        values[:, 0] = 255
        found = bytes_of("translate_x", values, 30)[0, :, 0]
        np.testing.assert_allclose(found, np.where(np.arange(size) <= most, 255, 0), atol=1e-3)


def test_kinds_levels_and_signs_are_uniform_and_independent():
    kinds, levels, signs = map(
        np.asarray, jax.vmap(drawn)(jax.random.split(jax.random.key(0), 40_000))
    )
    assert len(OPERATIONS) == 14
    for found, values in ((kinds, range(14)), (levels, range(LEVELS)), (signs, (-1, 1))):
        counts = [np.sum(found == value) for value in values]
        assert sum(counts) == 40_000
        assert scipy.stats.chisquare(counts).pvalue > 1e-3
    together = np.histogram2d(kinds, levels, bins=(14, LEVELS))[0]
    assert scipy.stats.chi2_contingency(together).pvalue > 1e-3


def test_an_image_gets_the_one_operation_that_is_drawn_for_it():
    images = np.stack([to_unit(picture(1, seed)[:16, :16]) for seed in range(40)])
    found, labels = jax.jit(trivialaugment)(jax.random.key(1), images, np.eye(40))
    keys = jax.random.split(jax.random.key(1), 40)
    for key, image, mine in zip(keys, images, found, strict=True):
        np.testing.assert_allclose(mine, _apply(image, *drawn(key)), atol=1e-5)
    np.testing.assert_array_equal(labels, np.eye(40))
    kinds = [int(drawn(key)[0]) for key in keys]
    assert len(set(kinds)) > 8
    kept = [kind for kind, one, other in zip(kinds, images, found, strict=True)
            if np.array_equal(one, other)]  # fmt: skip
    assert OPERATIONS.index("identity") in kept
