"""From rows and predictions to estimates: each arm's figures, and its paired differences.

Ratio and filter of an arm, and the best arm without a GAN, are chosen by the validation
part's figures; the test part is looked at once they are.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gaug_jax.downstream.arms import ARMS, FLOOR, WITHOUT_GAN
from gaug_jax.downstream.estimates import FEWER, REPLICATES, resampled, within_0_and_1
from gaug_jax.downstream.external import external_figures
from gaug_jax.downstream.floor import why_no_answer
from gaug_jax.downstream.plan import arms_of, of_region
from gaug_jax.downstream.pooled import Pooled, Row, pool, without_validation
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


def summarise(rows: list[Row], predictions: Path, study: ClassifySettings) -> dict[str, Any]:
    """Returns the summary of all runs.

    Args:
      rows: of `runs.jsonl`.
      predictions: folder of the predictions.
      study: the settings.
    """
    main = of_region(rows, study.region)
    sizes = {str(size): _size(main, size, predictions, study) for size in study.train_sizes}
    of_endpoint = sizes[str(study.endpoint_size)]
    return {
        "endpoint": study.endpoint,
        "endpoint_size": study.endpoint_size,
        "endpoint_arm": study.endpoint_arm,
        "splits": list(study.splits),
        "generator_seeds": list(study.generator_seeds),
        "classifier_seeds": list(study.seeds),
        "region": study.region,
        "sizes": sizes,
        "fits": _fits(main),
        "regions": regions_of(rows, predictions, study),
        "cannot_answer": why_no_answer(of_endpoint, study),
        "answer": _answer(of_endpoint, study),
        "paper": [list(line) for line in study.paper],
    }


def floor_reason(rows: list[Row], predictions: Path, study: ClassifySettings) -> str | None:
    """Returns why a study cannot answer, by its runs without generated images; None where it can.

    Args:
      rows: of `runs.jsonl`.
      predictions: folder of the predictions.
      study: the settings.
    """
    real = [
        row
        for row in of_region(rows, study.region)
        if row["gan_seed"] is None and row["train_size"] == study.endpoint_size
    ]
    of_arms: dict[str, list[Row]] = {}
    for row in real:
        of_arms.setdefault(row["arm"], []).append(row)
    # What the others reach, and what an external set says, is not asked for, and costs a
    # bootstrap of every figure of each.
    wanted = {best_without_gan(of_arms, scores.of_a_split(study.endpoint)), *FLOOR}
    judged = [row for row in real if row["arm"] in wanted]
    asked = dataclasses.replace(study, external=None)
    return why_no_answer(_size(judged, study.endpoint_size, predictions, asked), study)


def _fits(rows: list[Row]) -> dict[str, Any]:
    """Returns of what kind the classifiers are, and how they were tuned."""
    of_arms = [row for row in rows if row["arm"] not in FLOOR]
    steps = {row["optimizer_steps"] for row in of_arms} - {None}
    return {
        "architectures": sorted({row.get("architecture", "cnn") for row in of_arms}),
        "optimizer_steps": sorted(steps),
        "balanced": any(row.get("balanced", False) for row in of_arms),
        "share_at_edge_of_grid": float(np.mean([row.get("grid_ended", False) for row in of_arms]))
        if of_arms else 0.0,
    }  # fmt: skip


def regions_of(
    rows: list[Row], predictions: Path, study: ClassifySettings
) -> dict[str, dict[str, Any]]:
    """Returns the endpoint of `real` and of the endpoint's arm in each region, at its size.

    Args:
      rows: of `runs.jsonl`.
      predictions: folder of the predictions.
      study: the settings.
    """
    found = {}
    for region in (study.region, *study.regions) if study.regions else ():
        arms = {}
        for arm in dict.fromkeys(("real", study.endpoint_arm)):
            mine = [row for row in of_region(rows, region)
                    if (row["arm"], row["train_size"]) == (arm, study.endpoint_size)
                    and row["ratio"] in (0.0, study.reference_ratio)
                    and row["filter"] == "none"]  # fmt: skip
            if mine:
                lacking = without_validation({arm: mine}, predictions)
                pooled = pool(mine, predictions, len(study.splits) > 1 and lacking is None)
                figure = pooled.figure(study.endpoint)
                arms[arm] = _as_dict(figure, pooled, study.endpoint, REPLICATES)
        found[region] = arms
    return found


def _size(rows: list[Row], size: int, predictions: Path, study: ClassifySettings) -> dict[str, Any]:
    """Returns the figures of one training size."""
    endpoint = scores.of_a_split(study.endpoint)
    mine = [row for row in rows if row["train_size"] == size]
    chosen = {
        arm: choose_variant([row for row in mine if row["arm"] == arm], endpoint)
        for arm in arms_of(study)
        if any(row["arm"] == arm for row in mine)
    }
    several = len(study.splits) > 1
    lacking = without_validation(chosen, predictions) if several else None
    calibrated = several and lacking is None
    pooled = {
        # Always the same class: there is nothing to calibrate.
        arm: pool(variant, predictions, calibrated and arm != "majority")
        for arm, variant in chosen.items()
    }
    best = best_without_gan(chosen, endpoint)
    arms = {arm: _arm(arm, chosen[arm], pooled, best, study.endpoint) for arm in chosen}
    compared = [arm for arm in arms if ARMS[arm].synthetic and "difference_to_best" in arms[arm]]
    adjusted = holm([arms[arm]["difference_to_best"]["p_value"] for arm in compared])
    for arm, value in zip(compared, adjusted, strict=True):
        arms[arm]["difference_to_best"]["holm_p_value"] = value
    groups = len(np.unique(next(iter(pooled.values())).groups)) if pooled else 0
    content = {"best_without_gan": best, "num_groups": groups, "arms": arms}
    if study.external is not None and chosen:
        content["external"], found = external_figures(chosen, best, predictions, study)
        for arm, figures in found.items():
            arms[arm]["external"] = figures
    if several:
        content |= {"calibrated": calibrated, "without_validation": lacking}
    return content


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


def _arm(
    arm: str, rows: list[Row], pooled: dict[str, Pooled], best: str | None, endpoint: str
) -> dict[str, Any]:
    """Returns the figures of one arm."""
    mine = pooled[arm]
    of_rows = scores.of_a_split(endpoint)
    # Of one split the mean over splits is the figure itself, shown where it is asked for.
    several = len(np.unique(mine.splits)) > 1
    over_splits = [name for name in scores.OVER_SPLITS if several or name == endpoint]
    figures = {
        name: within_0_and_1(
            _as_dict(mine.figure(name), mine, name, REPLICATES if name == endpoint else FEWER)
        )
        for name in (*scores.FIGURES, *over_splits)
    }
    result = {
        "ratio": rows[0]["ratio"],
        "filter": rows[0]["filter"],
        "validation": _validation(rows, of_rows),
        "figures": figures,
        "per_class": _per_class(mine),
    }
    for name in ("label_agreement", "deployed_sensitivity", "deployed_specificity",
                 f"external_{of_rows}"):  # fmt: skip
        values = [row[name] for row in rows if row.get(name) is not None]
        if values:
            result[name] = float(np.mean(values))
    for name, other in (
        ("difference_to_real", "real"),
        ("difference_to_best", best),
        ("difference_to_majority", "majority"),
    ):
        if other not in pooled or other == arm:
            continue
        difference = _difference(mine, pooled[other], endpoint)
        found = _as_dict(difference, mine, endpoint, REPLICATES)
        if found is not None:
            result[name] = found
    return result


def _difference(mine: Pooled, other: Pooled, name: str) -> FigureOfSeeds:
    """Returns the paired difference on the same images, by this arm's generator seeds.

    Classifiers of one seed are paired: they begin with the same weights.
    """
    first, second = mine.figure(name), other.figure(name)
    return lambda weights: first(weights) - second(weights).mean(axis=1, keepdims=True)


def _as_dict(
    figure: FigureOfSeeds, pooled: Pooled, name: str, replicates: int
) -> dict[str, float] | None:
    """Returns an estimate as plain numbers, None where it is not defined.

    Args:
      figure: an arm's, or a difference of two.
      pooled: of the arm.
      name: of the figure, which says how patients are drawn.
      replicates: of the bootstrap.
    """
    strata = pooled.strata(name)
    try:
        return estimate(figure, resampled(pooled.groups, replicates, strata))._asdict()
    except UndefinedFigureError:
        return None


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
