"""Generated images of a study's generator with the score that every filter needs."""

import dataclasses
import json
import zipfile
import zlib
from typing import Any, NamedTuple

import numpy as np
import scipy.special
from jaxtyping import Float, Int

from gaug_jax.classifiers.fitted import FittedClassifier
from gaug_jax.classifiers.linear import LinearSpec, fit_linear
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.labelled import Labelled
from gaug_jax.errors import UserError
from gaug_jax.evaluation.domain_classifier import domain_classifier
from gaug_jax.evaluation.features import classifier_extractor, extract
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.files import atomic_file
from gaug_jax.synthesis import filters
from gaug_jax.synthesis.drawing import draw_by_class, read_generator
from gaug_jax.workfolder import WorkFolder


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

    def first(self, counts: Int[np.ndarray, " classes"]) -> "Pool":
        """Returns the first so many images of each class, which no larger pool changes.

        Args:
          counts: of the images, by class; of a class with fewer all.
        """
        members = [np.flatnonzero(self.drawn.labels == label) for label in range(len(counts))]
        firsts = [places[:count] for places, count in zip(members, counts, strict=True)]
        chosen = np.sort(np.concatenate(firsts))
        drawn = Labelled(self.drawn.images[chosen], self.drawn.labels[chosen])
        scores = {name: values[chosen] for name, values in self.scores.items()}
        return Pool(drawn, scores, self.agreement)


class Seen(NamedTuple):
    """Generated images, and the training part, as a classifier of the training part sees them.

    Attributes:
      probabilities: of the generated images.
      fakes: their features.
      reals: features of the training part.
      fakes_for_copies: what distances of copies are measured in.
      reals_for_copies: the same of the training part.
    """

    probabilities: Float[np.ndarray, "images classes"]
    fakes: Float[np.ndarray, "images features"]
    reals: Float[np.ndarray, "train features"]
    fakes_for_copies: Float[np.ndarray, "images other"]
    reals_for_copies: Float[np.ndarray, "train other"]


def seen_by_network(
    classifier: FittedClassifier, reals: filters.Images, fakes: filters.Images
) -> Seen:
    """Returns images as a network sees them; copies are looked for in pixels.

    Args:
      classifier: of the training part.
      reals: the training part.
      fakes: the generated images.
    """
    extractor = classifier_extractor(classifier)
    of_fakes = extract(extractor, array_set("generated images", fakes), quiet=True)
    of_reals = extract(extractor, array_set("the training part", reals), quiet=True)
    probabilities = scipy.special.softmax(of_fakes.logits, axis=1)
    pixels = filters.in_pixels(fakes), filters.in_pixels(reals)
    return Seen(probabilities, of_fakes.features, of_reals.features, *pixels)


def seen_by_linear_model(spec: LinearSpec, train: Labelled, fakes: filters.Images) -> Seen:
    """Returns images as a linear model of the training part sees them, in its features.

    Args:
      spec: of the model.
      train: the training part.
      fakes: the generated images.
    """
    classifier = fit_linear(spec, train.images, train.labels)
    features = classifier.features(fakes), classifier.features(train.images)
    return Seen(classifier.probabilities(fakes), *features, *features)


def scored_images(
    seen: Seen,
    class_names: tuple[str, ...],
    train: Labelled,
    drawn: Labelled,
    discriminator: Float[np.ndarray, " images"],
) -> Pool:
    """Returns generated images with all scores.

    Args:
      seen: what a classifier of the training part sees.
      class_names: of its probabilities.
      train: the training part.
      drawn: the images.
      discriminator: its scores.
    """
    agreement, shares = filters.agreements(seen.probabilities, drawn.labels, class_names)
    scores = {
        "discriminator": np.asarray(discriminator),
        "agreement": agreement,
        "density": filters.densities(seen.fakes, drawn.labels, seen.reals, train.labels),
        "copies": filters.copy_distances(seen.fakes_for_copies, seen.reals_for_copies),
    }
    return Pool(drawn, scores, shares)


def study_pool(
    folder: WorkFolder,
    train: Labelled,
    counts: Int[np.ndarray, " classes"],
    spec: ClassifierSpec | LinearSpec,
    seed: int,
) -> Pool:
    """Returns so many images of each class of a generator's work folder, drawn once and kept.

    Args:
      folder: of the generator.
      train: what it was trained on.
      counts: images of each class.
      spec: of the classifier that scores them.
      seed: of the latents and of the classifier.

    Raises:
      UserError: the generator knows no classes.
    """
    generator = read_generator(folder)
    made_with = {"step": generator.step, "seed": seed, "classifier": _identity(spec)}
    if folder.synthetic_pool.exists():
        kept = _read(folder, made_with)
        if kept and (np.bincount(kept.drawn.labels, minlength=len(counts)) >= counts).all():
            return kept
    if not generator.labelled:
        raise UserError(
            "the study's generated images need classes: set config.model.labels to 'conditional' "
            "or 'per_class'"
        )
    images = draw_by_class(generator, counts.tolist(), seed)
    if isinstance(spec, LinearSpec):
        seen = seen_by_linear_model(spec, train, images.images)
    else:
        names = spec.class_names
        classifier = domain_classifier(folder.study_classifier, train, names, seed, spec)
        seen = seen_by_network(classifier, train.images, images.images)
    drawn = Labelled(images.images, images.labels)
    pool = scored_images(seen, spec.class_names, train, drawn, images.scores)
    facts = json.dumps({"made_with": made_with, "agreement": pool.agreement})
    with atomic_file(folder.synthetic_pool) as file:
        np.savez(file, images=images.images, labels=images.labels, facts=facts, **pool.scores)
    return pool


def _identity(spec: ClassifierSpec | LinearSpec) -> dict[str, Any]:
    """Returns what of a classifier's spec decides scores."""
    return {each.name: getattr(spec, each.name) for each in dataclasses.fields(spec) if each.repr}


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
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(
            f"{folder.synthetic_pool} is damaged ({error}): remove it to have it drawn anew"
        ) from None
