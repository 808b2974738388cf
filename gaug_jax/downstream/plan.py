"""Which runs a study is made of, and which rows are theirs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gaug_jax.downstream.arms import ARMS
from gaug_jax.settings import ClassifySettings

Row = dict[str, Any]
_OF_A_FIT = ("train_size", "split", "arm", "ratio", "filter", "gan_seed", "classifier_seed")


class ArmRun(NamedTuple):
    """One arm with one ratio, filter and generator; all classifier seeds together."""

    arm: str
    ratio: float
    filter: str
    gan_seed: int | None

    def is_of(self, row: Row) -> bool:
        """Says whether a row of `runs.jsonl` is this run's."""
        return all(row[name] == value for name, value in self._asdict().items())


def planned_runs(study: ClassifySettings) -> Iterator[ArmRun]:
    """Yields every run of one split and training size."""
    for name in study.arms:
        if not ARMS[name].synthetic:
            yield ArmRun(name, 0.0, "none", None)
            continue
        for seed in study.generator_seeds:
            if not ARMS[name].all_ratios:
                yield ArmRun(name, study.reference_ratio, "none", seed)
                continue
            for ratio in study.ratios:
                yield from (ArmRun(name, ratio, chosen, seed) for chosen in study.filters)


def classifier_seeds(arm: str, study: ClassifySettings) -> tuple[int, ...]:
    """Returns the seeds of an arm's classifiers; a generator's own classifier is a single one."""
    return tuple(study.seeds)[:1] if ARMS[arm].mode == "joint" else tuple(study.seeds)


def planned_rows(rows: list[Row], study: ClassifySettings) -> list[Row]:
    """Returns the rows of the study as it is planned now, the last of each fit.

    Others are of options that an earlier call had; a fit has two rows where a call was
    killed between the rows of a run.
    """
    runs = set(planned_runs(study))
    found = {
        tuple(row[name] for name in _OF_A_FIT): row
        for row in rows
        if row["train_size"] in study.train_sizes
        and row["split"] in study.splits
        and ArmRun(*(row[name] for name in ArmRun._fields)) in runs
        and row["classifier_seed"] in classifier_seeds(row["arm"], study)
    }
    return list(found.values())
