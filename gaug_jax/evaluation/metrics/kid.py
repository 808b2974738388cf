"""The kernel inception distance (Binkowski et al. 2018), on any features."""

import numpy as np
from jaxtyping import Float


def polynomial_kernel(
    a: Float[np.ndarray, "m features"], b: Float[np.ndarray, "n features"]
) -> Float[np.ndarray, "m n"]:
    """Returns ((x.y)/d + 1)^3 for every pair of rows, with d features."""
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def kernel_distance(
    real: Float[np.ndarray, "m features"], fake: Float[np.ndarray, "n features"]
) -> float:
    """Returns the unbiased squared maximum mean discrepancy of two samples, in float64.

    It is 0 on average where the two have one distribution, and may be below 0
    (Gretton et al. 2012, equation 3, with the kernel above).

    Raises:
      ValueError: a sample has fewer than two rows.
    """
    if min(len(real), len(fake)) < 2:
        raise ValueError("the kernel distance needs two samples or more on either side")
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    within = [_mean_off_diagonal(polynomial_kernel(rows, rows)) for rows in (real, fake)]
    return float(sum(within) - 2.0 * polynomial_kernel(real, fake).mean())


def _mean_off_diagonal(kernel: Float[np.ndarray, "n n"]) -> float:
    """Returns the mean over pairs of different rows."""
    n = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
