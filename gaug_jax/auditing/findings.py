"""An audit of features: copies and membership, as numbers, and what they mean in words."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import fisher_exact

from gaug_jax.auditing.membership import (
    Candidates,
    against_held_out,
    between_halves,
    closeness,
    half_of_groups,
)
from gaug_jax.evaluation.metrics.authenticity import authenticity
from gaug_jax.evaluation.metrics.classification import binary_auroc, sensitivity_at
from gaug_jax.evaluation.metrics.data_copying import data_copying_score
from gaug_jax.evaluation.metrics.intervals import UndefinedFigureError, estimate, resample
from gaug_jax.evaluation.metrics.nearest import (
    GroupDistances,
    group_distances,
    nearest,
    nearest_fellow,
    nearest_stranger,
)

Features = Float[np.ndarray, "images features"]
Groups = Int[np.ndarray, " images"]

# C_T is called copying below this, and that far below what it is with the parts exchanged.
_COPYING = -3.0
# p-value of so many images that are close to training and not to held-out ones.
_RARE = 0.001
_IMAGES_PER_CELL = 20
_MOST_CELLS = 10
_SPECIFICITY = 0.99
_DRAWS = 20


class Part(NamedTuple):
    """Real images of a part.

    Attributes:
      features: float64.
      groups: patient or writer of each.
    """

    features: Features
    groups: Groups


def copies(generated: Features, train: Part, held_out: Part, seed: int) -> dict[str, Any]:
    """Returns how near generated images are to training images, beside held-out real images.

    Args:
      generated: features, float64.
      train: what the generator was trained on; two groups or more.
      held_out: real images that it was not trained on.
      seed: of the cells and of the equally large draws.

    Returns:
      `authenticity`; `closer_than_strangers`, the share nearer to a training image than any two
      training images of different groups are to one another, with the one-sided p-value that
      more training than held-out groups have one so close; `nearer_to_training`, the share
      nearer to a training than to a held-out image, of equally many groups (0.5 where nothing is
      copied); `data_copying_score` (C_T), and the same with the parts exchanged, which is as far
      below 0 where generated images are merely near to everything; `median_distance` to each
      part, and between training images. The first two also of held-out images in the place of
      generated ones.

    Raises:
      UndefinedFigureError: all training images are of one group.
    """
    to_train, to_held_out = (
        group_distances(generated, part.features, part.groups) for part in (train, held_out)
    )
    of_held_out = nearest(held_out.features, train.features)[0]
    least = float(nearest_stranger(train.features, train.groups).min())
    if not np.isfinite(least):
        raise UndefinedFigureError("all training images are of one group: there are no strangers")
    return {
        "authenticity": authenticity(generated, train.features),
        "authenticity_held_out": authenticity(held_out.features, train.features),
        "closer_than_strangers": float(np.mean(to_train.nearest() < least)),
        "closer_than_strangers_held_out": float(np.mean(of_held_out < least)),
        "nearer_to_training": _nearer_to_training(to_train, to_held_out, seed),
        "closer_than_strangers_p_value": _p_value_of_more(
            [(to_train.of_others, train.groups), (to_held_out.of_others, held_out.groups)], least
        ),
        "data_copying_score": _score(generated, train, held_out, seed),
        "data_copying_score_exchanged": _score(generated, held_out, train, seed),
        "median_distance": {
            "generated to training": float(np.median(to_train.nearest())),
            "generated to held-out": float(np.median(to_held_out.nearest())),
            "held-out to training": float(np.median(of_held_out)),
            "training to training": float(np.median(nearest_fellow(train.features))),
        },
    }


def _score(generated: Features, train: Part, held_out: Part, seed: int) -> float | None:
    """Returns C_T."""
    cells = _cells(generated, train, held_out, seed)
    return data_copying_score(generated, held_out.features, train.features, cells)


def _p_value_of_more(
    parts: Sequence[tuple[Float[np.ndarray, " images"], Groups]], least: float
) -> float:
    """Returns the p-value that more training than held-out groups have a generated image so close.

    Fisher's exact test, one-sided. Groups are counted, since many generated images may be close
    to the same real one.

    Args:
      parts: distance of each real image to the nearest generated one, and its group, of the
        training and of the held-out part.
      least: what is close.
    """
    table = []
    for distances, groups in parts:
        hit = len(np.unique(groups[distances < least]))
        table.append([hit, len(np.unique(groups)) - hit])
    return float(fisher_exact(table, alternative="greater").pvalue)


def _nearer_to_training(to_train: GroupDistances, to_held_out: GroupDistances, seed: int) -> float:
    """Returns the share that is nearer to training images, of as many groups of both kinds."""
    rng = np.random.default_rng(seed)
    sides = (to_train, to_held_out)
    size = min(len(each.names) for each in sides)
    shares = []
    for _ in range(_DRAWS):
        one, other = (
            each.nearest(np.isin(each.names, rng.permutation(each.names)[:size])) for each in sides
        )
        shares.append(np.mean(one < other) + np.mean(one == other) / 2)
    return float(np.mean(shares))


def _cells(generated: Features, train: Part, held_out: Part, seed: int) -> tuple[Groups, ...]:
    """Returns the cell of every image: k-means of the training images."""
    from sklearn.cluster import KMeans

    count = int(np.clip(len(held_out.features) // _IMAGES_PER_CELL, 1, _MOST_CELLS))
    count = min(count, len(train.features))
    fitted = KMeans(count, n_init=4, random_state=seed).fit(train.features)
    return tuple(
        fitted.predict(features) for features in (generated, held_out.features, train.features)
    )


def membership_by_closeness(
    generated: Features, train: Part, held_out: Part, seed: int
) -> dict[str, Any]:
    """Returns the attack from generated images alone, with its controls.

    Returns:
      As of `membership`, and `shift`: the same attack with half of the held-out images in the
      place of the generated ones, which finds what else tells the two parts apart.

    Raises:
      UndefinedFigureError: as of `membership`, or half of the held-out images are too few.
    """
    scores = [closeness(part.features, generated) for part in (train, held_out)]
    found = membership((scores[0], train.groups), (scores[1], held_out.groups), seed)
    taken = half_of_groups(held_out.groups, np.random.default_rng(seed))
    rest = Part(held_out.features[~taken], held_out.groups[~taken])
    members, others = (
        (closeness(part.features, held_out.features[taken]), part.groups) for part in (train, rest)
    )
    shift = _figures(against_held_out(members, others), np.random.default_rng(seed))
    return {**found, "shift": shift}


def membership(
    members: tuple[Float[np.ndarray, " members"], Groups],
    held_out: tuple[Float[np.ndarray, " held_out"], Groups],
    seed: int,
) -> dict[str, Any]:
    """Returns how well scores tell members from held-out images, and one half from the other.

    Args:
      members: scores, larger for a member, and groups.
      held_out: scores of images that were not trained on, and their groups.
      seed: of the halves and the bootstrap.

    Returns:
      `auroc` and `true_positive_rate` at 1% false positives, with 95% intervals by group, of the
      attack and, as `control`, of the one between two halves of the members.

    Raises:
      UndefinedFigureError: the members, or the held-out images, are of too few groups.
    """
    rng = np.random.default_rng(seed)
    found = _figures(against_held_out(members, held_out), rng)
    return {**found, "control": _figures(between_halves(members, rng), rng)}


def standardised(
    scores: Sequence[Float[np.ndarray, " images"]], labels: Sequence[Int[np.ndarray, " images"]]
) -> list[Float[np.ndarray, " images"]]:
    """Returns scores of several sides with mean 0 and deviation 1 of each class over all sides.

    Discriminators of several classes have scales of their own.
    """
    every, classes = np.concatenate(scores), np.concatenate(labels)
    for label in np.unique(classes):
        mine = classes == label
        every[mine] = (every[mine] - every[mine].mean()) / max(every[mine].std(), 1e-12)
    return np.split(every, np.cumsum([len(side) for side in scores])[:-1])


def told(
    scores: Float[np.ndarray, " images"],
    truth: Bool[np.ndarray, " images"],
    groups: Groups,
    seed: int,
) -> dict[str, float]:
    """Returns how well scores tell an attribute, with a 95% interval by group.

    Args:
      scores: larger where it is thought to be there.
      truth: whether it is.
      groups: whose it is.
      seed: of the bootstrap.

    Raises:
      ValueError: all images have one value of it.
    """
    if len(np.unique(truth)) < 2:
        raise ValueError("the training images in question have one value of the attribute alone")
    return _figure("auroc", Candidates(scores, truth, groups), np.random.default_rng(seed))


_FIGURES: dict[str, Callable[..., Float[np.ndarray, " weightings"]]] = {
    "auroc": binary_auroc,
    "true_positive_rate": functools.partial(sensitivity_at, specificity=_SPECIFICITY),
}


def _figures(candidates: Candidates, rng: np.random.Generator) -> dict[str, float]:
    """Returns the figures of an attack, each with its interval."""
    found = {}
    for name in _FIGURES:
        found |= _figure(name, candidates, rng)
    return found


def _figure(name: str, candidates: Candidates, rng: np.random.Generator) -> dict[str, float]:
    """Returns one figure of an attack with its interval."""
    scores, member, groups = candidates
    figure = _FIGURES[name]
    resamples = resample(groups, rng)
    value = estimate(lambda weights: figure(scores, member, weights)[:, None, None], resamples)
    return {
        name: value.value,
        f"{name}_low": max(0.0, value.low),
        f"{name}_high": min(1.0, value.high),
    }


def is_copying(found: dict[str, Any]) -> bool:
    """Says whether `copies` found copies.

    By C_T, which finds a generator that copies everywhere, or by the images that are closer to a
    training image than strangers are, which finds a few copies among others.
    """
    score, exchanged = found["data_copying_score"], found["data_copying_score_exchanged"]
    everywhere = score is not None and score < min(_COPYING, (exchanged or 0.0) + _COPYING)
    return everywhere or found["closer_than_strangers_p_value"] < _RARE


def is_attacked(found: dict[str, Any]) -> bool:
    """Says whether `membership` tells members: above chance, and above what a shift tells."""
    shift = found.get("shift")
    return found["auroc_low"] > 0.5 and (shift is None or found["auroc"] > shift["auroc_high"])


def is_sound(found: dict[str, Any]) -> bool:
    """Says whether the control of an attack finds nothing, as it must."""
    control = found["control"]
    return control["auroc_low"] <= 0.5 <= control["auroc_high"]
