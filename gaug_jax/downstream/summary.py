"""From rows and predictions to estimates: each arm's figures, and its paired differences.

Ratio and filter of an arm, and the best arm without a GAN, are chosen by the validation
part's figures; the test part is looked at once they are.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.downstream.arms import ARMS, WITHOUT_GAN
from gaug_jax.evaluation.metrics import classification as scores
from gaug_jax.evaluation.metrics.intervals import (
    Estimate,
    FigureOfSeeds,
    UndefinedFigureError,
    estimate,
    groups_for_half_width,
    holm,
)
from gaug_jax.settings import ClassifySettings

Row = dict[str, Any]
# Replicates of the endpoint and its differences, and of the other figures.
_REPLICATES, _FEWER = 1000, 200
_SEED = 0


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Out-of-fold predictions of one arm at one size, pooled over the splits.

    An image is there once for each partition of the data whose folds were tested on.

    Attributes:
      probabilities: by generator seed and classifier seed.
      labels: of the images.
      groups: patient of each, the same number in every partition, so that all images of a
        patient are resampled as one.
    """

    probabilities: Float[np.ndarray, "generators classifiers images classes"]
    labels: Int[np.ndarray, " images"]
    groups: Int[np.ndarray, " images"]

    def figure(self, name: str) -> FigureOfSeeds:
        """Returns a figure of each generator seed and classifier seed."""
        function = scores.FIGURES[name]

        def of_seeds(weights: np.ndarray) -> np.ndarray:
            values = [
                [function(each, self.labels, weights) for each in fits]
                for fits in self.probabilities
            ]
            return np.moveaxis(np.array(values), -1, 0)

        return of_seeds


def summarise(rows: list[Row], predictions: Path, study: ClassifySettings) -> dict[str, Any]:
    """Returns the summary of all runs.

    Args:
      rows: of `runs.jsonl`.
      predictions: folder of the predictions.
      study: the settings.
    """
    sizes = {str(size): _size(rows, size, predictions, study) for size in study.train_sizes}
    return {
        "endpoint": study.endpoint,
        "endpoint_size": study.endpoint_size,
        "endpoint_arm": study.endpoint_arm,
        "splits": list(study.splits),
        "generator_seeds": list(study.generator_seeds),
        "classifier_seeds": list(study.seeds),
        "optimizer_steps": study.steps,
        "sizes": sizes,
        "answer": _answer(sizes[str(study.endpoint_size)], study),
        "paper": [list(line) for line in study.paper],
    }


def _size(rows: list[Row], size: int, predictions: Path, study: ClassifySettings) -> dict[str, Any]:
    """Returns the figures of one training size."""
    mine = [row for row in rows if row["train_size"] == size]
    chosen = {
        arm: choose_variant([row for row in mine if row["arm"] == arm], study.endpoint)
        for arm in study.arms
        if any(row["arm"] == arm for row in mine)
    }
    pooled = {arm: pool(variant, predictions) for arm, variant in chosen.items()}
    best = best_without_gan(chosen, study.endpoint)
    arms = {arm: _arm(arm, chosen[arm], pooled, best, study.endpoint) for arm in chosen}
    compared = [arm for arm in arms if ARMS[arm].synthetic and "difference_to_best" in arms[arm]]
    adjusted = holm([arms[arm]["difference_to_best"]["p_value"] for arm in compared])
    for arm, value in zip(compared, adjusted, strict=True):
        arms[arm]["difference_to_best"]["holm_p_value"] = value
    groups = len(np.unique(next(iter(pooled.values())).groups)) if pooled else 0
    return {"best_without_gan": best, "num_groups": groups, "arms": arms}


def _validation(rows: Sequence[Row], endpoint: str) -> float:
    """Returns the mean endpoint on the validation parts."""
    values = [row[f"validation_{endpoint}"] for row in rows]
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else -1.0


def choose_variant(rows: list[Row], endpoint: str) -> list[Row]:
    """Returns the rows of the ratio and filter with the best mean on the validation parts."""
    variants: dict[tuple[float, str], list[Row]] = {}
    for row in rows:
        variants.setdefault((row["ratio"], row["filter"]), []).append(row)
    return max(variants.values(), key=lambda variant: _validation(variant, endpoint))


def best_without_gan(chosen: dict[str, list[Row]], endpoint: str) -> str | None:
    """Returns the arm without a GAN that is best on the validation parts, or None."""
    candidates = [arm for arm in WITHOUT_GAN if arm in chosen]
    if not candidates:
        return None
    return max(candidates, key=lambda arm: _validation(chosen[arm], endpoint))


def pool(rows: list[Row], predictions: Path) -> Pooled:
    """Returns the predictions of one arm and size, splits one after another."""
    splits = sorted({row["split"] for row in rows})
    seeds = sorted({row["gan_seed"] for row in rows}, key=lambda seed: seed or 0)
    files = {(row["split"], row["gan_seed"]): row["predictions"] for row in rows}
    wanted = sorted({row["classifier_seed"] for row in rows})
    by_seed, labels, groups = [], [], []
    for seed in seeds:
        columns = []
        for split in splits:
            with np.load(predictions / files[split, seed], allow_pickle=False) as file:
                places = [file["classifier_seeds"].tolist().index(each) for each in wanted]
                columns.append(file["probabilities"][places].astype(np.float64))
                if seed == seeds[0]:
                    labels.append(file["label"])
                    groups.append(file["group"])
        by_seed.append(np.concatenate(columns, axis=1))
    return Pooled(np.stack(by_seed), np.concatenate(labels), np.concatenate(groups))


def _arm(
    arm: str, rows: list[Row], pooled: dict[str, Pooled], best: str | None, endpoint: str
) -> dict[str, Any]:
    """Returns the figures of one arm."""
    mine = pooled[arm]
    figures = {
        name: _within_0_and_1(
            _as_dict(mine.figure(name), mine, _REPLICATES if name == endpoint else _FEWER)
        )
        for name in scores.FIGURES
    }
    result = {
        "ratio": rows[0]["ratio"],
        "filter": rows[0]["filter"],
        "validation": _validation(rows, endpoint),
        "figures": figures,
        "per_class": _per_class(mine),
    }
    for name in ("label_agreement", "deployed_sensitivity", "deployed_specificity",
                 f"external_{endpoint}"):  # fmt: skip
        values = [row[name] for row in rows if row.get(name) is not None]
        if values:
            result[name] = float(np.mean(values))
    for name, other in (("difference_to_real", "real"), ("difference_to_best", best)):
        if other not in pooled or other == arm:
            continue
        found = _as_dict(_difference(mine, pooled[other], endpoint), mine, _REPLICATES)
        if found is not None:
            result[name] = found
    return result


def _difference(mine: Pooled, other: Pooled, name: str) -> FigureOfSeeds:
    """Returns the paired difference on the same images, by this arm's generator seeds.

    Classifiers of one seed are paired: they begin with the same weights.
    """
    first, second = mine.figure(name), other.figure(name)
    return lambda weights: first(weights) - second(weights).mean(axis=1, keepdims=True)


def _as_dict(figure: FigureOfSeeds, pooled: Pooled, replicates: int) -> dict[str, float] | None:
    """Returns an estimate as plain numbers, None where it is not defined."""
    rng = np.random.default_rng(_SEED)
    try:
        return estimate(figure, pooled.groups, rng, replicates)._asdict()
    except UndefinedFigureError:
        return None


def _within_0_and_1(found: dict[str, float] | None) -> dict[str, float] | None:
    """Returns an estimate whose interval ends where the figure does."""
    if found is None:
        return None
    return {**found, "low": max(0.0, found["low"]), "high": min(1.0, found["high"])}


def _per_class(pooled: Pooled) -> list[float | None]:
    """Returns the mean F1 of each class."""
    once = np.ones((1, len(pooled.labels)))
    values = np.mean(
        [
            scores.class_f1(each, pooled.labels, once)[0]
            for fits in pooled.probabilities
            for each in fits
        ],
        axis=0,
    )
    return [float(value) if np.isfinite(value) else None for value in values]


def _answer(size: dict[str, Any], study: ClassifySettings) -> dict[str, Any] | None:
    """Returns the contrast that was named in advance, and what a narrower one would take."""
    arm = size["arms"].get(study.endpoint_arm)
    if arm is None or arm.get("difference_to_best") is None:
        return None
    found = Estimate(*(arm["difference_to_best"][name] for name in Estimate._fields))
    verdict = "better" if found.low > 0 else "worse" if found.high < 0 else "not told apart"
    answer = {
        "arm": study.endpoint_arm,
        "against": size["best_without_gan"],
        "verdict": verdict,
        **found._asdict(),
    }
    if verdict == "not told apart" and found.value:
        needed = groups_for_half_width(found, size["num_groups"], abs(found.value))
        # Where seeds alone keep the interval wide there are patients enough.
        answer["groups_needed"] = needed if needed > size["num_groups"] else None
    return answer
