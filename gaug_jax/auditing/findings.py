"""An audit of features: copies and membership, as numbers, and what they mean in words."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaug_jax.auditing.membership import Candidates, against_held_out, between_halves, closeness
from gaug_jax.evaluation.metrics.authenticity import authentic
from gaug_jax.evaluation.metrics.classification import binary_auroc, sensitivity_at
from gaug_jax.evaluation.metrics.data_copying import data_copying_score
from gaug_jax.evaluation.metrics.intervals import estimate
from gaug_jax.evaluation.metrics.nearest import nearest, nearest_fellow, nearest_stranger

Features = Float[np.ndarray, "images features"]
Groups = Int[np.ndarray, " images"]

# C_T below this is called copying: three standard errors.
_COPYING = -3.0
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
      train: what the generator was trained on; two images or more.
      held_out: real images that it was not trained on.
      seed: of the cells and of the equally large draws.

    Returns:
      `authenticity`; `closer_than_strangers`, the share nearer to a training image than any two
      training images of different groups are to one another; `nearer_to_training`, the share
      nearer to a training than to a held-out image, of equally many (0.5 where nothing is
      copied); `data_copying_score` (C_T); `median_distance` to each part, and between training
      images. The first two also of held-out images in the place of generated ones.
    """
    to_train, to_held_out = (nearest(generated, part.features)[0] for part in (train, held_out))
    of_held_out = nearest(held_out.features, train.features)[0]
    strangers = nearest_stranger(train.features, train.groups)
    least = float(strangers.min())
    known = np.isfinite(least)
    return {
        "authenticity": float(authentic(generated, train.features).mean()),
        "authenticity_held_out": float(authentic(held_out.features, train.features).mean()),
        "closer_than_strangers": float(np.mean(to_train < least)) if known else None,
        "closer_than_strangers_held_out": float(np.mean(of_held_out < least)) if known else None,
        "nearer_to_training": _nearer_to_training(generated, train, held_out, seed),
        "data_copying_score": data_copying_score(
            generated, held_out.features, train.features, _cells(generated, train, held_out, seed)
        ),
        "median_distance": {
            "generated to training": float(np.median(to_train)),
            "generated to held-out": float(np.median(to_held_out)),
            "held-out to training": float(np.median(of_held_out)),
            "training to training": float(np.median(nearest_fellow(train.features))),
        },
    }


def _nearer_to_training(generated: Features, train: Part, held_out: Part, seed: int) -> float:
    """Returns the share that is nearer to training images, of as many of both kinds."""
    generator = np.random.default_rng(seed)
    size = min(len(train.features), len(held_out.features))
    shares = []
    for _ in range(_DRAWS):
        distances = [
            nearest(generated, part.features[generator.permutation(len(part.features))[:size]])[0]
            for part in (train, held_out)
        ]
        shares.append(
            np.mean(distances[0] < distances[1]) + np.mean(distances[0] == distances[1]) / 2
        )
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
    """Returns the attack from generated images alone, with its control."""
    scores = [closeness(part.features, generated) for part in (train, held_out)]
    return membership((scores[0], train.groups), (scores[1], held_out.groups), seed)


def membership(
    members: tuple[Float[np.ndarray, " members"], Groups],
    held_out: tuple[Float[np.ndarray, " held_out"], Groups],
    seed: int,
) -> dict[str, Any]:
    """Returns how well scores tell members from held-out images, and one half from the other.

    Args:
      members: scores, larger for a member, and groups.
      held_out: likewise.
      seed: of the halves and the bootstrap.

    Returns:
      `auroc` and `true_positive_rate` at 1% false positives, with 95% intervals by group, of the
      attack and, as `control`, of the one between two halves of the members; the control's are
      None where there is one group.
    """
    generator = np.random.default_rng(seed)
    found = _figures(against_held_out(members, held_out), generator)
    enough = len(np.unique(members[1])) > 1
    control = between_halves(members, generator)
    return {**found, "control": _figures(control, generator) if enough else None}


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
    candidates = Candidates(scores, truth, groups)
    found = _figures(candidates, np.random.default_rng(seed))
    return {name: value for name, value in found.items() if name.startswith("auroc")}


def _figures(candidates: Candidates, generator: np.random.Generator) -> dict[str, float]:
    """Returns the figures of an attack, each with its interval."""
    scores, member, groups = candidates
    figures = {
        "auroc": lambda weights: binary_auroc(scores, member, weights)[:, None],
        "true_positive_rate": lambda weights: sensitivity_at(scores, member, weights, _SPECIFICITY)[
            :, None
        ],
    }
    found = {}
    for name, figure in figures.items():
        value = estimate(figure, groups, generator)
        found |= {
            name: value.value,
            f"{name}_low": max(0.0, value.low),
            f"{name}_high": min(1.0, value.high),
        }
    return found


def is_copying(found: dict[str, Any]) -> bool:
    """Says whether `copies` found copies: C_T more than three standard errors below 0."""
    score = found["data_copying_score"]
    return score is not None and score < _COPYING


def is_attacked(found: dict[str, Any]) -> bool:
    """Says whether `membership` tells members: the interval above 0.5, the control's about it."""
    control = found["control"]
    sound = control is None or control["auroc_low"] <= 0.5 <= control["auroc_high"]
    return found["auroc_low"] > 0.5 and sound
