"""Intervals that cover what they should, and Holm's correction."""

import numpy as np
import pytest
import scipy.stats

from gaug_jax.evaluation.metrics.intervals import (
    Estimate,
    UndefinedFigureError,
    estimate,
    groups_for_half_width,
    holm,
    patient_weights,
    resample,
    split_strata,
    weights_within,
)


def simulated(generator, patients, seeds, effect, deviations):
    """Paired differences of right answers: by patient, by seeds of two kinds, and noise.

    Returns differences [generators, classifiers, images] and the patient of each image; their
    mean is `effect`.
    """
    sizes = generator.integers(1, 4, patients)
    groups = np.repeat(np.arange(patients), sizes)
    of_patient = generator.normal(0.0, 0.3, patients)[groups]
    of_generator = generator.normal(0.0, deviations[0], (seeds[0], 1, 1))
    of_classifier = generator.normal(0.0, deviations[1], (seeds[1], 1))
    noise = generator.normal(0.0, 0.4, (*seeds, len(groups)))
    return effect + of_patient + of_generator + of_classifier + noise, groups


def mean_of(differences):
    """The figure of each pair of seeds: its weighted mean difference."""
    return lambda weights: np.einsum("wi,gci->wgc", weights / weights.sum(1)[:, None], differences)


def coverage(num_simulations, patients, seeds, deviations, replicates=200):
    """The share of simulations whose interval holds the truth."""
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(num_simulations):
        differences, groups = simulated(generator, patients, seeds, 0.05, deviations)
        found = estimate(mean_of(differences), resample(groups, generator, replicates))
        held += found.low <= 0.05 <= found.high
    return held / num_simulations


@pytest.mark.parametrize(
    ("patients", "seeds", "deviations"),
    [
        (100, (1, 1), (0.0, 0.0)),
        (100, (3, 1), (0.05, 0.0)),
        (300, (3, 1), (0.02, 0.0)),
        (100, (1, 4), (0.0, 0.05)),
        (200, (2, 4), (0.03, 0.03)),
    ],
)
def test_the_interval_covers(patients, seeds, deviations):
    """Over 2,000 simulations; the standard error of the share is half a percent."""
    assert 0.93 <= coverage(2000, patients, seeds, deviations) <= 0.97


@pytest.mark.parametrize(("seeds", "deviations"), [((2, 4), (0.065, 0.0)), ((1, 2), (0.0, 0.065))])
def test_two_seeds_that_outweigh_the_patients_cover_nine_in_ten(seeds, deviations):
    """Satterthwaite's freedom is that of two numbers then; the docstring says so."""
    assert 0.88 <= coverage(2000, 200, seeds, deviations) <= 0.95


def test_one_patient_with_many_images_counts_as_one():
    groups = np.array([0] * 50 + list(range(1, 51)))
    right = np.array([1.0] * 50 + [0.0, 1.0] * 25)

    def figure(weights):
        return (weights @ right / weights.sum(axis=1))[:, None, None]

    by_patient = estimate(figure, resample(groups, np.random.default_rng(0)))
    by_image = estimate(figure, resample(np.arange(100), np.random.default_rng(0)))
    assert by_patient.standard_error > 1.5 * by_image.standard_error
    assert by_patient.value == by_image.value == 0.75


def test_a_clear_difference_leaves_zero_out_and_none_has_a_large_p_value():
    generator = np.random.default_rng(0)
    differences, groups = simulated(generator, 200, (3, 2), 0.5, (0.01, 0.01))

    figure = mean_of(differences)
    found = estimate(figure, resample(groups, generator))
    assert found.low > 0 and found.p_value < 1e-6
    nothing = estimate(lambda weights: 0 * figure(weights), resample(groups, generator))
    assert nothing == Estimate(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def test_an_undefined_figure_is_an_error():
    with pytest.raises(ValueError, match="not defined"):
        estimate(
            lambda w: np.full((len(w), 1, 1), np.nan),
            resample(np.arange(5), np.random.default_rng(0)),
        )


def test_weights_draw_whole_patients():
    groups = np.array([0, 0, 1, 2, 2, 2])
    weights = patient_weights(groups, 500, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 3] == weights[:, 5]).all()
    np.testing.assert_array_equal(weights[:, [0, 2, 3]].sum(axis=1), 3)
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.15)


def test_one_patient_gives_no_interval():
    with pytest.raises(UndefinedFigureError, match="one patient"):
        resample(np.zeros(5, int), np.random.default_rng(0))


def test_a_figure_that_many_replicates_lack_has_no_interval():
    def figure(weights):  # Not defined where the first image was not drawn.
        return np.where(weights[:, 0] > 0, weights.mean(axis=1), np.nan)[:, None, None]

    with pytest.raises(UndefinedFigureError, match="too few"):
        estimate(figure, resample(np.arange(5), np.random.default_rng(0)))


def test_holm_by_hand_and_its_properties():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
    random = np.random.default_rng(0).uniform(size=20)
    adjusted = np.array(holm(random))
    assert (adjusted >= random).all() and (adjusted <= np.minimum(1, 20 * random)).all()
    assert (np.argsort(adjusted, kind="stable") == np.argsort(random, kind="stable")).sum() >= 2


def test_how_many_patients_an_answer_takes():
    reach = scipy.stats.t.ppf(0.975, 99) * 0.05
    now = Estimate(0.02, 0.02 - reach, 0.02 + reach, 0.7, 0.05, 0.05)
    assert groups_for_half_width(now, 100, reach / 2) == 400
    # What seeds add is not made smaller by patients, and not counted as theirs.
    with_seeds = now._replace(low=-1.0, high=1.04, standard_error=0.5)
    assert groups_for_half_width(with_seeds, 100, reach / 2) == 400


def test_the_error_of_patients_is_that_without_the_seeds():
    generator = np.random.default_rng(0)
    differences, groups = simulated(generator, 200, (3, 4), 0.5, (0.2, 0.1))

    figure = mean_of(differences)
    found = estimate(figure, resample(groups, generator))
    means = differences.mean(axis=2)  # Each image weighs the same.
    of_seeds = np.var(means.mean(1), ddof=1) / 3 + np.var(means.mean(0), ddof=1) / 4
    assert found.standard_error**2 - found.standard_error_of_groups**2 == pytest.approx(of_seeds)
    alone = estimate(
        lambda w: figure(w).mean(axis=(1, 2), keepdims=True), resample(groups, generator)
    )
    assert alone.standard_error == alone.standard_error_of_groups
    assert alone.standard_error == pytest.approx(found.standard_error_of_groups, rel=0.1)


def test_strata_are_splits_joined_where_they_share_a_patient():
    groups = np.array([7, 7, 3, 5, 5, 9])
    strata = split_strata(groups, np.array([4, 4, 4, 0, 0, 0]))
    assert len(set(strata[:3])) == len(set(strata[3:])) == 1 and strata[0] != strata[3]
    # Two partitions of four patients in halves: every patient is in one test part of each.
    twice = split_strata(np.array([0, 1, 2, 3, 0, 2, 1, 3]), np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    assert len(set(twice.tolist())) == 1


def test_a_patient_is_drawn_within_its_stratum_once_for_all_splits():
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 5])
    strata = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    weights = weights_within(groups, strata, 500, np.random.default_rng(0))
    first = weights[:, [0, 2, 3]].sum(axis=1)
    second = weights[:, [4, 5, 6]].sum(axis=1)
    assert (first == 2).all() and (second == 2).all()
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 6] == weights[:, 7]).all()
    with pytest.raises(UndefinedFigureError, match="a split are of one patient"):
        weights_within(groups, np.where(groups == 5, 1, 0), 10, np.random.default_rng(0))


def test_the_error_within_strata_is_that_of_a_mean_of_means():
    """Of four splits of six patients: the mean of the splits' s^2 / 6, over 4."""
    generator = np.random.default_rng(0)
    values, splits = generator.normal(size=24), np.repeat(np.arange(4), 6)
    values += 10.0 * splits  # Splits differ much, which is no error of their patients.

    def figure(weights):
        means = [
            (weights[:, splits == each] @ values[splits == each])
            / weights[:, splits == each].sum(axis=1)
            for each in range(4)
        ]
        return np.mean(means, axis=0)[:, None, None]

    found = estimate(figure, resample(np.arange(24), generator, 20_000, splits))
    expected = np.sqrt(np.mean([values[splits == each].var(ddof=1) / 6 for each in range(4)]) / 4)
    assert found.standard_error == pytest.approx(expected, rel=0.03)
    reach = scipy.stats.t.ppf(0.975, 20) * found.standard_error
    assert found.high - found.value == pytest.approx(reach)
