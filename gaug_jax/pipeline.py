"""The stages in their order: what the binaries call with a config and a work folder."""

import contextlib
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, UInt8
from ml_collections import ConfigDict

from gaug_jax import data
from gaug_jax.data import batches
from gaug_jax.evaluation.metrics.kid import kernel_distance
from gaug_jax.reporting.training_curves import write_training_curves
from gaug_jax.settings import Settings, UserError, check_same_run, read_settings
from gaug_jax.synthesis import export, sampling
from gaug_jax.training import parallel
from gaug_jax.training.loop import Draw, Run, Score
from gaug_jax.training.plan import MOST_STEPS, Plan
from gaug_jax.training.spec import Spec, make_spec
from gaug_jax.workfolder import WorkFolder, read_json, write_json


def train_generator(config: ConfigDict, workdir: str) -> None:
    """Trains the generator of a config, or goes on where it was stopped.

    Raises:
      UserError: the config, the data or the work folder is not usable; nothing is written.
    """
    values = config.to_dict()
    settings = read_settings(values)
    folder = WorkFolder(workdir)
    if folder.config.exists():
        check_same_run(read_json(folder.config), values, workdir)
    parallel.check_batch_size(settings.train.batch_size, jax.device_count())
    sections = (settings.data, settings.model, settings.objective, settings.train)
    make_spec(*sections, num_classes=1)  # A mistake is found before the data is read.
    prepared = data.prepare(settings.data)
    class_names, manifest = prepared.class_names, prepared.manifest
    spec = make_spec(*sections, num_classes=len(class_names))
    _check_same_data(folder, manifest)
    score = _pixel_score(*prepared.part("validation")) if settings.evaluate.every else None
    images, labels = prepared.part("train")
    del prepared  # A large data set is not held twice.
    with folder.locked() if parallel.is_writer() else contextlib.nullcontext():
        if parallel.is_writer():
            write_json(folder.config, values)
            write_json(folder.data_manifest, manifest)
        feed = _make_feed(settings, spec, images, labels)
        plan = _make_plan(settings, spec, labels, class_names)
        del images
        Run(folder, spec, feed, plan, score).train()
        if parallel.is_writer() and not folder.training_curves.exists():
            write_training_curves(folder)


def _check_same_data(folder: WorkFolder, manifest: dict[str, Any]) -> None:
    """Raises `UserError` where the work folder was trained on other images."""
    if folder.data_manifest.exists():
        before = read_json(folder.data_manifest)
        if before["manifest_sha256"] != manifest["manifest_sha256"]:
            raise UserError(
                f"{folder.path} was trained on other images than config.data now gives: restore "
                "the data, or choose another --workdir"
            )


def _make_feed(
    settings: Settings,
    spec: Spec,
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
) -> parallel.Feed:
    """Returns the batches of the training part."""
    return batches.make_feed(
        batches.image_store(images, labels, spec.num_generators),
        seed=settings.seed,
        critic_steps=spec.critic_steps,
        batch_size=spec.batch_size,
        num_generators=spec.num_generators,
        shards=parallel.local_shards(),
        num_shards=jax.device_count(),
        most_steps=MOST_STEPS,
        resident_bytes=settings.train.resident_megabytes * 1_000_000,
    )


def _make_plan(
    settings: Settings,
    spec: Spec,
    labels: Int[np.ndarray, " images"],
    class_names: tuple[str, ...],
) -> Plan:
    """Returns the plan of the run on the training part."""
    # An epoch shows every training image once.
    in_epochs = -(-settings.train.epochs * len(labels) // spec.images_per_step)
    return Plan(
        seed=settings.seed,
        total_steps=settings.train.steps or in_epochs,
        num_images=len(labels),
        images_per_step=spec.images_per_step,
        score_every=settings.evaluate.every,
        settings=settings.train,
        description=str(settings),
        metadata={
            "class_names": list(class_names),
            "class_counts": np.bincount(labels, minlength=spec.num_classes).tolist(),
        },
    )


def _pixel_score(
    real: UInt8[np.ndarray, "images height width channels"], labels: Int[np.ndarray, " images"]
) -> Score:
    """Returns KID on pixels between the validation part and as many generated images.

    Raises:
      UserError: the validation part is too small.
    """
    if len(real) < 2:
        raise UserError(
            f"config.evaluate.every needs a validation part, and it has {len(real)} images: raise "
            "config.data.validation_fraction"
        )

    def features(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1) / 127.5 - 1.0

    def score(draw: Draw) -> float:
        return kernel_distance(features(real), features(draw(labels)))

    return score


def synthesize(
    workdir: str, *, num: int, per_class: bool, file_format: str, seed: int, step: int | None
) -> None:
    """Draws synthetic images from a work folder's checkpoint into its `synthetic/`.

    Args:
      workdir: of a run of `train_generator`.
      num: images in all, or of each class.
      per_class: `num` images of each class; else in the training images' proportions.
      file_format: `npz` or `png`.
      seed: of the latents.
      step: of the checkpoint; None for the latest.

    Raises:
      UserError: the work folder has no such checkpoint, or the counts cannot be met.
    """
    if num < 1:
        raise UserError(f"--num={num}: give 1 or more")
    folder = WorkFolder(workdir)
    generator = sampling.read_generator(folder, step)
    wanted = {"num": num, "per_class": per_class, "seed": seed, "step": generator.step}
    finished = folder.synthetic_finished(file_format)
    if finished.exists() and read_json(finished) == wanted:
        print(f"{folder.synthetic} holds these images already: nothing to do")
        return
    counts = sampling.images_per_class(generator, num, per_class)
    drawn = sampling.draw_images(generator, counts, seed)
    finished.unlink(missing_ok=True)
    if file_format == "png":
        export.write_pictures(folder, drawn, generator.class_names)
    else:
        export.write_npz(folder, drawn)
    write_json(finished, wanted)
    print(f"{len(drawn.images)} images of step {generator.step} are in {folder.synthetic}")
