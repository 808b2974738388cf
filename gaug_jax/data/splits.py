"""Which image is in which part: pure functions of labels, groups and a seed.

A group (a patient, a writer, a set of duplicates) is never divided between parts, classes
keep their shares as far as groups allow, and the same seed gives the same parts.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Shaped

from gaug_jax.errors import UserError

TRAIN, VALIDATION, TEST, UNUSED = "train", "validation", "test", "unused"
PARTS = (TRAIN, VALIDATION, TEST, UNUSED)
_PART_TYPE = "<U10"
# Numbers that keep the draws of one seed apart.
_FOLDS, _VALIDATION, _TRAIN_SIZE = 1, 2, 3

Parts = Shaped[np.ndarray, " images"]


@dataclasses.dataclass(frozen=True)
class SplitPlan:
    """How to split; the fields are those of `config.data`."""

    num_folds: int
    fold: int
    test_fraction: float
    validation_fraction: float
    seed: int
    train_size: int | None = None
    train_size_per_class: bool = False


def split(
    labels: Int[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    plan: SplitPlan,
    class_names: Sequence[str],
    official: Parts | None = None,
) -> Parts:
    """Returns each image's part: `train`, `validation`, `test` or `unused`.

    With folds, fold `plan.fold` is the test part, and `validation_fraction` of the rest
    is the validation part. With an official test part, that is the test part and the
    fold is the validation part; without folds the publisher's validation part is, where
    there is one. Images that share a group with an official test image are `unused`, and
    so are those beyond `train_size`.

    Args:
      labels: class of each image, 0 .. len(class_names) - 1.
      groups: group of each image, numbered from 0.
      plan: folds or fractions, and the size of the training part.
      class_names: for the messages.
      official: `train`, `validation` or `test` for each image, where the publisher's test
        part is kept.

    Raises:
      UserError: a class cannot be in the training and the test part, or the training
        part is smaller than `train_size`.

    Example:
      >>> patients, labels = np.arange(12) // 3, np.arange(12) % 2
      >>> plan = SplitPlan(num_folds=4, fold=0, test_fraction=0.0, validation_fraction=0.3, seed=0)
      >>> split(labels, patients, plan, ("no", "yes"))[::3].tolist()
      ['train', 'test', 'train', 'validation']
    """
    if official is not None:
        parts = _official_parts(labels, groups, plan, official)
    else:
        parts = np.full(len(labels), TRAIN, _PART_TYPE)
        if plan.num_folds:
            shares, chosen = np.full(plan.num_folds, 1 / plan.num_folds), plan.fold
        else:
            shares, chosen = np.array([1 - plan.test_fraction, plan.test_fraction]), 1
        rng = np.random.default_rng([plan.seed, _FOLDS])
        parts[allocate_groups(labels, groups, shares, rng) == chosen] = TEST
        rest = np.flatnonzero(parts == TRAIN)
        parts[rest[_validation(labels[rest], groups[rest], plan)]] = VALIDATION
    _check_classes(labels, groups, parts, plan, class_names)
    if plan.train_size is not None:
        train = np.flatnonzero(parts == TRAIN)
        kept = keep_train_size(labels[train], plan, class_names)
        parts[np.delete(train, kept)] = UNUSED
    return parts


def _official_parts(
    labels: Int[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    plan: SplitPlan,
    official: Parts,
) -> Parts:
    """Returns the parts where the publisher's test part is kept."""
    parts = np.full(len(labels), TRAIN, _PART_TYPE)
    test = official == TEST
    parts[np.isin(groups, groups[test])] = UNUSED
    parts[test] = TEST
    rest = np.flatnonzero(parts == TRAIN)
    if plan.num_folds:
        shares = np.full(plan.num_folds, 1 / plan.num_folds)
        rng = np.random.default_rng([plan.seed, _FOLDS])
        folds = allocate_groups(labels[rest], groups[rest], shares, rng)
        parts[rest[folds == plan.fold]] = VALIDATION
    elif (official == VALIDATION).any():
        validation = official[rest] == VALIDATION
        parts[rest[np.isin(groups[rest], groups[rest][validation])]] = UNUSED
        parts[rest[validation]] = VALIDATION
    else:
        parts[rest[_validation(labels[rest], groups[rest], plan)]] = VALIDATION
    return parts


def _validation(
    labels: Int[np.ndarray, " images"], groups: Int[np.ndarray, " images"], plan: SplitPlan
) -> Shaped[np.ndarray, " images"]:
    """Returns which images become the validation part."""
    share = plan.validation_fraction
    rng = np.random.default_rng([plan.seed, _VALIDATION, plan.fold])
    return allocate_groups(labels, groups, np.array([1 - share, share]), rng) == 1


def allocate_groups(
    labels: Int[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    shares: Float[np.ndarray, " parts"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " images"]:
    """Returns a part for each image, whole groups, stratified by class.

    Groups are taken in random order, those of the rarest classes first and large ones
    before small ones; each goes where its classes lack most, relative to their sizes.

    Args:
      labels: class of each image.
      groups: group of each image.
      shares: share of all images that each part is to have; they add up to 1.
      rng: decides the order and ties.
    """
    if not len(labels):
        return np.zeros(0, np.int64)
    groups = np.unique(groups, return_inverse=True)[1]
    cells, counts = np.unique(np.stack([groups, labels], axis=1), axis=0, return_counts=True)
    num_groups, num_classes = int(groups.max()) + 1, int(labels.max()) + 1
    class_sizes = np.bincount(labels, minlength=num_classes)
    class_groups = np.bincount(cells[:, 1], minlength=num_classes)
    starts = np.searchsorted(cells[:, 0], np.arange(num_groups + 1))
    sizes = np.bincount(groups)
    rarity = np.minimum.reduceat(class_groups[cells[:, 1]], starts[:-1])
    order = np.lexsort((rng.random(num_groups), -sizes, rarity))
    # lacking[part, class]: share of the class that the part still lacks.
    lacking = np.repeat(shares[:, None], num_classes, axis=1)
    tie_break = rng.random((num_groups, len(shares))) * 1e-9
    chosen = np.empty(num_groups, np.int64)
    usable = shares > 0
    for group in order:
        cell = slice(starts[group], starts[group + 1])
        classes = cells[cell, 1]
        weight = counts[cell] / class_sizes[classes]
        need = lacking[:, classes] @ weight / weight.sum()
        part = np.argmax(np.where(usable, need + tie_break[group], -np.inf))
        lacking[part, classes] -= weight
        chosen[group] = part
    return chosen[groups]


def keep_train_size(
    labels: Int[np.ndarray, " images"], plan: SplitPlan, class_names: Sequence[str]
) -> Int[np.ndarray, " kept"]:
    """Returns the sorted indices of `plan.train_size` images, in the classes' proportions.

    Each class has at least one. The images of a smaller size are among those of a larger
    one with the same seed and fold.

    Raises:
      UserError: there are not so many images, or fewer than classes are asked for.
    """
    rng = np.random.default_rng([plan.seed, _TRAIN_SIZE, plan.fold])
    size = plan.train_size
    rank = _ranks(labels, rng)
    counts = np.bincount(labels, minlength=len(class_names))
    if plan.train_size_per_class:
        if counts.min() < size:
            rarest = int(np.argmin(counts))
            raise UserError(
                f"config.data.train_size={size} for each class is more than the training part "
                f"has of class {class_names[rarest]!r}: give {counts[rarest]} or less"
            )
        return np.flatnonzero(rank < size)
    if size > len(labels):
        raise UserError(
            f"config.data.train_size={size} is more than the training part has: give "
            f"{len(labels)} or less"
        )
    if size < len(class_names):
        raise UserError(
            f"config.data.train_size={size} is less than one image of each class: give "
            f"{len(class_names)} or more"
        )
    # The images of a class spread evenly over 0 .. 1; the first of each class comes first.
    place = np.where(rank == 0, rank - 1.0, (rank + 0.5) / counts[labels])
    order = np.lexsort((rng.random(len(labels)), place))
    return np.sort(order[:size])


def _ranks(
    labels: Int[np.ndarray, " images"], rng: np.random.Generator
) -> Int[np.ndarray, " images"]:
    """Returns each image's place in a random order of its class."""
    order = np.lexsort((rng.random(len(labels)), labels))
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank


def _check_classes(
    labels: Int[np.ndarray, " images"],
    groups: Int[np.ndarray, " images"],
    parts: Parts,
    plan: SplitPlan,
    class_names: Sequence[str],
) -> None:
    """Raises `UserError` where a class is absent from the training or the test part."""
    needed = [TRAIN]
    if (parts == TEST).any() or plan.num_folds or plan.test_fraction:
        needed.append(TEST)
    for part in needed:
        counts = np.bincount(labels[parts == part], minlength=len(class_names))
        for label in np.flatnonzero(counts == 0):
            members = labels == label
            num_groups = len(np.unique(groups[members]))
            raise UserError(
                f"class {class_names[label]!r} ({members.sum()} images of {num_groups} groups) "
                f"has none for the {part} part: set config.data.min_class_size to "
                f"{members.sum() + 1} or more, or change config.data.num_folds or the fractions"
            )
