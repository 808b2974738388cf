"""Structural similarity of images, at one scale and at several, in float64.

SSIM (Wang et al. 2004): Gaussian windows of 11x11 with a deviation of 1.5, all of them
inside the image, K1 = 0.01 and K2 = 0.03. MS-SSIM (Wang et al. 2003): images halved by
means of 2x2 pixels; of the five published scales as many as a window fits into, their
weights made to sum to 1 again (64x64 has three). Images are [0, 1]; channels are
averaged.
"""

import functools

import numpy as np
from jaxtyping import Float, Float64, Int

WINDOW = 11
_DEVIATION = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

Images = Float[np.ndarray, "images height width channels"]


@functools.cache
def _filter(size: int) -> Float64[np.ndarray, "windows size"]:
    """Returns the matrix of Gaussian means along an axis.

    Raises:
      ValueError: no window fits.
    """
    if size < WINDOW:
        raise ValueError(f"images of {size} pixels are too small: a window has {WINDOW}")
    offsets = np.arange(WINDOW) - WINDOW // 2
    window = np.exp(-(offsets**2) / (2 * _DEVIATION**2))
    window /= window.sum()
    matrix = np.zeros((size - WINDOW + 1, size))
    for row in range(len(matrix)):
        matrix[row, row : row + WINDOW] = window
    return matrix


def _means(images: Images) -> Float64[np.ndarray, "images channels rows columns"]:
    """Returns the mean of each window."""
    rows, columns = _filter(images.shape[1]), _filter(images.shape[2])
    planes = np.ascontiguousarray(np.moveaxis(images, 3, 1))
    along = planes @ columns.T
    return np.swapaxes(np.swapaxes(along, 2, 3) @ rows.T, 2, 3)


def _similarities(
    a: Images, b: Images
) -> tuple[Float64[np.ndarray, " images"], Float64[np.ndarray, " images"]]:
    """Returns SSIM of each pair, and its part without the means' term."""
    mean_a, mean_b = _means(a), _means(b)
    variances = _means(a * a) - mean_a**2 + _means(b * b) - mean_b**2
    structure = (2 * (_means(a * b) - mean_a * mean_b) + _C2) / (variances + _C2)
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return (luminance * structure).mean(axis=(1, 2, 3)), structure.mean(axis=(1, 2, 3))


def _checked(images: Images) -> Float64[np.ndarray, "images height width channels"]:
    """Returns images in float64.

    Raises:
      ValueError: another shape, none, or values outside [0, 1].
    """
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images have the shape {images.shape}: give [images, h, w, channels]")
    if not (images.min() >= 0.0 and images.max() <= 1.0):
        raise ValueError("images have values outside [0, 1]")
    return images


def ssim(a: Images, b: Images) -> Float64[np.ndarray, " images"]:
    """Returns SSIM of each pair, up to 1 (equal).

    Args:
      a: in [0, 1], 11x11 or larger.
      b: of the same shape, or of one image or as many.

    Raises:
      ValueError: smaller images, or values outside [0, 1].
    """
    return _similarities(_checked(a), _checked(b))[0]


def num_scales(height: int, width: int) -> int:
    """Returns how many of the five scales of MS-SSIM have room for a window."""
    fitting = [n for n in range(len(_SCALE_WEIGHTS)) if min(height, width) >> n >= WINDOW]
    return len(fitting)


def multiscale_ssim(a: Images, b: Images) -> Float64[np.ndarray, " images"]:
    """Returns MS-SSIM of each pair, from 0 to 1 (equal).

    The last scale's SSIM times the others' structure terms, each to the power of its
    weight; a negative one counts as 0, where its power is not defined.

    Args:
      a: in [0, 1], 11x11 or larger.
      b: of the same shape.

    Raises:
      ValueError: smaller images, or values outside [0, 1].
    """
    a, b = _checked(a), _checked(b)
    scales = max(1, num_scales(*a.shape[1:3]))
    weights = np.array(_SCALE_WEIGHTS[:scales]) / sum(_SCALE_WEIGHTS[:scales])
    product = np.ones(len(a))
    for scale, weight in enumerate(weights):
        if scale:
            a, b = _halved(a), _halved(b)
        whole, structure = _similarities(a, b)
        term = whole if scale == scales - 1 else structure
        product *= term.clip(0.0) ** weight
    return product


def _halved(images: Images) -> Images:
    """Returns means of 2x2 pixels; an odd last row or column is left out."""
    height, width = (size // 2 * 2 for size in images.shape[1:3])
    cells = images[:, :height, :width].reshape(len(images), height // 2, 2, width // 2, 2, -1)
    return cells.mean(axis=(2, 4))


def random_pairs(
    labels: Int[np.ndarray, " images"], most: int, rng: np.random.Generator
) -> Int[np.ndarray, "pairs 2"]:
    """Returns pairs of different images of one class, at most `most`, none twice.

    Args:
      labels: class of each image.
      most: pairs.
      rng: draws them.

    Raises:
      ValueError: no class has two images.
    """
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    classes = [members for members in classes if len(members) > 1]
    if not classes:
        raise ValueError("no class has two images: there is no pair")
    # Pairs are numbered, class by class, and numbers are drawn.
    counts = [len(members) * (len(members) - 1) // 2 for members in classes]
    numbers = rng.choice(sum(counts), min(most, sum(counts)), replace=False)
    starts = np.concatenate([[0], np.cumsum(counts)])
    owners = np.searchsorted(starts, numbers, side="right") - 1
    return np.array(
        [
            _pair(classes[owner], int(number - starts[owner]))
            for owner, number in zip(owners, numbers, strict=True)
        ]
    )


def _pair(members: Int[np.ndarray, " images"], number: int) -> tuple[int, int]:
    """Returns pair `number` of the members: 0 is (1, 0), 1 and 2 are (2, 0) and (2, 1), ..."""
    larger = int((1 + np.sqrt(1 + 8 * number)) // 2)
    # The root may be off by one where the number is large.
    larger += (larger * (larger + 1) // 2 <= number) - (larger * (larger - 1) // 2 > number)
    return members[larger], members[number - larger * (larger - 1) // 2]


def nearest_ssim(fake: Images, real: Images) -> Float64[np.ndarray, " fakes"]:
    """Returns, for each generated image, SSIM with the real image that is most like it.

    Args:
      fake: in [0, 1], 11x11 or larger.
      real: of the same size.

    Raises:
      ValueError: smaller images, other sizes, or values outside [0, 1].
    """
    fake, real = _checked(fake), _checked(real)
    if fake.shape[1:] != real.shape[1:]:
        raise ValueError(f"images of {fake.shape[1:]} and of {real.shape[1:]} are not compared")
    return np.array([_similarities(image[None], real)[0].max() for image in fake])
