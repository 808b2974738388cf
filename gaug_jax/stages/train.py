"""Stages 1 to 3: from a config to a trained generator."""

import contextlib
import dataclasses
from collections.abc import Callable
from types import ModuleType

import jax
import numpy as np
from jaxtyping import Int

from gaug_jax import data, processes
from gaug_jax.classifiers.fitted import FittedClassifier, write_classifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.splits import TRAIN, VALIDATION
from gaug_jax.errors import UserError
from gaug_jax.feeds.choice import Feed, make_feed
from gaug_jax.feeds.order import BatchOrder, image_store
from gaug_jax.feeds.poisson import PoissonFeed
from gaug_jax.files import write_json
from gaug_jax.gan.accounting import PrivacyAccountant
from gaug_jax.gan.networks import Network
from gaug_jax.gan.spec import Spec, make_spec
from gaug_jax.gan.state import GANState, step_of
from gaug_jax.reporting.training_curves import write_training_curves
from gaug_jax.settings import Settings
from gaug_jax.stages.opened import Opened, check_same_data
from gaug_jax.training import parallel
from gaug_jax.training.loop import Run
from gaug_jax.training.plan import MOST_STEPS, Plan
from gaug_jax.training.secret import Secret, read_secret, secret_key, write_secret

# Folded into the secret: batches share no draw with the training.
_BATCHES = 2**31 - 1


def train(settings: Settings, workdir: str) -> None:
    """Trains the generator of a config, or goes on where it was stopped.

    Raises:
      UserError: the config, the data or the work folder is not usable; nothing is written.
    """
    # Nobody else holds what is opened: the images are let go of when they are on the devices.
    run_training(Training(Opened(workdir, settings)))


def run_training(training: "Training") -> None:
    """Makes a run that was found to be usable.

    Raises:
      UserError: a file cannot be written.
    """
    with training.locked():
        training.finish(training.begin(training.make_feed()).train())


class Training:
    """A run whose config, data and work folder were found to be usable; nothing is written yet.

    Args:
      opened: its work folder.
      prepared: its data; None for that of the folder.
      name: of the run, for its progress.

    Attributes:
      spec: what its step is compiled for.
      plan: what is to be done.
      manifest: of its data.

    Raises:
      UserError: as of `train`.
    """

    def __init__(
        self,
        opened: Opened,
        prepared: data.PreparedData | None = None,
        name: str = "training",
    ) -> None:
        self._folder, self._settings = opened.folder, opened.settings
        settings = opened.settings
        parallel.check_batch_size(settings.train.batch_size, jax.device_count())
        make_spec(settings, num_classes=1)  # A mistake is found before the data is read.
        prepared = prepared or opened.prepared
        self._class_names, self.manifest = prepared.class_names, prepared.manifest
        self.spec = make_spec(settings, num_classes=len(self._class_names))
        check_same_data(self._folder, self.manifest)
        _check_classes(self.spec, self._class_names)
        self._validation = prepared.part(VALIDATION)
        if settings.evaluate.every:
            _following().check_validation(len(self._validation.images))
        self._train = prepared.part(TRAIN)
        secret = read_secret(self._folder) if self.spec.objective.private else None
        labels = self._train.labels
        plan = _make_plan(settings, self.spec, labels, self._class_names, secret)
        self.plan = dataclasses.replace(plan, name=name)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Holds the work folder; of several processes the first one does."""
        return self._folder.locked() if processes.is_writer() else contextlib.nullcontext()

    def make_feed(self) -> Feed:
        """Returns the batches of the training part."""
        settings, spec = self._settings, self.spec
        if spec.objective.private:
            order = BatchOrder(0, spec.objective.critic_steps, spec.train.batch_size, 0, MOST_STEPS)
            store = image_store(*self._train, 0)
            key = jax.random.fold_in(secret_key(self.plan.secret), _BATCHES)
            return PoissonFeed(order, store, jax.device_count(), key)
        return make_feed(
            image_store(*self._train, spec.num_generators),
            seed=settings.seed,
            critic_steps=spec.objective.critic_steps,
            batch_size=spec.train.batch_size,
            num_generators=spec.num_generators,
            shards=parallel.local_shards(),
            num_shards=jax.device_count(),
            most_steps=MOST_STEPS,
            resident_bytes=settings.train.resident_megabytes * 1_000_000,
        )

    def begin(self, feed: Feed, steps: Callable | None = None) -> Run:
        """Writes what the run is, and returns it at the step where it was stopped.

        The images are not kept beside the feed's: a large data set is not held twice.

        Args:
          feed: of `make_feed`.
          steps: of `Run`.
        """
        score = None
        if processes.is_writer():
            write_json(self._folder.config, self._settings.to_dict())
            write_json(self._folder.data_manifest, self.manifest)
            if self.plan.secret is not None:
                write_secret(self._folder, self.plan.secret)
            if self._settings.evaluate.every:
                score = _following().make_score(
                    self._settings, self._folder, self._train, self._validation, self._class_names
                )
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


def _following() -> ModuleType:
    """Returns what scores a generator while it trains; a run without scores need not import it."""
    from gaug_jax.stages import following

    return following


def _check_classes(spec: Spec, class_names: tuple[str, ...]) -> None:
    """Raises `UserError` where a classifier is to be trained of one class."""
    if spec.classifier is not None and len(class_names) < 2:
        raise UserError(
            "config.objective.classifier_weight needs two classes or more: set it to 0, or give "
            "images of more classes"
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
    if spec.train.growing_steps and spec.train.growing_steps * len(spec.stages) > total_steps:
        raise UserError(
            f"config.train.growing_steps={spec.train.growing_steps} at each of {len(spec.stages)} "
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
    if not spec.objective.private:
        return None
    if settings.evaluate.every:
        raise UserError(
            "config.objective.private=True: config.evaluate.every="
            f"{settings.evaluate.every} chooses checkpoints by a classifier of the real images: "
            "set it to 0"
        )
    if spec.train.batch_size >= num_images:
        raise UserError(
            f"config.objective.private=True: config.train.batch_size={spec.train.batch_size} is "
            f"not below the {num_images} training images: every image would be in every batch"
        )
    accountant = PrivacyAccountant(
        spec.objective.noise_multiplier,
        spec.train.batch_size / num_images,
        spec.objective.critic_steps,
        1.0 / num_images,
    )
    if not accountant.steps_within(settings.objective.epsilon, 1):
        raise UserError(
            f"config.objective.epsilon={settings.objective.epsilon:g} allows no step: one costs "
            f"{accountant.spent(1)['epsilon']:.3g}; raise it, or config.objective.noise_multiplier"
        )
    return accountant


def fitted_classifier(
    classifier: Network, step: int, class_names: tuple[str, ...], spec: Spec
) -> FittedClassifier:
    """Returns the classifier that was trained along with a generator as every other fitted one.

    Args:
      classifier: as it is.
      step: optimiser steps that it has made.
      class_names: of the data.
      spec: of the run.
    """
    made_with = ClassifierSpec(
        image_shape=spec.image_shape,
        class_names=class_names,
        width=spec.classifier.width,
        steps=step,
        batch_size=spec.train.batch_size,
        weight_decay=0.0,
        augmentation="none",
        pseudo_label_weight=spec.objective.classifier_weight,
    )
    variables = {"params": classifier.params, "batch_stats": classifier.batch_stats}
    return FittedClassifier(made_with, jax.device_get(variables))
