"""Which generated images to keep: four scores of each image, of every one larger is better.

- `discriminator`: the discriminator's score.
- `agreement`: the probability that a classifier of the real training part gives to the
  wanted class.
- `density`: closeness (minus the distance) to the fifth nearest training image of the
  class, in the classifier's features.
- `copies`: distance to the nearest training image, divided by that one's own distance to its
  nearest fellow; below 1 an image is nearer to a training image than training images are to each
  other. In pixels, or in a pretrained network's features where the classifier is linear in these.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int, UInt8

from gaug_jax.evaluation.metrics.nearest import nearest, nearest_fellow
from gaug_jax.evaluation.metrics.precision_recall import distance_chunks

FILTERS = ("none", "discriminator", "agreement", "density", "copies")
_NEIGHBOURS = 5

Images = UInt8[np.ndarray, "images height width channels"]
Features = Float[np.ndarray, "images features"]
Labels = Int[np.ndarray, " images"]
Scores = Float[np.ndarray, " images"]


def in_pixels(images: Images) -> Features:
    """Returns pixels in [0, 1] as features."""
    return images.reshape(len(images), -1).astype(np.float64) / 255.0


def copy_distances(fakes: Features, train: Features) -> Scores:
    """Returns the score `copies`; infinite where there is one training image, which has no fellow.

    A training image that is there twice has no distance to its fellow; then the least one
    that is not 0 counts.
    """
    if len(train) < 2:
        return np.full(len(fakes), np.inf)
    fellows = nearest_fellow(train)
    positive = fellows[fellows > 0]
    fellows = np.maximum(fellows, positive.min() if len(positive) else 1.0)
    distances, places = nearest(fakes, train)
    return distances / fellows[places]


def densities(
    fakes: Features, fake_labels: Labels, train: Features, train_labels: Labels
) -> Scores:
    """Returns the score `density`; of a class with fewer than five images the farthest counts."""
    scores = np.full(len(fakes), -np.inf)
    for label in np.unique(fake_labels):
        mine, theirs = fake_labels == label, train[train_labels == label].astype(np.float64)
        if not len(theirs):
            continue
        place = min(_NEIGHBOURS, len(theirs)) - 1
        found = np.empty(mine.sum())
        for chunk, squared in distance_chunks(fakes[mine].astype(np.float64), theirs):
            found[chunk] = -np.sqrt(np.partition(squared, place, axis=1)[:, place])
        scores[mine] = found
    return scores


def agreements(
    probabilities: Float[np.ndarray, "images classes"], labels: Labels, class_names: tuple[str, ...]
) -> tuple[Scores, dict[str, float]]:
    """Returns the score `agreement`, and the share of each class that is taken for it.

    Args:
      probabilities: of the classifier.
      labels: wanted class of each image.
      class_names: of the classes.
    """
    right = probabilities.argmax(axis=1) == labels
    shares = {
        class_names[label]: float(right[labels == label].mean()) for label in np.unique(labels)
    }
    return probabilities[np.arange(len(labels)), labels], shares


def kept(
    name: str, scores: Mapping[str, Scores], labels: Labels, share: float
) -> Int[np.ndarray, " kept"]:
    """Returns the images that a filter keeps, in their order.

    Args:
      name: of the filter.
      scores: by the filters' names.
      labels: class of each image; each keeps its share.
      share: of each class that is kept, at least one image.

    Raises:
      ValueError: the filter is unknown.
    """
    if name == "none":
        return np.arange(len(labels))
    if name not in FILTERS:
        raise ValueError(f"filter {name!r} is not one of {', '.join(FILTERS)}")
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = max(1, int(round(share * len(members))))
        best = np.argsort(-scores[name][members], kind="stable")[:count]
        chosen.append(members[best])
    return np.sort(np.concatenate(chosen))
