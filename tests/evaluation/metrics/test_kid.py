"""The kernel distance against a literal double sum, and its bias."""

import numpy as np
import pytest

from gaug_jax.evaluation.metrics import kid as module
from gaug_jax.evaluation.metrics.kid import kernel_distance, kid, kid_of_subsets


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


def leaving_out(real, fake, groups):
    """The jackknife's error by making every distance anew."""
    names = np.unique(groups)
    without_real = [kernel_distance(real[groups != name], fake) for name in names]
    without_fake = [kernel_distance(real, np.delete(fake, j, axis=0)) for j in range(len(fake))]
    variance = sum(
        (len(left) - 1) / len(left) * np.sum((left - np.mean(left)) ** 2)
        for left in (np.array(without_real), np.array(without_fake))
    )
    return np.sqrt(variance)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_jackknife_is_that_of_distances_made_anew(grouped):
    random = np.random.default_rng(2)
    real, fake = random.normal(size=(15, 4)), random.normal(0.5, 1, size=(9, 4))
    groups = np.repeat([7, 3, 5, 1], [2, 6, 4, 3]) if grouped else np.arange(15)
    found = kid(real, fake, random, groups if grouped else None)
    assert found.mean == pytest.approx(by_hand(real, fake), rel=1e-10)
    assert found.standard_error == pytest.approx(leaving_out(real, fake, groups), rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_its_interval_covers(shift):
    # 400 draws of 60 and 60 images in 8 dimensions; the truth is the mean over all of them,
    # since the estimate is unbiased. Of 4,000 such draws 98.4% held it where the distributions
    # are equal (the error is 1.4 times too large there) and 94.4% where they are not. A fair
    # interval of 95% would hold fewer than 92% of 400 once in 150 times.
    random = np.random.default_rng(3)
    found = [
        kid(random.normal(size=(60, 8)), random.normal(shift, 1, size=(60, 8)), random)
        for _ in range(400)
    ]
    truth = np.mean([each.mean for each in found])
    covered = [low <= truth <= high for low, high in (each.interval() for each in found)]
    assert 0.92 <= np.mean(covered) <= 1.0


def test_large_samples_take_subsets(monkeypatch):
    monkeypatch.setattr(module, "SUBSET_SIZE", 40)
    random = np.random.default_rng(4)
    real, fake = random.normal(size=(400, 5)), random.normal(0.5, 1, size=(300, 5))
    found = kid(real, fake, np.random.default_rng(0))
    assert found == kid(real, fake, np.random.default_rng(0))
    # The same images whole, and the jackknife's error there.
    monkeypatch.setattr(module, "SUBSET_SIZE", 1000)
    whole = kid(real, fake, random)
    assert found.mean == pytest.approx(whole.mean, abs=2 * whole.standard_error)
    assert 0.5 < found.standard_error / whole.standard_error < 2.0


def test_given_subsets_are_taken_as_they_are():
    random = np.random.default_rng(5)
    real, fake = random.normal(size=(20, 3)), random.normal(size=(20, 3))
    indices = [(random.permutation(20)[:6], random.permutation(20)[:6]) for _ in range(4)]
    expected = [by_hand(real[rows], fake[others]) for rows, others in indices]
    np.testing.assert_allclose(kid_of_subsets(real, fake, indices), expected, rtol=1e-10)


def test_edges():
    random = np.random.default_rng(6)
    with pytest.raises(ValueError, match="1 images are too few: 2 are the least"):
        kernel_distance(np.zeros((1, 3)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="2 images are too few: 3 are the least"):
        kid(np.zeros((2, 3)), np.zeros((5, 3)), random)
    with pytest.raises(ValueError, match="2 groups of real images are too few"):
        kid(np.zeros((4, 3)), np.zeros((5, 3)), random, np.array([0, 0, 1, 1]))
    with pytest.raises(ValueError, match="of 3 and of 2 dimensions"):
        kernel_distance(np.zeros((4, 3)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="NaN"):
        kernel_distance(np.full((4, 3), np.nan), np.zeros((5, 3)))
    # Constant features, the same and others: no spread, and the square of nothing.
    assert kid(np.ones((4, 3)), np.ones((5, 3)), random) == (0.0, 0.0)
    assert kid(np.ones((4, 3)), np.zeros((5, 3)), random) == pytest.approx((7.0, 0.0))
