"""All stages in their order, and the report; what is finished is not made again."""

import dataclasses
import time
from collections.abc import Callable

from gaug_jax.data.splits import TRAIN
from gaug_jax.embedding.projections import warm_up
from gaug_jax.errors import UserError
from gaug_jax.files import read_json, write_json
from gaug_jax.settings import Settings
from gaug_jax.stages.audit import audit
from gaug_jax.stages.cell import Cell
from gaug_jax.stages.classify import classify, first_cell
from gaug_jax.stages.embed import embed
from gaug_jax.stages.evaluate import EvaluationOptions, Measured, evaluate_generator
from gaug_jax.stages.opened import Opened
from gaug_jax.stages.report import write_report
from gaug_jax.stages.synthesize import DrawingOptions, synthesize
from gaug_jax.stages.train import Training, run_training


def study(
    settings: Settings, workdir: str, *, num: int, options: EvaluationOptions, command: str
) -> None:
    """Makes all that is not made yet, from images to `report.html`.

    Args:
      settings: of all stages.
      workdir: of the study.
      num: generated images that are measured and shown.
      options: of the features.
      command: that makes the same again, for the report.

    Raises:
      UserError: as of the stages.
    """
    opened = Opened(workdir, settings)
    first = _first_cell(opened, options)
    not_audited = ""

    def draw() -> None:
        # An audit needs as many images as were trained on.
        trained_on = len(opened.prepared.indices(TRAIN))
        synthesize(opened, DrawingOptions(max(num, trained_on), seed=options.seed), "npz")

    def audit_if_possible() -> None:
        nonlocal not_audited
        not_audited = _audit_if_possible(opened, options)

    stages: dict[str, Callable[[], bool | None]] = {
        "floor": lambda: classify(opened, first=first, set_aside=True, floor_alone=True),
        "train": lambda: run_training(Training(opened)),
        "synthesize": draw,
        "evaluate": lambda: evaluate_generator(opened, Measured(num), options),
        "embed": lambda: embed(opened, options),
        "audit": audit_if_possible,
        "classify": lambda: classify(opened, first=first, set_aside=True),
    }  # fmt: skip
    if not opened.folder.overlap.exists():
        warm_up()  # While the first network is compiled.
    times, all_made = _make(opened, stages)
    features = options.chosen_features(settings.evaluate.features)
    write_report(
        opened, workdir, command, times, features=features, not_audited=not_audited,
        with_generator=all_made,
    )  # fmt: skip
    print(f"the report: {opened.folder.report}")


def _make(
    opened: Opened, stages: dict[str, Callable[[], bool | None]]
) -> tuple[dict[str, float], bool]:
    """Makes the stages in their order, up to one that returns False.

    Returns:
      The seconds of each, and whether all were made.
    """
    path = opened.folder.study_times
    before = read_json(path) if path.exists() else {}
    times = {name: before[name] for name in stages if name in before}  # JSON has them sorted.
    for number, (name, stage) in enumerate(stages.items(), 1):
        print(f"stage {number} of {len(stages)}: {name}", flush=True)
        start = time.monotonic()
        goes_on = stage()
        # A finished stage returns at once: what it took is the longest call.
        times[name] = max(times.get(name, 0.0), time.monotonic() - start)
        write_json(path, times)
        if goes_on is False:
            return times, False
    return times, True


def _audit_if_possible(opened: Opened, options: EvaluationOptions) -> str:
    """Audits the drawn images; returns why that is not possible, or nothing."""
    folder = opened.folder
    try:
        audit(opened, dataclasses.replace(options, features=None))
    except UserError as error:
        folder.audit.unlink(missing_ok=True)
        folder.audit_picture.unlink(missing_ok=True)
        print(f"no audit: {error}")
        return str(error)
    return ""


def _first_cell(opened: Opened, options: EvaluationOptions) -> Cell:
    """Returns the first cell of the downstream study.

    Raises:
      UserError: there is a mistake that a later stage would find: now, not after hours.
    """
    cell = first_cell(opened)
    settings = opened.settings.evaluate
    if (options.features or settings.features) != "classifier":
        options.extractor(settings.features, settings.resize)
    return cell
