"""The kernel distance against a literal double sum, and its bias."""

import numpy as np
import pytest

from gaug_jax.evaluation.metrics.kid import kernel_distance


def by_hand(real, fake):
    """The estimator written as three sums over pairs."""

    def kernel(x, y):
        return (float(x @ y) / len(x) + 1.0) ** 3

    m, n = len(real), len(fake)
    within_real = sum(kernel(real[i], real[j]) for i in range(m) for j in range(m) if i != j)
    within_fake = sum(kernel(fake[i], fake[j]) for i in range(n) for j in range(n) if i != j)
    across = sum(kernel(x, y) for x in real for y in fake)
    return within_real / (m * (m - 1)) + within_fake / (n * (n - 1)) - 2 * across / (m * n)


@pytest.mark.parametrize(("m", "n"), [(2, 2), (5, 9)])
def test_it_is_the_double_sum(m, n):
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(m, 4)), random.normal(0.5, 2, size=(n, 4))
    assert kernel_distance(real, fake) == pytest.approx(by_hand(real, fake), rel=1e-12)


def test_it_is_zero_on_average_for_one_distribution_and_not_for_two():
    random = np.random.default_rng(0)
    same = [
        kernel_distance(random.normal(size=(30, 5)), random.normal(size=(40, 5)))
        for _ in range(300)
    ]
    standard_error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 2.5 * standard_error
    other = kernel_distance(random.normal(size=(30, 5)), random.normal(1, 1, size=(40, 5)))
    assert other > 5 * np.std(same)


def test_one_image_is_too_few():
    with pytest.raises(ValueError, match="two samples"):
        kernel_distance(np.zeros((1, 3)), np.zeros((5, 3)))
