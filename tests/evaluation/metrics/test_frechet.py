"""The Frechet distance and its kin against closed forms and matrix square roots."""

import numpy as np
import pytest
import scipy.linalg

from gaug_jax.evaluation.metrics import frechet
from gaug_jax.evaluation.metrics.frechet import (
    frechet_coefficient,
    frechet_distance,
    frechet_floor,
    frechet_infinity,
    frechet_standard_error,
    gaussian_statistics,
)


def distance(real, fake):
    return frechet_distance(gaussian_statistics(real), gaussian_statistics(fake))


def with_moments(random, count, mean, covariance):
    """Features whose sample mean and covariance (n - 1) are exactly those given."""
    d = len(mean)
    white = random.normal(size=(count, d))
    white -= white.mean(axis=0)
    white = white @ np.linalg.inv(np.linalg.cholesky(white.T @ white / (count - 1)).T)
    return mean + white @ np.linalg.cholesky(covariance).T


def a_covariance(random, d):
    root = random.normal(size=(d, d))
    return root @ root.T + np.eye(d)


def by_square_root(real, fake):
    """The textbook's formula with scipy's matrix square root."""
    s1, s2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    difference = real.mean(axis=0) - fake.mean(axis=0)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return difference @ difference + np.trace(s1) + np.trace(s2) - 2 * np.trace(root).real


@pytest.mark.parametrize(("m", "n"), [(40, 50), (200, 30), (9, 300)])
def test_it_is_the_textbooks_formula(m, n):
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(m, 8)), random.normal(0.3, 2.0, size=(n, 8))
    assert distance(real, fake) == pytest.approx(by_square_root(real, fake), rel=1e-10)


def test_commuting_covariances_have_a_closed_form():
    random = np.random.default_rng(1)
    ours, theirs = np.array([1.0, 4.0, 9.0]), np.array([16.0, 1.0, 0.25])
    shift = np.array([1.0, -2.0, 0.5])
    real = with_moments(random, 20, np.zeros(3), np.diag(ours))
    fake = with_moments(random, 25, shift, np.diag(theirs))
    expected = shift @ shift + np.sum((np.sqrt(ours) - np.sqrt(theirs)) ** 2)
    assert distance(real, fake) == pytest.approx(expected, rel=1e-12)


def test_a_shift_counts_its_square():
    random = np.random.default_rng(2)
    real = random.normal(size=(30, 64))
    assert distance(real, real + 0.5) == pytest.approx(64 * 0.25, rel=1e-10)


@pytest.mark.parametrize(("count", "d"), [(2, 3), (10, 100), (100, 10), (50, 50), (51, 50)])
def test_a_set_has_no_distance_to_itself(count, d):
    features = np.random.default_rng(3).normal(size=(count, d))
    scale = gaussian_statistics(features).total_variance
    assert 0.0 <= distance(features, features) <= 1e-7 * scale


def test_few_images_in_many_dimensions_are_the_padded_formula():
    # With n below d the covariances are singular; the reference works in the span of both sets.
    random = np.random.default_rng(4)
    real, fake = random.normal(size=(6, 40)), random.normal(1.0, 1.0, size=(7, 40))
    basis = np.linalg.qr(np.concatenate([real, fake]).T)[0]
    s1, s2 = (np.cov(rows @ basis, rowvar=False) for rows in (real, fake))
    eigenvalues = scipy.linalg.eigvals(s1 @ s2).real.clip(0)
    shift = real.mean(axis=0) - fake.mean(axis=0)
    expected = shift @ shift + np.trace(s1) + np.trace(s2) - 2 * np.sqrt(eigenvalues).sum()
    # Square roots of eigenvalues that are 0 but for rounding limit the reference.
    assert distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_it_does_not_depend_on_which_side_is_larger():
    random = np.random.default_rng(5)
    real, fake = random.normal(size=(12, 20)), random.normal(2.0, 3.0, size=(90, 20))
    assert distance(real, fake) == pytest.approx(distance(fake, real), rel=1e-12)


def test_a_collapsed_generator_loses_all_variance():
    random = np.random.default_rng(6)
    real = with_moments(random, 40, np.zeros(5), a_covariance(random, 5))
    collapsed = np.ones((10, 5))
    expected = 5 + np.trace(np.cov(real, rowvar=False))
    assert distance(real, collapsed) == pytest.approx(expected, rel=1e-12)
    assert distance(collapsed, collapsed) == 0.0


def test_large_common_means_do_not_swallow_the_difference():
    real = np.random.default_rng(7).normal(size=(50, 6))
    assert distance(real + 1e6, real + 1e6 + 0.1) == pytest.approx(0.06, rel=1e-4)


def coefficient(real, fake):
    return frechet_coefficient(gaussian_statistics(real), gaussian_statistics(fake))


def test_the_coefficient_is_one_for_one_set_and_falls_with_a_shift():
    random = np.random.default_rng(8)
    real = with_moments(random, 30, np.zeros(4), np.eye(4))
    assert coefficient(real, real) == pytest.approx(1.0, rel=1e-12)
    # S is the identity and m has the square 4 * 0.25, over 2d = 8.
    assert coefficient(real, real + 0.5) == pytest.approx(np.exp(-1.0 / 8), rel=1e-10)


def test_the_coefficient_of_two_spreads():
    random = np.random.default_rng(9)
    narrow = with_moments(random, 30, np.zeros(3), np.eye(3))
    wide = with_moments(random, 30, np.zeros(3), 4 * np.eye(3))
    # 2 tr(2 I) / tr(5 I) in three dimensions.
    assert coefficient(narrow, wide) == pytest.approx(12 / 15, rel=1e-12)


def test_the_coefficient_where_covariances_are_singular():
    random = np.random.default_rng(10)
    real, fake = random.normal(size=(5, 30)), random.normal(size=(6, 30))
    s1, s2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    shift = real.mean(axis=0) - fake.mean(axis=0)
    inverse = np.linalg.pinv((s1 + s2) / 2, rcond=1e-10)
    shared = np.sqrt(scipy.linalg.eigvals(s1 @ s2).real.clip(0)).sum()
    expected = np.exp(-shift @ inverse @ shift / 60) * 2 * shared / np.trace(s1 + s2)
    assert coefficient(real, fake) == pytest.approx(expected, rel=1e-5)


def test_a_floor_is_far_from_zero_and_ours_is_beside_it():
    random = np.random.default_rng(11)
    real, same = random.normal(size=(100, 64)), random.normal(size=(80, 64))
    floor, at_size = frechet_floor(real, same, np.random.default_rng(0))
    assert floor > 10
    assert at_size == pytest.approx(floor, rel=0.2)
    again = frechet_floor(real, same, np.random.default_rng(0))
    assert again == (floor, at_size)


def test_the_extrapolation_removes_most_of_the_bias():
    random = np.random.default_rng(12)
    plain, infinite = [], []
    for _ in range(20):
        real, fake = random.normal(size=(200, 16)), random.normal(size=(200, 16))
        plain.append(distance(real, fake))
        infinite.append(frechet_infinity(real, fake, random))
    # The true distance is 0.
    assert abs(np.mean(infinite)) < 0.2 * np.mean(plain)


def test_the_interval_covers():
    # As its docstring says, by a smaller simulation: of 100 draws, a fair interval of 95% would
    # hold fewer than 87 once in 400 times.
    random = np.random.default_rng(14)
    found, errors = [], []
    for _ in range(100):
        real, fake = random.normal(size=(60, 8)), random.normal(0.5, 1.0, size=(60, 8))
        found.append(distance(real, fake))
        errors.append(frechet_standard_error(real, fake, random))
    covered = np.abs(np.array(found) - np.mean(found)) < 1.96 * np.array(errors)
    assert covered.mean() >= 0.87
    assert np.mean(errors) < 2 * np.std(found)


def test_images_of_one_patient_are_no_independent_draws():
    random = np.random.default_rng(15)
    patients = random.normal(size=(10, 4))
    real = np.repeat(patients, 12, axis=0) + 0.1 * random.normal(size=(120, 4))
    fake = random.normal(1.0, 1.0, size=(120, 4))
    single = frechet_standard_error(real, fake, np.random.default_rng(0))
    grouped = frechet_standard_error(
        real, fake, np.random.default_rng(0), np.repeat(np.arange(10), 12)
    )
    assert grouped > 1.5 * single
    with pytest.raises(ValueError, match="3 groups of real images are too few"):
        frechet_standard_error(real, fake, random, np.arange(120) % 3)


def test_thousand_images_in_2048_dimensions_are_finite():
    random = np.random.default_rng(13)
    real = random.normal(size=(300, 2048)).astype(np.float32)
    value = distance(real, real + 0.01)
    assert value == pytest.approx(2048 * 1e-4, rel=1e-3)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((1, 3)), "1 images are too few: 2 are the least"),
        (np.full((4, 3), np.nan), "NaN or infinite"),
        (np.zeros(4), "give \\[images, features\\]"),
    ],
)
def test_what_has_no_distribution_is_refused(features, message):
    with pytest.raises(ValueError, match=message):
        gaussian_statistics(features)


def test_other_refusals():
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match="of 3 and of 4 dimensions"):
        distance(random.normal(size=(5, 3)), random.normal(size=(5, 4)))
    with pytest.raises(ValueError, match="neither set of features varies"):
        coefficient(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="too few"):
        frechet_floor(random.normal(size=(10, 3)), random.normal(size=(4, 3)), random)
    with pytest.raises(ValueError, match="too few"):
        frechet_infinity(random.normal(size=(7, 3)), random.normal(size=(20, 3)), random)


def test_a_smaller_share_gives_the_same_error(monkeypatch):
    """Of 400 images halves and fifths, the latter's deviation scaled."""
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=(2, 400, 4))
    fake = 1.5 * fake + 1.0
    halves = frechet_standard_error(real, fake, np.random.default_rng(1))
    monkeypatch.setattr(frechet, "_LARGEST_SUBSAMPLE", 80)
    fifths = frechet_standard_error(real, fake, np.random.default_rng(1))
    assert 0.6 < fifths / halves < 1.6
