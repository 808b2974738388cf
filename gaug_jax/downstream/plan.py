"""Which runs a study is made of, and which rows are theirs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gaug_jax.downstream.arms import ARMS, FLOOR
from gaug_jax.settings import ClassifySettings

Row = dict[str, Any]
# With its run, what names a fit.
_BESIDE = ("train_size", "split", "classifier_seed")


class ArmRun(NamedTuple):
    """One arm with one ratio, filter and generator; all classifier seeds together.

    Attributes:
      arm: its name.
      ratio: of generated to real images; 0 without.
      filter: of the generated images.
      gan_seed: of the generator; None without.
      region: what of the images its classifiers see.
    """

    arm: str
    ratio: float
    filter: str
    gan_seed: int | None
    region: str = "whole"

    @classmethod
    def of(cls, row: Row) -> "ArmRun":
        """Returns the run that a row of `runs.jsonl` is of."""
        fields = {name: row[name] for name in cls._fields if name != "region"}
        return cls(**fields, region=row.get("region", "whole"))

    def is_of(self, row: Row) -> bool:
        """Says whether a row of `runs.jsonl` is this run's."""
        return self == ArmRun.of(row)


def arms_of(study: ClassifySettings) -> tuple[str, ...]:
    """Returns the study's arms, and the floor that every study has."""
    return tuple(dict.fromkeys((*study.arms, *FLOOR)))


def planned_runs(study: ClassifySettings) -> Iterator[ArmRun]:
    """Yields every run of one split and training size, those without a generator first."""
    runs = [run for name in arms_of(study) for run in _runs_of(name, study)]
    runs += [run for region in dict.fromkeys(study.regions) for run in _runs_in(region, study)]
    yield from (run for run in runs if run.gan_seed is None)
    yield from (run for run in runs if run.gan_seed is not None)


def _runs_of(name: str, study: ClassifySettings) -> Iterator[ArmRun]:
    """Yields the runs of an arm in the study's region."""
    if not ARMS[name].synthetic:
        yield ArmRun(name, 0.0, "none", None, study.region)
        return
    for seed in study.generator_seeds:
        if not ARMS[name].all_ratios:
            yield ArmRun(name, study.reference_ratio, "none", seed, study.region)
            continue
        for ratio in study.ratios:
            for chosen in study.filters:
                yield ArmRun(name, ratio, chosen, seed, study.region)


def _runs_in(region: str, study: ClassifySettings) -> Iterator[ArmRun]:
    """Yields the runs in another region: of real images, and of the endpoint's arm."""
    if region == study.region:
        return
    yield ArmRun("real", 0.0, "none", None, region)
    if study.endpoint_arm == "real" or ARMS[study.endpoint_arm].mode == "joint":
        return
    if not ARMS[study.endpoint_arm].synthetic:
        yield ArmRun(study.endpoint_arm, 0.0, "none", None, region)
        return
    for seed in study.generator_seeds:
        yield ArmRun(study.endpoint_arm, study.reference_ratio, "none", seed, region)


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
        (ArmRun.of(row), *(row[name] for name in _BESIDE)): row
        for row in rows
        if row["train_size"] in study.train_sizes
        and row["split"] in study.splits
        and ArmRun.of(row) in runs
        and row["classifier_seed"] in classifier_seeds(row["arm"], study)
    }
    return list(found.values())


def of_region(rows: list[Row], region: str) -> list[Row]:
    """Returns the rows whose classifiers see a region."""
    return [row for row in rows if ArmRun.of(row).region == region]
