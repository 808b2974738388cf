"""All stages in their order, and the report; what is finished is not made again."""

import dataclasses
import time
from collections.abc import Callable

from ml_collections import ConfigDict

from gaug_jax import data
from gaug_jax.data.splits import TRAIN
from gaug_jax.pipeline.audit import audit
from gaug_jax.pipeline.downstream import check_classify, classify
from gaug_jax.pipeline.drawing import DrawingOptions, synthesize
from gaug_jax.pipeline.embedding import embed
from gaug_jax.pipeline.evaluation import EvaluationOptions, evaluate_generator
from gaug_jax.pipeline.report import write_report
from gaug_jax.pipeline.training import train_generator
from gaug_jax.settings import UserError, read_settings
from gaug_jax.workfolder import WorkFolder, read_json, write_json


def study(
    config: ConfigDict, workdir: str, *, num: int, options: EvaluationOptions, command: str
) -> None:
    """Makes all that is not made yet, from images to `report.html`.

    Args:
      config: of all stages.
      workdir: of the study.
      num: generated images that are measured and shown.
      options: of the features.
      command: that makes the same again, for the report.

    Raises:
      UserError: as of the stages.
    """
    folder = WorkFolder(workdir)
    _check(config, workdir, options)
    not_audited = ""

    def draw() -> None:
        # An audit needs as many images as were trained on.
        trained_on = sum(read_json(folder.data_manifest)["counts"][TRAIN].values())
        synthesize(workdir, DrawingOptions(max(num, trained_on), seed=options.seed), "npz")

    def audit_if_possible() -> None:
        nonlocal not_audited
        try:
            audit(workdir, config, dataclasses.replace(options, features=None))
        except UserError as error:
            folder.audit.unlink(missing_ok=True)
            folder.audit_picture.unlink(missing_ok=True)
            not_audited = str(error)
            print(f"no audit: {error}")

    stages: dict[str, Callable[[], None]] = {
        "train": lambda: train_generator(config, workdir),
        "synthesize": draw,
        "evaluate": lambda: evaluate_generator(
            workdir, config, num=num, step=None, all_checkpoints=False, reference_split=None,
            options=options,
        ),
        "embed": lambda: embed(workdir, config, options),
        "audit": audit_if_possible,
        "classify": lambda: classify(config, workdir, set_aside=True),
    }  # fmt: skip
    before = read_json(folder.study_times) if folder.study_times.exists() else {}
    times = {name: before[name] for name in stages if name in before}  # JSON has them sorted.
    for number, (name, stage) in enumerate(stages.items(), 1):
        print(f"stage {number} of {len(stages)}: {name}", flush=True)
        start = time.monotonic()
        stage()
        # A finished stage returns at once: what it took is the longest call.
        times[name] = max(times.get(name, 0.0), time.monotonic() - start)
        write_json(folder.study_times, times)
    settings = read_settings(config.to_dict())
    features = options.features or settings.evaluate.features
    prepared = data.prepare(settings.data)
    write_report(workdir, prepared, command, times, features=features, not_audited=not_audited)
    print(f"the report: {folder.report}")


def _check(config: ConfigDict, workdir: str, options: EvaluationOptions) -> None:
    """Raises `UserError` for mistakes that later stages would find: now, not after hours."""
    check_classify(config, workdir)
    settings = read_settings(config.to_dict()).evaluate
    if (options.features or settings.features) != "classifier":
        options.extractor(settings.features, settings.resize)
