"""Splits beyond the folds: other partitions of the same patients, and what stays as it was."""

import numpy as np
import pytest
from support.settings_for_tests import small_settings

from gaug_jax.downstream.leakage import check_groups
from gaug_jax.stages.cell import data_of_cell
from gaug_jax.stages.opened import Opened


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens 60 images of noise of three classes: twenty patients with three images each."""
    monkeypatch.setenv("GAUG_CACHE", str(tmp_path / "cache"))
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    labels = np.array(list("abc"))[np.arange(60) % 3]
    path = tmp_path / "images.npz"
    np.savez(path, images=images, labels=labels, patients=np.arange(60) // 3)

    def opened(**options):
        options = {f"data__{name}": value for name, value in options.items()}
        settings = small_settings(
            data__source="npz", data__path=str(path), data__group="patients", **options
        )
        return Opened(str(tmp_path / "W"), settings)

    return opened


def prepared(opened, split, size=0):
    return opened.prepared_with(**data_of_cell(opened.settings.data, split, size))


def test_folds_are_what_they_were(opened):
    study = opened(num_folds=4, split_seed=5, fold=3)
    for split in range(4):
        plain = study.prepared_with(fold=split, train_size=12)
        assert prepared(study, split, 12) is plain


def test_repeats_are_other_partitions_of_the_same_patients(opened):
    study = opened(num_folds=4, split_seed=5)
    partitions = []
    for repeat in range(3):
        folds = [prepared(study, 4 * repeat + fold) for fold in range(4)]
        tests = np.array([each.parts == "test" for each in folds])
        np.testing.assert_array_equal(tests.sum(axis=0), 1)
        partitions.append(tests.argmax(axis=0))
        for each in folds:
            check_groups(each.groups, each.parts)
            # Numbers of patients come from the data.
            np.testing.assert_array_equal(each.groups, folds[0].groups)
            np.testing.assert_array_equal(each.groups, prepared(study, 0).groups)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (partitions[one] != partitions[other]).any()
    # A repeat is the study of another seed.
    other = opened(num_folds=4, split_seed=6)
    np.testing.assert_array_equal(prepared(study, 6).parts, prepared(other, 2).parts)


def test_without_folds_every_split_is_of_a_seed_of_its_own(opened):
    study = opened(num_folds=0, test_fraction=0.25, split_seed=2)
    parts = [prepared(study, split).parts for split in range(3)]
    np.testing.assert_array_equal(parts[0], study.prepared_with().parts)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert ((parts[one] == "test") != (parts[other] == "test")).any()
    assert [data_of_cell(study.settings.data, split, 0)["split_seed"] for split in (0, 1)] == [2, 3]
