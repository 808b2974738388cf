"""Out-of-fold predictions of an arm, pooled over the splits.

Classifiers of several splits give scores on scales of their own. Where figures compare an image's
score with that of an image of another split (`OF_POOLED_SCORES`), each classifier is calibrated
on its split's validation part first. What a classifier itself says stays as it is: accuracy and
F1, of its likeliest class, which a bias would change, and its calibration error.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.evaluation.metrics.calibration import fit_calibration
from gaug_jax.evaluation.metrics.intervals import FigureOfSeeds, split_strata

Row = dict[str, Any]
Probabilities = Float[np.ndarray, "classifiers images classes"]


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Out-of-fold predictions of one arm at one size, pooled over the splits.

    An image is there once for each partition of the data whose folds were tested on.

    Attributes:
      probabilities: by generator seed and classifier seed, as the classifiers gave them.
      comparable: the same where they need not be calibrated or cannot; else calibrated
        log-probabilities.
      labels: of the images.
      groups: patient of each, the same number in every partition, so that all images of a
        patient are resampled as one.
      splits: in whose test part each is; an image of several is there as often.
    """

    probabilities: Float[np.ndarray, "generators classifiers images classes"]
    comparable: Float[np.ndarray, "generators classifiers images classes"]
    labels: Int[np.ndarray, " images"]
    groups: Int[np.ndarray, " images"]
    splits: Int[np.ndarray, " images"]

    def figure(self, name: str) -> FigureOfSeeds:
        """Returns a figure of each generator seed and classifier seed."""
        if name in scores.OVER_SPLITS:
            function = functools.partial(scores.mean_auroc, splits=self.splits)
        else:
            function = scores.FIGURES[name]
        said = self.comparable if name in scores.OF_POOLED_SCORES else self.probabilities

        def of_seeds(weights: np.ndarray) -> np.ndarray:
            values = [[function(each, self.labels, weights) for each in fits] for fits in said]
            return np.moveaxis(np.array(values), -1, 0)

        return of_seeds

    def strata(self, name: str) -> Int[np.ndarray, " images"] | None:
        """Returns within what patients are drawn for a figure: their splits, or None for all."""
        return split_strata(self.groups, self.splits) if name in scores.OVER_SPLITS else None


def without_validation(chosen: dict[str, list[Row]], predictions: Path) -> str | None:
    """Returns the name of a file that no classifier can be calibrated by, or None.

    Such files are of an older state of the code. Arms are compared, so that one file is enough
    for none to be calibrated.

    Args:
      chosen: rows of each arm.
      predictions: folder of the predictions.
    """
    for name in sorted({row["predictions"] for rows in chosen.values() for row in rows}):
        with np.load(predictions / name, allow_pickle=False) as file:
            if not {"validation_probabilities", "validation_label"} <= set(file.files):
                return name
    return None


class Axes(NamedTuple):
    """What the rows of an arm and size are of.

    Attributes:
      splits: numbers of the splits, in order.
      generator_seeds: likewise; one None where there is no generator.
      classifier_seeds: likewise.
      files: names of the predictions by split and generator seed.
    """

    splits: list[int]
    generator_seeds: list[int | None]
    classifier_seeds: list[int]
    files: dict[tuple[int, int | None], str]


def axes_of(rows: Sequence[Row]) -> Axes:
    """Returns what the rows of an arm and size are of."""
    return Axes(
        sorted({row["split"] for row in rows}),
        sorted({row["gan_seed"] for row in rows}, key=lambda seed: seed or 0),
        sorted({row["classifier_seed"] for row in rows}),
        {(row["split"], row["gan_seed"]): row["predictions"] for row in rows},
    )


def pool(rows: list[Row], predictions: Path, calibrated: bool) -> Pooled:
    """Returns the predictions of one arm and size, splits one after another.

    Args:
      rows: of the arm and size.
      predictions: folder of the predictions.
      calibrated: make scores comparable, each classifier's by its split's validation part.
    """
    splits, seeds, wanted, files = axes_of(rows)
    by_seed: dict[str, list[np.ndarray]] = {"said": [], "comparable": []}
    labels, groups, places = [], [], []
    for seed in seeds:
        columns: dict[str, list[np.ndarray]] = {name: [] for name in by_seed}
        for split in splits:
            with np.load(predictions / files[split, seed], allow_pickle=False) as file:
                said, comparable = _of_split(file, wanted, calibrated)
                columns["said"].append(said)
                columns["comparable"].append(comparable)
                if seed == seeds[0]:
                    labels.append(file["label"])
                    groups.append(file["group"])
                    places.append(np.full(len(file["label"]), split))
        for name, parts in columns.items():
            by_seed[name].append(np.concatenate(parts, axis=1))
    pooled = (np.stack(each) for each in by_seed.values())
    return Pooled(*pooled, *map(np.concatenate, (labels, groups, places)))


def _of_split(
    file: Mapping[str, np.ndarray], seeds: Sequence[int], calibrated: bool
) -> tuple[Probabilities, Probabilities]:
    """Returns what classifiers of one split say: probabilities, and the same made comparable.

    Args:
      file: of predictions.
      seeds: of the classifiers.
      calibrated: by the validation part; without it nothing is made comparable.
    """
    places = [file["classifier_seeds"].tolist().index(each) for each in seeds]
    said = file["probabilities"][places].astype(np.float64)
    if not calibrated:
        return said, said
    held_out, labels = file["validation_probabilities"][places], file["validation_label"]
    fits = [fit_calibration(each, labels) for each in held_out]
    comparable = [fit.log_probabilities(each) for fit, each in zip(fits, said, strict=True)]
    return said, np.stack(comparable)
