"""Attribute leaks: can more be told of a patient from generated images than the label tells?

The attacker has real images of other patients with the attribute (such as sex), fits a classifier
on some of them, and reads the attribute off generated images. The truth of a generated image is
the attribute of the training image that is nearest to it. Three figures answer: what the class
alone tells, what the generated images tell, and, as the control, what real images of further
patients tell of the training images nearest to them: look-alikes share a sex without any leak.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

Features = Float[np.ndarray, "images features"]
Labels = Int[np.ndarray, " images"]

_COMPONENTS = 50


class Attribute(NamedTuple):
    """A property that an image has or has not.

    Attributes:
      name: such as `sex is F`.
      value: of each image.
      known: which images it is known of.
    """

    name: str
    value: Bool[np.ndarray, " images"]
    known: Bool[np.ndarray, " images"]


def read_attributes(metadata: Sequence[dict[str, str]], train: Labels) -> list[Attribute]:
    """Returns the attributes that the metadata of the images give.

    Sex: its rarer value. Age: above the median of the training images. Location: the most common
    one of the training images.

    Args:
      metadata: of every image of the data.
      train: which of them are trained on.
    """
    found = []
    for column, choose in (("sex", np.argmin), ("age", None), ("location", np.argmax)):
        texts = np.array([row.get(column, "") for row in metadata])
        known = texts != ""
        names, counts = np.unique(texts[train][known[train]], return_counts=True)
        if len(names) < 2:
            continue
        if choose is None:
            found += _above_median(column, texts, train)
            continue
        chosen = names[choose(counts)]
        found.append(Attribute(f"{column} is {chosen}", texts == chosen, known))
    return found


def _above_median(column: str, texts: np.ndarray, train: Labels) -> list[Attribute]:
    """Returns whether a column's number is above the median; what is no number is not known.

    Returns nothing where no training image has a number.
    """
    numbers = np.full(len(texts), np.nan)
    for index in np.flatnonzero(texts != ""):
        try:
            numbers[index] = float(texts[index])
        except ValueError:
            continue
    known = np.isfinite(numbers)
    if not known[train].any():
        return []
    median = np.median(numbers[train][known[train]])
    return [Attribute(f"{column} is above {median:g}", numbers > median, known)]


def attribute_reader(
    attackers: Features, value: Bool[np.ndarray, " attackers"]
) -> Callable[[Features], Float[np.ndarray, " images"]]:
    """Returns what reads the probability of an attribute off images.

    Logistic regression on 50 principal components, fitted to the attacker's own images.

    Raises:
      ValueError: the attacker knows one value alone.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(value)) < 2:
        raise ValueError("the attacker's images have one value of the attribute alone")
    components = min(_COMPONENTS, *attackers.shape, len(attackers) // 2)
    classifier = make_pipeline(
        PCA(max(1, components), random_state=0),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=1000),
    )
    fitted = classifier.fit(attackers, value)
    return lambda images: fitted.predict_proba(images)[:, 1]


def told_by_labels(
    labels: Labels, value: Bool[np.ndarray, " images"], wanted: Labels
) -> Float[np.ndarray, " wanted"]:
    """Returns the share of an attribute among the images of each wanted class."""
    whole = value.mean()
    shares = {label: value[labels == label].mean() for label in np.unique(labels)}
    return np.array([shares.get(label, whole) for label in wanted])
