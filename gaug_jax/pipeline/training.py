"""Stages 1 to 3: from a config to a trained generator."""

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Int
from ml_collections import ConfigDict

from gaug_jax import data, processes
from gaug_jax.data import batches
from gaug_jax.data.poisson import PoissonFeed
from gaug_jax.pipeline.following import check_validation, make_score
from gaug_jax.reporting.training_curves import write_training_curves
from gaug_jax.settings import Settings, UserError, check_same_run, read_settings
from gaug_jax.training import parallel
from gaug_jax.training.accounting import PrivacyAccountant
from gaug_jax.training.classifier import write_classifier
from gaug_jax.training.joint_classifier import fitted_classifier
from gaug_jax.training.loop import Run
from gaug_jax.training.plan import MOST_STEPS, Plan
from gaug_jax.training.secret import Secret, read_secret, secret_key, write_secret
from gaug_jax.training.spec import Spec, make_spec
from gaug_jax.training.state import GANState, step_of
from gaug_jax.workfolder import WorkFolder, read_json, write_json

# Folded into the secret: batches share no draw with the training.
_BATCHES = 2**31 - 1


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
    training = Training(values, workdir)
    with training.locked():
        training.finish(training.begin(training.make_feed()).train())


class Training:
    """A run whose config, data and work folder were found to be usable; nothing is written yet.

    Args:
      values: the config as nested dictionaries.
      workdir: its work folder.

    Attributes:
      spec: what its step is compiled for.
      plan: what is to be done.
      manifest: of its data.

    Raises:
      UserError: as of `train_generator`.
    """

    def __init__(self, values: dict[str, Any], workdir: str) -> None:
        self._values, self._folder = values, WorkFolder(workdir)
        self._settings = settings = read_settings(values)
        if self._folder.config.exists():
            check_same_run(read_json(self._folder.config), values, workdir, "classify")
        parallel.check_batch_size(settings.train.batch_size, jax.device_count())
        sections = (settings.data, settings.model, settings.objective, settings.train,
                    settings.augment)  # fmt: skip
        make_spec(*sections, num_classes=1)  # A mistake is found before the data is read.
        prepared = data.prepare(settings.data)
        self._class_names, self.manifest = prepared.class_names, prepared.manifest
        self.spec = make_spec(*sections, num_classes=len(self._class_names))
        check_same_data(self._folder, self.manifest)
        _check_classes(self.spec, self._class_names)
        self._validation = prepared.part("validation")
        if settings.evaluate.every:
            check_validation(len(self._validation[0]))
        self._train = prepared.part("train")
        secret = read_secret(self._folder) if self.spec.private is not None else None
        self.plan = _make_plan(settings, self.spec, self._train[1], self._class_names, secret)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Holds the work folder; of several processes the first one does."""
        return self._folder.locked() if processes.is_writer() else contextlib.nullcontext()

    def make_feed(self) -> parallel.Feed:
        """Returns the batches of the training part."""
        settings, spec = self._settings, self.spec
        if spec.private is not None:
            order = batches.BatchOrder(0, spec.critic_steps, spec.batch_size, 0, MOST_STEPS)
            store = batches.image_store(*self._train, 0)
            key = jax.random.fold_in(secret_key(self.plan.secret), _BATCHES)
            return PoissonFeed(order, store, jax.device_count(), key)
        return batches.make_feed(
            batches.image_store(*self._train, spec.num_generators),
            seed=settings.seed,
            critic_steps=spec.critic_steps,
            batch_size=spec.batch_size,
            num_generators=spec.num_generators,
            shards=parallel.local_shards(),
            num_shards=jax.device_count(),
            most_steps=MOST_STEPS,
            resident_bytes=settings.train.resident_megabytes * 1_000_000,
        )

    def begin(self, feed: parallel.Feed, steps: Callable | None = None) -> Run:
        """Writes what the run is, and returns it at the step where it was stopped.

        The images are not kept beside the feed's: a large data set is not held twice.

        Args:
          feed: of `make_feed`.
          steps: of `Run`.
        """
        score = None
        if processes.is_writer():
            write_json(self._folder.config, self._values)
            write_json(self._folder.data_manifest, self.manifest)
            if self.plan.secret is not None:
                write_secret(self._folder, self.plan.secret)
            if self._settings.evaluate.every:
                train = (*self._train, self._class_names)
                score = make_score(self._settings, self._folder, train, self._validation)
        self._train = self._validation = None
        return Run(self._folder, self.spec, feed, self.plan, score, steps)

    def finish(self, state: GANState) -> None:
        """Writes what is made of the last state, where it is not there."""
        if not processes.is_writer():
            return
        if not self._folder.training_curves.exists():
            write_training_curves(self._folder)
        if self.spec.classifier is not None:
            classifier = parallel.copy_of_one_device(state.classifier)
            fitted = fitted_classifier(classifier, step_of(state), self._class_names, self.spec)
            write_classifier(self._folder.joint_classifier, fitted)


def _check_classes(spec: Spec, class_names: tuple[str, ...]) -> None:
    """Raises `UserError` where a classifier is to be trained of one class."""
    if spec.classifier is not None and len(class_names) < 2:
        raise UserError(
            "config.objective.classifier_weight needs two classes or more: set it to 0, or give "
            "images of more classes"
        )


def check_same_data(folder: WorkFolder, manifest: dict[str, Any]) -> None:
    """Raises `UserError` where the work folder was trained on other images."""
    if folder.data_manifest.exists():
        before = read_json(folder.data_manifest)
        if before["manifest_sha256"] != manifest["manifest_sha256"]:
            raise UserError(
                f"{folder.path} was trained on other images than config.data now gives: restore "
                "the data, or choose another --workdir"
            )


def _make_plan(
    settings: Settings,
    spec: Spec,
    labels: Int[np.ndarray, " images"],
    class_names: tuple[str, ...],
    secret: Secret | None,
) -> Plan:
    """Returns the plan of the run on the training part.

    Raises:
      UserError: the networks would not be grown by the end.
    """
    # An epoch shows every training image once.
    in_epochs = -(-settings.train.epochs * len(labels) // spec.images_per_step)
    total_steps = settings.train.steps or in_epochs
    accountant, ending = _accountant(settings, spec, len(labels)), ""
    counts = np.bincount(labels, minlength=spec.num_classes)
    if accountant is not None:
        within = accountant.steps_within(settings.objective.epsilon, total_steps)
        if within < total_steps:
            ending = f"the privacy budget of epsilon={settings.objective.epsilon:g} is spent"
        total_steps = within
        counts = np.ones_like(counts)  # How many there are of each class is not told.
    if spec.growing_steps and spec.growing_steps * len(spec.stages) > total_steps:
        raise UserError(
            f"config.train.growing_steps={spec.growing_steps} at each of {len(spec.stages)} "
            f"resolutions is more than the {total_steps} steps of this run: give "
            f"{total_steps // len(spec.stages)} or fewer, or a longer run"
        )
    return Plan(
        seed=settings.seed,
        accountant=accountant,
        secret=secret,
        ending=ending,
        total_steps=total_steps,
        num_images=len(labels),
        images_per_step=spec.images_per_step,
        score_every=settings.evaluate.every,
        settings=settings.train,
        description=str(settings),
        metadata={
            "class_names": list(class_names),
            "class_counts": counts.tolist(),
        },
    )


def _accountant(settings: Settings, spec: Spec, num_images: int) -> PrivacyAccountant | None:
    """Returns what counts the privacy budget, or None where training is not private.

    Raises:
      UserError: the budget allows no step, or something else than the step would look at the
        images.
    """
    if spec.private is None:
        return None
    if settings.evaluate.every:
        raise UserError(
            "config.objective.private=True: config.evaluate.every="
            f"{settings.evaluate.every} chooses checkpoints by a classifier of the real images: "
            "set it to 0"
        )
    if spec.batch_size >= num_images:
        raise UserError(
            f"config.objective.private=True: config.train.batch_size={spec.batch_size} is not "
            f"below the {num_images} training images: every image would be in every batch"
        )
    accountant = PrivacyAccountant(
        spec.private.noise_multiplier,
        spec.batch_size / num_images,
        spec.critic_steps,
        1.0 / num_images,
    )
    if not accountant.steps_within(settings.objective.epsilon, 1):
        raise UserError(
            f"config.objective.epsilon={settings.objective.epsilon:g} allows no step: one costs "
            f"{accountant.spent(1)['epsilon']:.3g}; raise it, or config.objective.noise_multiplier"
        )
    return accountant
