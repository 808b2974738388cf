"""Figures on the external test set: each arm's, and its paired differences.

The classifiers of every split judge the same external images. So a figure is that of each
classifier on all of them, averaged over splits, generator seeds and classifier seeds: what the
training procedure reaches there on average, of whatever training set. Nothing is pooled, and
nothing needs to be calibrated.

An interval has three parts. Patients of the external set are resampled, once for all classifiers.
Generator seeds and classifier seeds count as in the study's own figures. And splits count as
training sets: the spread of their classifiers is added, multiplied by what the patients that
two training parts have in common take from it (`gaug_jax.evaluation.metrics.intervals`). That pairs
of split and seed were independent would be wrong twice: classifiers of one split share their
training part, and two training parts share most of their patients. In 400 simulated studies, of
five folds of 60 images and 1,000 external ones, such 95% intervals hold the truth in 68%, those
with the spread of splits as it is in 73%, and these in 97%; where the training has chance of its
own, in 74%, 84% and 99%. One split tells nothing of other training sets.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.downstream.estimates import FEWER, REPLICATES, resampled, within_0_and_1
from gaug_jax.downstream.pooled import Row, axes_of
from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.evaluation.metrics.intervals import UndefinedFigureError, estimate_of
from gaug_jax.settings import ClassifySettings

# What is told of an external set, in this order.
FIGURES = ("accuracy", "macro_f1", "auroc", "sensitivity_at_90_specificity")
# What a run's predictions hold of it; `train_group` are the patients of the training part.
ARRAYS = ("external_probabilities", "external_label", "external_group", "train_group")

Values = Float[np.ndarray, "weightings splits generators classifiers"]


@dataclasses.dataclass(frozen=True, eq=False)
class OnExternal:
    """What one arm's classifiers of one training size say of the external set.

    Attributes:
      probabilities: by split, generator seed and classifier seed.
      labels: of the external images.
      groups: patient of each.
      shared: share of its patients that a training part has in common with another's, the mean
        over pairs of splits; 0 of one split.
    """

    probabilities: Float[np.ndarray, "splits generators classifiers images classes"]
    labels: Int[np.ndarray, " images"]
    groups: Int[np.ndarray, " images"]
    shared: float
    # Values of figures, which every difference to the arm is made of too.
    _values: dict[tuple[str, int], tuple[Values, Values]] = dataclasses.field(
        default_factory=dict, repr=False
    )

    def values(self, name: str, replicates: int) -> tuple[Values, Values]:
        """Returns a figure on the images as they are, and on resampled patients.

        Args:
          name: of the figure, of `FIGURES`.
          replicates: of the bootstrap.

        Raises:
          UndefinedFigureError: all images are of one patient.
        """
        if (name, replicates) not in self._values:
            weights = resampled(self.groups, replicates).weights
            once = np.ones((1, len(self.labels)))
            found = self._figure(name, once), self._figure(name, weights)
            self._values[name, replicates] = found
        return self._values[name, replicates]

    def _figure(self, name: str, weights: Float[np.ndarray, "weightings images"]) -> Values:
        """Returns a figure of each classifier."""
        *kinds, images, classes = self.probabilities.shape
        fits = self.probabilities.reshape(-1, images, classes)
        values = [scores.FIGURES[name](each, self.labels, weights) for each in fits]
        return np.stack(values, axis=1).reshape(len(weights), *kinds)


def external_figures(
    chosen: Mapping[str, list[Row]], best: str | None, predictions: Path, study: ClassifySettings
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Returns what the external set is, and what every arm reaches on it.

    Args:
      chosen: rows of each arm, of one training size.
      best: the best arm without a GAN, or None.
      predictions: folder of the predictions.
      study: the settings, with an external set.

    Returns:
      Of the set `name`; `num_images` and `num_groups`; `shared_training`, the share of its
      patients that a training part has in common with another split's; and
      `without_predictions`, the file that holds none of the set: without it, and the numbers,
      there are no arms. Of each arm `figures`, `difference_to_real` and `difference_to_best`.
    """
    name, lacking = Path(study.external).name, without_external(chosen, predictions)
    if lacking is not None:
        return {"name": name, "without_predictions": lacking}, {}
    said = {arm: read_external(rows, predictions) for arm, rows in chosen.items()}
    endpoint = scores.of_a_split(study.endpoint)
    arms = {arm: _arm(arm, said, best, endpoint) for arm in said}
    one = next(iter(said.values()))
    facts = {
        "name": name,
        "num_images": len(one.labels),
        "num_groups": len(np.unique(one.groups)),
        "shared_training": one.shared,
        "without_predictions": None,
    }
    return facts, arms


def without_external(chosen: Mapping[str, list[Row]], predictions: Path) -> str | None:
    """Returns the name of a file that holds no predictions of the set as others do, or None.

    Such files are of an older state of the code, or of when the set had other images. Arms are
    compared on the same images, so that one file is enough for none to be.

    Args:
      chosen: rows of each arm.
      predictions: folder of the predictions.
    """
    hashes = {
        row["predictions"]: row.get("external_sha256") for rows in chosen.values() for row in rows
    }
    for name in sorted(hashes):
        if hashes[name] != hashes[min(hashes)]:
            return name
        with np.load(predictions / name, allow_pickle=False) as file:
            if not set(ARRAYS) <= set(file.files):
                return name
    return None


def read_external(rows: Sequence[Row], predictions: Path) -> OnExternal:
    """Returns what the classifiers of one arm and training size say of the external set.

    Args:
      rows: of the arm and size.
      predictions: folder of the predictions, each with `ARRAYS`.
    """
    splits, seeds, wanted, files = axes_of(rows)
    said, trained = [], []
    for split, seed in itertools.product(splits, seeds):
        with np.load(predictions / files[split, seed], allow_pickle=False) as file:
            places = [file["classifier_seeds"].tolist().index(each) for each in wanted]
            said.append(file["external_probabilities"][places].astype(np.float64))
            labels, groups = file["external_label"], file["external_group"]
            if seed == seeds[0]:
                trained.append(file["train_group"])
    stacked = np.stack(said)
    shape = (len(splits), len(seeds), *stacked.shape[1:])
    return OnExternal(stacked.reshape(shape), labels, groups, shared_patients(trained))


def shared_patients(parts: Sequence[Int[np.ndarray, " patients"]]) -> float:
    """Returns which share of its patients a training part has in common with another one.

    The mean over pairs, of the smaller part of each; 0 of a single part.

    Args:
      parts: patients of each training part.

    Example:
      >>> shared_patients([np.array([0, 1, 2, 3]), np.array([2, 3, 4, 5, 6])])
      0.5
    """
    shares = [
        len(np.intersect1d(one, other)) / min(len(np.unique(one)), len(np.unique(other)))
        for one, other in itertools.combinations(parts, 2)
    ]
    return float(np.mean(shares)) if shares else 0.0


def _arm(
    arm: str, said: Mapping[str, OnExternal], best: str | None, endpoint: str
) -> dict[str, Any]:
    """Returns the figures of one arm, None where one or its interval is not defined."""
    mine = said[arm]
    result: dict[str, Any] = {
        "figures": {
            name: within_0_and_1(estimated(mine, name, REPLICATES if name == endpoint else FEWER))
            for name in FIGURES
        }
    }
    for name, other in (("difference_to_real", "real"), ("difference_to_best", best)):
        if other in said and other != arm:
            result[name] = estimated(mine, endpoint, REPLICATES, said[other])
    return result


def estimated(
    mine: OnExternal, name: str, replicates: int, other: OnExternal | None = None
) -> dict[str, float] | None:
    """Returns a figure, or its paired difference to another arm's, as plain numbers.

    Classifiers are paired by split and seed: they begin with the same weights, and learn from the
    same real images.

    Args:
      mine: of the arm.
      name: of the figure.
      replicates: of the bootstrap.
      other: of the arm that it is compared with.
    """
    try:
        found = mine.values(name, replicates)
        if other is not None:
            found = tuple(
                one - two.mean(axis=2, keepdims=True)
                for one, two in zip(found, other.values(name, replicates), strict=True)
            )
        (plain,), replicated = found
        resamples = resampled(mine.groups, replicates)
        return estimate_of(plain, replicated, resamples, mine.shared)._asdict()
    except UndefinedFigureError:
        return None
