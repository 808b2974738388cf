"""What a field of the metadata alone says of the classes: no image is looked at."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from gaug_jax.data.splits import TEST, TRAIN
from gaug_jax.evaluation.metrics.classification import plain_figures


def shortcut_probabilities(
    train_values: list[str],
    train_labels: Int[np.ndarray, " train"],
    values: list[str],
    classes: int,
) -> Float[np.ndarray, "images classes"]:
    """Returns each class's share among the training images with the same value.

    One image of each class is added to every value (Laplace), so that a value that was
    never seen says nothing.

    Args:
      train_values: of the training images.
      train_labels: their classes.
      values: of the images to be told.
      classes: number of classes.
    """
    counts: dict[str, np.ndarray] = {}
    for value, label in zip(train_values, train_labels, strict=True):
        counts.setdefault(value, np.ones(classes))[label] += 1
    rows = np.array([counts.get(value, np.ones(classes)) for value in values])
    return rows / rows.sum(axis=1, keepdims=True)


def shortcut_figures(
    values: list[str | None],
    labels: Int[np.ndarray, " images"],
    parts: Shaped[np.ndarray, " images"],
    classes: int,
) -> dict[str, float | None]:
    """Returns the figures of the test part, told by the field's values alone.

    Args:
      values: of every image.
      labels: their classes.
      parts: their parts.
      classes: number of classes.
    """
    texts = np.array([str(value) for value in values])
    train, test = parts == TRAIN, parts == TEST
    probabilities = shortcut_probabilities(
        texts[train].tolist(), labels[train], texts[test].tolist(), classes
    )
    return plain_figures(probabilities, labels[test])
