"""Generated images of a study's generator with the score that every filter needs."""

import dataclasses
import json
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.data import PreparedData
from gaug_jax.data.splits import TRAIN
from gaug_jax.downstream.arms import Labelled
from gaug_jax.evaluation.features import classifier_extractor, extract
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.pipeline.following import domain_classifier
from gaug_jax.settings import UserError
from gaug_jax.synthesis import filters, sampling
from gaug_jax.training.classifier_spec import ClassifierSpec
from gaug_jax.workfolder import WorkFolder, atomic_file


class Pool(NamedTuple):
    """Generated images to choose from.

    Attributes:
      drawn: images with the class that each was drawn for.
      scores: of each filter, larger is better.
      agreement: share of each class that a classifier of the training part takes for it.
    """

    drawn: Labelled
    scores: dict[str, Float[np.ndarray, " images"]]
    agreement: dict[str, float]


def scored_images(
    folder: WorkFolder,
    prepared: PreparedData,
    drawn: Labelled,
    discriminator: Float[np.ndarray, " images"],
    spec: ClassifierSpec | None,
    seed: int,
) -> Pool:
    """Returns generated images with all scores, by a classifier of the training part.

    Args:
      folder: where that classifier is kept.
      prepared: the data that the generator was trained on.
      drawn: the images.
      discriminator: its scores.
      spec: of the classifier; None for the default one.
      seed: of its fit.
    """
    train, train_labels = prepared.part(TRAIN)
    classifier = domain_classifier(folder, (train, train_labels, prepared.class_names), seed, spec)
    extractor = classifier_extractor(classifier)
    fakes = extract(extractor, array_set("generated images", drawn.images), quiet=True)
    reals = extract(extractor, array_set("the training part", train), quiet=True)
    exponentials = np.exp(fakes.logits - fakes.logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    agreement, shares = filters.agreements(probabilities, drawn.labels, prepared.class_names)
    scores = {
        "discriminator": np.asarray(discriminator),
        "agreement": agreement,
        "density": filters.densities(fakes.features, drawn.labels, reals.features, train_labels),
        "copies": filters.copy_distances(drawn.images, train),
    }
    return Pool(drawn, scores, shares)


def study_pool(
    folder: WorkFolder,
    prepared: PreparedData,
    counts: Int[np.ndarray, " classes"],
    spec: ClassifierSpec,
    seed: int,
) -> Pool:
    """Returns so many images of each class of a generator's work folder, drawn once and kept.

    Raises:
      UserError: the generator knows no classes.
    """
    generator = sampling.read_generator(folder)
    made_with = {"step": generator.step, "seed": seed, "classifier": dataclasses.asdict(spec)}
    if folder.synthetic_pool.exists():
        kept = _read(folder, made_with)
        if kept and (np.bincount(kept.drawn.labels, minlength=len(counts)) >= counts).all():
            return kept
    if not generator.labelled:
        raise UserError(
            "the study's generated images need classes: set config.model.labels to 'conditional' "
            "or 'per_class'"
        )
    images = sampling.draw_images(generator, counts.tolist(), seed)
    drawn = Labelled(images.images, images.labels)
    pool = scored_images(folder, prepared, drawn, images.scores, spec, seed)
    facts = json.dumps({"made_with": made_with, "agreement": pool.agreement})
    with atomic_file(folder.synthetic_pool) as file:
        np.savez(file, images=drawn.images, labels=drawn.labels, facts=facts, **pool.scores)
    return pool


def _read(folder: WorkFolder, made_with: dict[str, Any]) -> Pool | None:
    """Returns the pool that was kept; None where it is of another step, seed or classifier."""
    try:
        with np.load(folder.synthetic_pool, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        drawn = Labelled(arrays.pop("images"), arrays.pop("labels"))
        facts = json.loads(str(arrays.pop("facts", "{}")))
        # As JSON, which knows no tuples.
        if facts.get("made_with") != json.loads(json.dumps(made_with)):
            return None
        return Pool(drawn, arrays, facts["agreement"])
    except (OSError, ValueError, KeyError, EOFError, json.JSONDecodeError) as error:
        raise UserError(
            f"{folder.synthetic_pool} is damaged ({error}): remove it to have it drawn anew"
        ) from None
