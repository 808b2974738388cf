"""Stages 1 to 3: from a config to a trained generator."""

import contextlib
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, UInt8
from ml_collections import ConfigDict

from gaug_jax import data, processes
from gaug_jax.data import batches
from gaug_jax.pipeline.following import check_validation, make_score
from gaug_jax.reporting.training_curves import write_training_curves
from gaug_jax.settings import Settings, UserError, check_same_run, read_settings
from gaug_jax.training import parallel
from gaug_jax.training.classifier import write_classifier
from gaug_jax.training.joint_classifier import fitted_classifier
from gaug_jax.training.loop import Run
from gaug_jax.training.plan import MOST_STEPS, Plan
from gaug_jax.training.spec import Spec, make_spec
from gaug_jax.training.state import GANState, step_of
from gaug_jax.workfolder import WorkFolder, read_json, write_json


def train_generator(config: ConfigDict, workdir: str) -> None:
    """Trains the generator of a config, or goes on where it was stopped.

    Raises:
      UserError: the config, the data or the work folder is not usable; nothing is written.
    """
    train_from_values(config.to_dict(), workdir)


def train_from_values(values: dict[str, Any], workdir: str) -> None:
    """Trains the generator of a config that is given as nested dictionaries.

    Raises:
      UserError: as of `train_generator`.
    """
    settings = read_settings(values)
    folder = WorkFolder(workdir)
    if folder.config.exists():
        check_same_run(read_json(folder.config), values, workdir, "classify")
    parallel.check_batch_size(settings.train.batch_size, jax.device_count())
    sections = (settings.data, settings.model, settings.objective, settings.train, settings.augment)
    make_spec(*sections, num_classes=1)  # A mistake is found before the data is read.
    prepared = data.prepare(settings.data)
    class_names, manifest = prepared.class_names, prepared.manifest
    spec = make_spec(*sections, num_classes=len(class_names))
    check_same_data(folder, manifest)
    if spec.classifier is not None and len(class_names) < 2:
        raise UserError(
            "config.objective.classifier_weight needs two classes or more: set it to 0, or give "
            "images of more classes"
        )
    validation = prepared.part("validation")
    if settings.evaluate.every:
        check_validation(len(validation[0]))
    images, labels = prepared.part("train")
    del prepared  # A large data set is not held twice.
    plan = _make_plan(settings, spec, labels, class_names)
    with folder.locked() if processes.is_writer() else contextlib.nullcontext():
        if processes.is_writer():
            write_json(folder.config, values)
            write_json(folder.data_manifest, manifest)
        feed = _make_feed(settings, spec, images, labels)
        score = None
        if settings.evaluate.every and processes.is_writer():
            train = (images, labels, class_names)
            score = make_score(settings, folder, train, validation)
        del images
        state = Run(folder, spec, feed, plan, score).train()
        if processes.is_writer():
            _write_results(folder, state, class_names, spec)


def _write_results(
    folder: WorkFolder, state: GANState, class_names: tuple[str, ...], spec: Spec
) -> None:
    """Writes what is made of the last state, where it is not there."""
    if not folder.training_curves.exists():
        write_training_curves(folder)
    if spec.classifier is not None:
        classifier = parallel.copy_of_one_device(state.classifier)
        fitted = fitted_classifier(classifier, step_of(state), class_names, spec)
        write_classifier(folder.joint_classifier, fitted)


def check_same_data(folder: WorkFolder, manifest: dict[str, Any]) -> None:
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
    """Returns the plan of the run on the training part.

    Raises:
      UserError: the networks would not be grown by the end.
    """
    # An epoch shows every training image once.
    in_epochs = -(-settings.train.epochs * len(labels) // spec.images_per_step)
    total_steps = settings.train.steps or in_epochs
    if spec.growing_steps and spec.growing_steps * len(spec.stages) > total_steps:
        raise UserError(
            f"config.train.growing_steps={spec.growing_steps} at each of {len(spec.stages)} "
            f"resolutions is more than the {total_steps} steps of this run: give "
            f"{total_steps // len(spec.stages)} or fewer, or a longer run"
        )
    return Plan(
        seed=settings.seed,
        total_steps=total_steps,
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
