"""The audit: do a work folder's generated images give its training images away?"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from gaug_jax import data
from gaug_jax.auditing import findings, words
from gaug_jax.auditing.attributes import (
    Attribute,
    attribute_reader,
    read_attributes,
    told_by_labels,
)
from gaug_jax.auditing.findings import Part
from gaug_jax.auditing.membership import half_of_groups
from gaug_jax.classifiers.fitted import fit_classifier
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.data.arrays import checked_images, read_arrays
from gaug_jax.data.splits import TEST, TRAIN, VALIDATION
from gaug_jax.errors import UserError
from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.evaluation.metrics.nearest import nearest
from gaug_jax.files import read_json, write_json
from gaug_jax.images import write_picture
from gaug_jax.reporting.image_pictures import pair_grid
from gaug_jax.stages.evaluate import EvaluationOptions
from gaug_jax.stages.opened import Opened
from gaug_jax.synthesis.drawing import TrainedGenerator, discriminator_scores
from gaug_jax.synthesis.filters import copy_distances, in_pixels
from gaug_jax.workfolder import WorkFolder

# Fewer groups (patients, writers) give no interval to speak of.
_LEAST_GROUPS = 10

Images = UInt8[np.ndarray, "images height width channels"]
Rows = Int[np.ndarray, " images"]


class _Audited(NamedTuple):
    """What is audited.

    Attributes:
      prepared: the real images.
      train: which of them were trained on.
      held_out: which were not.
      generated: images.
      labels: class of each generated image; -1 where the generator knows none.
    """

    prepared: data.PreparedData
    train: Rows
    held_out: Rows
    generated: Images
    labels: Rows


def audit(opened: Opened, options: EvaluationOptions) -> None:
    """Audits `synthetic/images.npz` of a work folder; writes `audit/`.

    Args:
      opened: work folder of a run of training from which images were drawn.
      options: `features` other than pixels, None for those of a classifier that is fitted to
        the generated images; and the seed.

    Raises:
      UserError: the work folder or its data is not usable, no images are held out, or fewer
        are generated than were trained on.
    """
    folder = opened.folder
    if not folder.data_manifest.exists():
        raise UserError(f"{folder.path} has no data_manifest.json: train with gaug_jax.main first")
    prepared = opened.prepared
    audited = _audited(folder, prepared)
    made_with = {
        "features": options.features or "classifier of the generated images",
        "generated_sha256": array_set("generated images", audited.generated).sha256,
        "seed": options.seed,
        "num_training": len(audited.train),
        "num_held_out": len(audited.held_out),
        "num_generated": len(audited.generated),
    }
    if folder.audit.exists() and read_json(folder.audit)["made_with"] == made_with:
        print(f"{folder.audit} is of these images already: nothing to do")
        return
    spaces = {"pixels": _pixels(audited)}
    extractor = _extractor(audited, options)
    generator = opened.generator()
    if extractor is not None:
        spaces["features"] = _features(extractor, audited)
    found = {
        "made_with": made_with,
        "groups_known": prepared.groups_known,
        "spaces": {
            name: {
                "copies": findings.copies(*space, options.seed),
                "membership": findings.membership_by_closeness(*space, options.seed),
            }
            for name, space in spaces.items()
        },
        "discriminator": _discriminator(generator, audited, options.seed),
        "family": generator.spec.model.family,
        "attributes": _attributes(audited, spaces["pixels"], options.seed),
        "privacy": generator.privacy,
    }
    found["leaks"] = words.is_leaking(found)
    _write_worst_pairs(folder, audited, spaces["pixels"])
    write_json(folder.audit, found)
    print("\n".join(words.sentences(found)))
    print(f"see {folder.audit} and {folder.audit_picture}")


def _audited(folder: WorkFolder, prepared: data.PreparedData) -> _Audited:
    """Returns real and generated images.

    Raises:
      UserError: there are too few of a kind.
    """
    train = prepared.indices(TRAIN)
    held_out = np.sort(np.concatenate([prepared.indices(TEST), prepared.indices(VALIDATION)]))
    for name, rows in (("that were not trained on", held_out), ("that were", train)):
        groups = len(np.unique(prepared.groups[rows]))
        if groups < _LEAST_GROUPS:
            raise UserError(
                f"an audit needs images of {_LEAST_GROUPS} groups (patients, writers) {name}, and "
                f"has {groups}: change config.data.test_fraction or num_folds and train again"
            )
    if not folder.synthetic_images.exists():
        raise UserError(
            f"{folder.synthetic_images} does not exist: draw images with gaug_jax.synthesize "
            f"--workdir={folder.path} --num={len(train)}"
        )
    arrays = read_arrays(folder.synthetic_images)
    for name in ("images", "labels"):
        if name not in arrays:
            raise UserError(f"{folder.synthetic_images} has no array {name}: draw it anew")
    generated = checked_images(arrays["images"], f"{folder.synthetic_images}: images")
    labels = arrays["labels"]
    classes = np.arange(-1, len(prepared.class_names))
    if labels.shape != (len(generated),) or not np.isin(labels, classes).all():
        raise UserError(
            f"{folder.synthetic_images}: labels are not one class for each image: draw it anew"
        )
    if generated.shape[1:] != prepared.images.shape[1:]:
        raise UserError(
            f"{folder.synthetic_images} has images of {generated.shape[1:]} and the data of "
            f"{prepared.images.shape[1:]}: draw them anew"
        )
    if len(generated) < len(train):
        raise UserError(
            f"{len(generated)} generated images against {len(train)} training images: fewer hide "
            f"whom they come from; draw more with gaug_jax.synthesize --num={len(train)}"
        )
    return _Audited(prepared, train, held_out, generated, labels)


Space = tuple[Float[np.ndarray, "images features"], Part, Part]


def _pixels(audited: _Audited) -> Space:
    """Returns generated, training and held-out images as vectors of pixels in [0, 1]."""
    prepared = audited.prepared
    flat = lambda images: images.reshape(len(images), -1).astype(np.float64) / 255.0  # noqa: E731
    return flat(audited.generated), *(
        Part(flat(prepared.images[rows]), prepared.groups[rows])
        for rows in (audited.train, audited.held_out)
    )


def _extractor(audited: _Audited, options: EvaluationOptions) -> Extractor | None:
    """Returns the features' extractor; None where the generator knows fewer than two classes.

    The default was fitted to generated images alone, as an attacker could: one that was fitted
    to the training part would know its members better by itself.
    """
    if options.features is not None:
        return options.extractor(options.features, "tf1")
    names = audited.prepared.class_names
    if audited.labels.min() < 0 or len(np.unique(audited.labels)) < 2:
        return None
    spec = ClassifierSpec(tuple(audited.generated.shape[1:]), names)
    return classifier_extractor(
        fit_classifier(audited.generated, audited.labels, spec, options.seed)
    )


def _features(extractor: Extractor, audited: _Audited) -> Space:
    """Returns generated, training and held-out images as features."""
    prepared = audited.prepared

    def of(name: str, images: Images) -> Float[np.ndarray, "images features"]:
        found = extract(extractor, array_set(name, images), quiet=True).features
        if not np.isfinite(found).all():
            raise UserError(f"--features={extractor.name} gives NaN or infinite numbers")
        return found.astype(np.float64)

    return of("generated images", audited.generated), *(
        Part(of(name, prepared.images[rows]), prepared.groups[rows])
        for name, rows in (("training images", audited.train), ("held-out", audited.held_out))
    )


def _discriminator(generator: TrainedGenerator, audited: _Audited, seed: int) -> dict[str, Any]:
    """Returns the attack by the discriminator's scores, each of an image's own class."""
    prepared, sides = audited.prepared, (audited.train, audited.held_out)
    scores = findings.standardised(
        [
            discriminator_scores(generator, prepared.images[rows], prepared.labels[rows])
            for rows in sides
        ],
        [prepared.labels[rows] for rows in sides],
    )
    groups = [prepared.groups[rows] for rows in sides]
    return findings.membership(*zip(scores, groups, strict=True), seed)


def _attributes(audited: _Audited, pixels: Space, seed: int) -> list[dict[str, Any]]:
    """Returns what can be told of each attribute that the data's metadata has."""
    prepared = audited.prepared
    generated, train, held_out = pixels
    metadata = [row["metadata"] for row in prepared.manifest["rows"]]
    # One half of the held-out groups is the attacker's, the other the control.
    attackers = half_of_groups(held_out.groups, np.random.default_rng(seed))
    sides = {"generated": generated, "control": held_out.features[~attackers]}
    places = {side: nearest(images, train.features)[1] for side, images in sides.items()}
    found = []
    for attribute in read_attributes(metadata, audited.train):
        known = attribute.known[audited.held_out] & attackers
        own = audited.held_out[known]
        truth = Attribute(
            attribute.name, attribute.value[audited.train], attribute.known[audited.train]
        )
        row: dict[str, Any] = {"name": attribute.name, "note": None}
        try:
            reader = attribute_reader(held_out.features[known], attribute.value[own])
            for side, images in sides.items():
                row[side] = _told(reader(images), truth, places[side], train.groups, seed)
            by_label = told_by_labels(prepared.labels[own], attribute.value[own], audited.labels)
            told = _told(by_label, truth, places["generated"], train.groups, seed)
            row["label"] = told["auroc"]
        except ValueError as error:
            row["note"] = str(error)
        found.append(row)
    return found


def _told(
    scores: Float[np.ndarray, " images"], truth: Attribute, places: Rows, groups: Rows, seed: int
) -> dict[str, float]:
    """Returns how well scores of images tell an attribute of the training images nearest to them.

    Args:
      scores: of each image.
      truth: the attribute of the training images.
      places: of the training image nearest to each.
      groups: of the training images.
      seed: of the interval.
    """
    known = truth.known[places]
    judged = places[known]
    return findings.told(scores[known], truth.value[judged], groups[judged], seed)


def _write_worst_pairs(folder: WorkFolder, audited: _Audited, pixels: Space) -> None:
    """Writes the generated images that are likest to a training image, with those."""
    generated, train, _ = pixels
    real = audited.prepared.images[audited.train]
    distances = copy_distances(in_pixels(audited.generated), in_pixels(real))
    worst = np.argsort(distances, kind="stable")[:10]
    _, places = nearest(generated[worst], train.features)
    write_picture(folder.audit_picture, pair_grid(audited.generated[worst], real[places]))
