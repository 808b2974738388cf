"""Stage 4: real and generated images in one plane, and their overlap as numbers."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax import data
from gaug_jax.data.splits import TEST, TRAIN
from gaug_jax.embedding.overlap import neighbour_mixing, two_sample_accuracy
from gaug_jax.embedding.projections import Projections, project
from gaug_jax.errors import UserError
from gaug_jax.evaluation.features import extract
from gaug_jax.evaluation.fidelity import extractor_facts
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.files import atomic_file, read_json, write_json
from gaug_jax.reporting.embedding_plot import write_plane
from gaug_jax.stages.evaluate import EvaluationOptions, work_folder_extractor
from gaug_jax.stages.opened import Opened
from gaug_jax.stages.synthesize import DrawingOptions, synthesize
from gaug_jax.stages.training_map import make_training_map
from gaug_jax.workfolder import WorkFolder

ORIGINS = ("training part", "test part", "generated")


class _Shown(NamedTuple):
    """The images that are embedded, by origin one after another.

    Attributes:
      images: [0, 255].
      labels: class of each; -1 where the generator knows none.
      origins: number of each in `ORIGINS`.
      rows: number of each in the data, or in `synthetic/images.npz`.
      groups: patient or writer of each real one; -1 of generated ones.
    """

    images: UInt8[np.ndarray, "images height width channels"]
    labels: Int[np.ndarray, " images"]
    origins: Int[np.ndarray, " images"]
    rows: Int[np.ndarray, " images"]
    groups: Int[np.ndarray, " images"]


def embed(opened: Opened, options: EvaluationOptions) -> None:
    """Embeds a work folder's real and generated images together.

    Args:
      opened: work folder of a run of training; images are drawn where `synthetic/images.npz` is
        absent.
      options: of the features, and the seed.

    Raises:
      UserError: the work folder, its data or the features are not usable.
    """
    folder, settings, prepared = opened.folder, opened.settings, opened.prepared
    extractor = work_folder_extractor(opened, options)
    if not folder.synthetic_images.exists():
        count = min(settings.embed.num_images, len(prepared.indices(TRAIN)))
        synthesize(opened, DrawingOptions(max(count, 2), seed=options.seed), "npz")
    shown = _shown(folder, prepared, settings.embed.num_images, options.seed)
    images = array_set("the images to embed", shown.images)
    facts = {
        **extractor_facts(extractor),
        "seed": options.seed,
        "perplexity": settings.embed.perplexity,
        "images_sha256": images.sha256,
        "num_images": {
            name: int(np.sum(shown.origins == origin)) for origin, name in enumerate(ORIGINS)
        },
    }
    if folder.overlap.exists() and read_json(folder.overlap).get("made_with") == facts:
        print(f"{folder.embedding} holds this embedding already: nothing to do")
        return
    features = extract(extractor, images).features
    made = project(features, perplexity=settings.embed.perplexity, seed=options.seed)
    _write_planes(folder, made, shown, prepared.class_names, extractor.name)
    overlap = {
        ORIGINS[origin].split()[0]: _overlap(made.components, shown, origin, options.seed)
        for origin in (0, 1)
    }
    make_training_map(opened, extractor, options.seed)
    explained = made.explained_variance.tolist()
    write_json(folder.overlap, {"made_with": facts, "explained_variance": explained, **overlap})
    for name, found in overlap.items():
        print(f"generated images and the {name} part: {_sentence(found)}")
    print(f"see {folder.embedding}")


def _shown(folder: WorkFolder, prepared: data.PreparedData, most: int, seed: int) -> _Shown:
    """Returns at most so many images of each origin, drawn without regard to their class."""
    rng = np.random.default_rng(seed)
    with np.load(folder.synthetic_images, allow_pickle=False) as file:
        drawn, drawn_labels = file["images"], file["labels"]
    if drawn.shape[1:] != prepared.images.shape[1:]:
        raise UserError(
            f"{folder.synthetic_images} has images of {drawn.shape[1:]} and the data of "
            f"{prepared.images.shape[1:]}: remove it to have them drawn anew"
        )
    pieces = []
    for part in (TRAIN, TEST, None):
        rows = np.arange(len(drawn)) if part is None else prepared.indices(part)
        rows = np.sort(rng.permutation(rows)[:most])
        origin = np.full(len(rows), len(pieces))
        if part is None:
            nobody = np.full(len(rows), -1)
            pieces.append(_Shown(drawn[rows], drawn_labels[rows], origin, rows, nobody))
        else:
            of_rows = (values[rows] for values in (prepared.images, prepared.labels))
            pieces.append(_Shown(*of_rows, origin, rows, prepared.groups[rows]))
    return _Shown(*(np.concatenate(column) for column in zip(*pieces, strict=True)))


def _write_planes(
    folder: WorkFolder,
    made: Projections,
    shown: _Shown,
    class_names: tuple[str, ...],
    features: str,
) -> None:
    """Writes every plane as numbers and as a picture."""
    share = made.explained_variance
    for plane, places in made.planes.items():
        with atomic_file(folder.embedding_places(plane)) as file:
            np.savez(
                file, places=places, labels=shown.labels, origins=shown.origins, rows=shown.rows,
                origin_names=np.array(ORIGINS), class_names=np.array(class_names),
            )  # fmt: skip
        caption = f"features: {features}"
        if plane == "pca":
            caption += f"; the two components hold {share[:2].sum():.0%} of the variance"
        write_plane(
            folder.embedding_picture(plane), plane, places, (shown.origins, ORIGINS),
            (shown.labels, class_names), caption,
        )  # fmt: skip


def _overlap(components: np.ndarray, shown: _Shown, origin: int, seed: int) -> dict[str, Any]:
    """Returns the overlap of generated images with a part of the real ones."""
    real = shown.origins == origin
    generated = components[shown.origins == len(ORIGINS) - 1]
    found: dict[str, Any] = {"neighbour_mixing": None, "two_sample_accuracy": None}
    try:
        found["neighbour_mixing"] = neighbour_mixing(components[real], generated)
        accuracy = two_sample_accuracy(components[real], generated, shown.groups[real], seed)
        found |= {f"two_sample_accuracy_{end}": getattr(accuracy, end) for end in ("low", "high")}
        found["two_sample_accuracy"] = accuracy.value
    except ValueError as error:
        found["notes"] = str(error)
    return found


def _sentence(found: dict[str, Any]) -> str:
    """Returns an overlap in words."""
    if found["two_sample_accuracy"] is None:
        return f"not measured ({found['notes']})"
    return (
        f"neighbours mix {found['neighbour_mixing']:.2f} times as by chance, and a classifier "
        f"tells them apart in {found['two_sample_accuracy']:.1%} "
        f"({found['two_sample_accuracy_low']:.1%} to {found['two_sample_accuracy_high']:.1%})"
    )
