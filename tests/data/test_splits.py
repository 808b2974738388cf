import dataclasses

import numpy as np
import pytest

from gaug_jax.data.splits import SplitPlan, allocate_groups, split
from gaug_jax.errors import UserError

PLAN = SplitPlan(num_folds=5, fold=0, test_fraction=0.2, validation_fraction=0.1, seed=0)
NAMES = ("a", "b", "c")


def _random_data(seed, groups=120, most=6):
    """Groups of one to `most` images, most of them of one class, as patients are."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most + 1, groups)
    group = np.repeat(np.arange(groups), sizes)
    label = np.repeat(rng.choice(3, groups, p=[0.7, 0.2, 0.1]), sizes)
    mixed = rng.random(len(group)) < 0.05
    label[mixed] = rng.integers(0, 3, mixed.sum())
    order = rng.permutation(len(group))
    return label[order], group[order]


def _replace(**fields):
    return dataclasses.replace(PLAN, **fields)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("folds", [0, 2, 5])
def test_groups_are_never_divided(seed, folds):
    labels, groups = _random_data(seed)
    parts = split(labels, groups, _replace(num_folds=folds, seed=seed), NAMES)
    for part in np.unique(parts):
        inside = np.unique(groups[parts == part])
        outside = np.unique(groups[parts != part])
        assert not np.intersect1d(inside, outside).size


@pytest.mark.parametrize("seed", range(5))
def test_folds_cover_every_image_once(seed):
    labels, groups = _random_data(seed)
    tested = np.zeros(len(labels), int)
    for fold in range(5):
        tested += split(labels, groups, _replace(fold=fold, seed=seed), NAMES) == "test"
    np.testing.assert_array_equal(tested, 1)


@pytest.mark.parametrize("seed", range(5))
def test_classes_keep_their_shares(seed):
    labels, groups = _random_data(seed)
    for fold in range(5):
        parts = split(labels, groups, _replace(fold=fold, seed=seed), NAMES)
        for label in range(3):
            share = (parts[labels == label] == "test").mean()
            # The largest group, six images, is at most a tenth of the rarest class.
            assert abs(share - 0.2) < 0.1
        assert abs((parts == "test").mean() - 0.2) < 0.02
        assert abs((parts == "validation").mean() - 0.08) < 0.02


def test_single_images_are_stratified_to_one_image():
    labels = np.repeat([0, 1, 2], [503, 104, 31])
    groups = np.arange(len(labels))
    for fold in range(5):
        test = split(labels, groups, _replace(fold=fold), NAMES) == "test"
        counts = np.bincount(labels[test], minlength=3)
        np.testing.assert_array_less(np.abs(counts - np.array([503, 104, 31]) / 5), 1)


def test_fractions_are_met():
    labels, groups = _random_data(0, groups=400)
    plan = _replace(num_folds=0, test_fraction=0.3, validation_fraction=0.25)
    parts = split(labels, groups, plan, NAMES)
    assert abs((parts == "test").mean() - 0.3) < 0.01
    # A quarter of the seven tenths that are not test.
    assert abs((parts == "validation").mean() - 0.175) < 0.01


def test_no_parts_are_held_out_when_none_are_asked_for():
    labels, groups = _random_data(0)
    plan = _replace(num_folds=0, test_fraction=0.0, validation_fraction=0.0)
    assert set(split(labels, groups, plan, NAMES)) == {"train"}


def test_seed_decides_the_split():
    labels, groups = _random_data(0)
    first = split(labels, groups, PLAN, NAMES)
    np.testing.assert_array_equal(first, split(labels, groups, PLAN, NAMES))
    assert (first != split(labels, groups, _replace(seed=1), NAMES)).mean() > 0.1


def test_order_of_shares_is_kept():
    labels = np.zeros(100, int)
    chosen = allocate_groups(
        labels, np.arange(100), np.array([0.7, 0.3, 0.0]), np.random.default_rng(0)
    )
    np.testing.assert_array_equal(np.bincount(chosen, minlength=3), [70, 30, 0])


def test_official_test_part_is_kept_and_its_groups_leave_training():
    labels = np.tile([0, 1], 50)
    groups = np.arange(100)
    official = np.where(np.arange(100) < 80, "train", "test")
    groups[3] = groups[90]
    groups[4] = groups[5]
    parts = split(labels, groups, PLAN, NAMES[:2], official)
    np.testing.assert_array_equal(parts[80:], "test")
    assert parts[3] == "unused"
    assert parts[4] == parts[5]
    assert (parts == "unused").sum() == 1
    # Five folds of the remaining 79 images.
    assert (parts == "validation").sum() in (15, 16)


def test_official_folds_rotate_the_validation_part():
    labels = np.tile([0, 1], 50)
    official = np.where(np.arange(100) < 80, "train", "test")
    validated = np.zeros(100, int)
    for fold in range(5):
        parts = split(labels, np.arange(100), _replace(fold=fold), NAMES[:2], official)
        validated += parts == "validation"
    np.testing.assert_array_equal(validated, (official == "train").astype(int))


def test_official_validation_part_is_kept_without_folds():
    labels = np.tile([0, 1], 50)
    official = np.repeat(["train", "validation", "test"], [60, 20, 20])
    parts = split(labels, np.arange(100), _replace(num_folds=0), NAMES[:2], official)
    np.testing.assert_array_equal(parts, official)


@pytest.mark.parametrize("seed", range(5))
def test_train_size_is_met_stratified_and_nested(seed):
    labels, groups = _random_data(seed)
    everything = split(labels, groups, _replace(seed=seed), NAMES)
    train = np.flatnonzero(everything == "train")
    before = np.zeros(len(labels), bool)
    for size in (3, 10, 50, 111, len(train)):
        parts = split(labels, groups, _replace(seed=seed, train_size=size), NAMES)
        kept = parts == "train"
        assert kept.sum() == size
        assert not (before & ~kept).any()
        counts = np.bincount(labels[kept], minlength=3)
        shares = np.bincount(labels[train], minlength=3) / len(train)
        # Each class has its first image at once; after that, within one of its share.
        assert (counts >= 1).all()
        np.testing.assert_array_less(np.abs(counts - shares * size), 2 + 1e-9)
        np.testing.assert_array_equal(
            parts[everything != "train"], everything[everything != "train"]
        )
        assert set(parts[train]) <= {"train", "unused"}
        before = kept


def test_train_size_per_class_is_met_and_nested():
    labels, groups = _random_data(1)
    small = split(labels, groups, _replace(train_size=4, train_size_per_class=True), NAMES)
    large = split(labels, groups, _replace(train_size=9, train_size_per_class=True), NAMES)
    np.testing.assert_array_equal(np.bincount(labels[small == "train"]), 4)
    np.testing.assert_array_equal(np.bincount(labels[large == "train"]), 9)
    assert not ((small == "train") & (large != "train")).any()


def test_train_size_that_cannot_be_met_is_refused():
    labels, groups = _random_data(0)
    train = (split(labels, groups, PLAN, NAMES) == "train").sum()
    with pytest.raises(UserError, match=rf"train_size={train + 1} .* give {train} or less"):
        split(labels, groups, _replace(train_size=train + 1), NAMES)
    with pytest.raises(UserError, match="train_size=2 is less than one image of each class"):
        split(labels, groups, _replace(train_size=2), NAMES)
    with pytest.raises(UserError, match="train_size=300 for each class .* class 'c'"):
        split(labels, groups, _replace(train_size=300, train_size_per_class=True), NAMES)


def test_class_with_too_few_groups_is_named():
    labels = np.repeat([0, 1], [50, 6])
    groups = np.concatenate([np.arange(50), np.repeat(50, 6)])
    with pytest.raises(UserError, match=r"class 'b' \(6 images of 1 groups\).*min_class_size to 7"):
        split(labels, groups, PLAN, NAMES[:2])


def test_large_sets_of_single_images_are_fast():
    labels = np.arange(40_000) % 84
    names = tuple(map(str, range(84)))
    parts = split(labels, np.arange(40_000), PLAN, names)
    assert (parts == "test").sum() == pytest.approx(8000, abs=84)


def test_large_groups_are_placed_before_small_ones():
    # 100 single images, then three groups of 20: a fifth of 160 is 32, which can be met only
    # if the single images fill up what the large groups leave.
    groups = np.concatenate([np.arange(100), np.repeat([100, 101, 102], 20)])
    labels = np.zeros(160, int)
    for fold in range(5):
        assert (split(labels, groups, _replace(fold=fold), NAMES[:1]) == "test").sum() == 32


@pytest.mark.parametrize("seed", range(5))
def test_class_of_as_many_groups_as_folds_is_in_every_fold(seed):
    groups = np.arange(200) // 2
    labels = np.zeros(200, int)
    rare = np.random.default_rng(seed).choice(100, 5, replace=False) * 2
    labels[rare] = 1
    for fold in range(5):
        parts = split(labels, groups, _replace(fold=fold, seed=seed), NAMES[:2])
        assert (labels[parts == "test"] == 1).sum() == 1
