"""Synthetic images as files: one `.npz`, pictures by class, or a data set of TFDS."""

import csv
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from gaug_jax import images
from gaug_jax.files import atomic_file
from gaug_jax.progress import Progress
from gaug_jax.synthesis.drawing import NO_LABEL, SyntheticImages
from gaug_jax.workfolder import WorkFolder

# What some file system does not take in a name.
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
# What lies beside the folders of classes.
_TAKEN = {"tfds", "images.npz", "manifest.csv", "datasheet.md"}
_UNLABELLED = "unlabelled"
# Of a folder's name. File systems take 255 at most, some 143.
_MOST_BYTES = 100


def write_npz(
    folder: WorkFolder,
    drawn: SyntheticImages,
    class_names: tuple[str, ...],
    filter_scores: Mapping[str, np.ndarray],
) -> None:
    """Writes `synthetic/images.npz`.

    It has `images`, `labels`, `scores` where there are any, each filter's scores and, of a
    generator that knows classes, `class_names` in the order of the labels.
    """
    named = {} if drawn.scores is None else {"scores": drawn.scores}
    named |= {f"filter_{name}": values for name, values in filter_scores.items()}
    if not (drawn.labels == NO_LABEL).all():
        named["class_names"] = np.array(class_names, str)
    with atomic_file(folder.synthetic_images) as file:
        np.savez(file, images=drawn.images, labels=drawn.labels, **named)


def class_folders(class_names: Sequence[str]) -> list[str]:
    """Returns the name of each class's folder, fit for any file system and no two alike.

    Names are cut where they are long. Where two would be one (`a/b` and `a:b`; `A` and `a` on some
    systems), or one would be a file of the work folder's, each begins with its label.
    """
    names = [
        _cut(_UNFIT.sub("_", name)).strip(". ") or f"class_{label}"
        for label, name in enumerate(class_names)
    ]
    different = {unicodedata.normalize("NFC", name).casefold() for name in names}
    if len(different - _TAKEN) == len(names):
        return names
    return [f"{label}_{name}" for label, name in enumerate(names)]


def _cut(name: str) -> str:
    """Returns a name, or as much of its beginning as file systems take."""
    return name.encode(errors="ignore")[:_MOST_BYTES].decode(errors="ignore")


def write_pictures(
    folder: WorkFolder, drawn: SyntheticImages, class_names: tuple[str, ...]
) -> None:
    """Writes `synthetic/<class>/*.png` and `synthetic/manifest.csv`, in place of earlier ones.

    All pictures are written under a temporary name first; the manifest, which names
    them, comes last. Where there are no scores, their column is empty.
    """
    temporary = folder.synthetic / ".pictures.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    folder.synthetic_manifest.unlink(missing_ok=True)
    progress = Progress("writing", len(drawn.images), unit="picture")
    folders, rows = class_folders(class_names), []
    try:
        for index, (image, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
            place = _UNLABELLED if label == NO_LABEL else folders[label]
            name = f"{place}/{index:06d}.png"
            images.write_picture(temporary / name, image)
            of_class = "" if label == NO_LABEL else class_names[label]
            score = "" if drawn.scores is None else float(drawn.scores[index])
            rows.append([name, int(label), score, of_class])
            progress.advance(1)
        for name in [*folders, _UNLABELLED]:
            shutil.rmtree(folder.synthetic / name, ignore_errors=True)
        for made in sorted(temporary.iterdir()):
            os.replace(made, folder.synthetic / made.name)
    finally:
        progress.close()
        shutil.rmtree(temporary, ignore_errors=True)
    with atomic_file(folder.synthetic_manifest, "w") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "score", "class"])
        writer.writerows(rows)


def write_tfds(
    folder: WorkFolder, drawn: SyntheticImages, class_names: tuple[str, ...], description: str
) -> None:
    """Writes `synthetic/tfds`, which `tfds.builder_from_directory` reads, in place of an earlier.

    Features are `image`, `score` where there are scores and, of a generator that knows classes,
    `label`; the split is called `train`.
    """
    # Imported here: it takes seconds.
    import tensorflow_datasets as tfds

    labelled = drawn.labels.size and drawn.labels[0] != NO_LABEL
    features = {"image": tfds.features.Image(shape=drawn.images.shape[1:])}
    columns = {"image": drawn.images}
    if drawn.scores is not None:
        features["score"] = tfds.features.Scalar(np.float32)
        columns["score"] = drawn.scores
    if labelled:
        features["label"] = tfds.features.ClassLabel(names=list(class_names))
        columns["label"] = drawn.labels
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    examples = enumerate(rows)
    temporary = folder.synthetic / ".tfds.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        tfds.dataset_builders.store_as_tfds_dataset(
            name="synthetic",
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={"train": examples},
            data_dir=temporary,
            description=description,
            disable_shuffling=True,
        )
        shutil.rmtree(folder.synthetic_tfds, ignore_errors=True)
        os.replace(temporary / "synthetic" / "1.0.0", folder.synthetic_tfds)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
