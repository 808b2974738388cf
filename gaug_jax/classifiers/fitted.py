"""One fitted classifier: made, used, written as an `.npz` file of plain arrays, read back."""

import dataclasses
import functools
import hashlib
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from flax import traverse_util
from jaxtyping import Array, Int, PyTree, UInt8

from gaug_jax.classifiers.fit import fit_classifiers, new_fit, training_images
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.errors import UserError, in_short
from gaug_jax.files import atomic_file
from gaug_jax.images import to_unit
from gaug_jax.models.classifier import Classified


class FittedClassifier(NamedTuple):
    """A classifier as it was fitted.

    Attributes:
      spec: what it was fitted with.
      variables: parameters and batch statistics.
    """

    spec: ClassifierSpec
    variables: PyTree


def fit_classifier(
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
    spec: ClassifierSpec,
    seed: int,
    learning_rate: float = 1e-2,
    *,
    quiet: bool = False,
) -> FittedClassifier:
    """Fits a classifier; the same seed gives the same one.

    Args:
      images: the training images.
      labels: class of each.
      spec: of the fit.
      seed: of the initial parameters, the batches and the augmentation.
      learning_rate: at the start of the cosine.
      quiet: show no progress.

    Raises:
      ValueError: fewer than two classes, or images of another shape than the spec's.

    Example:
      >>> labels = np.arange(40) % 2
      >>> images = np.full((40, 8, 8, 1), 50, np.uint8) + 150 * labels[:, None, None, None]
      >>> spec = ClassifierSpec((8, 8, 1), ("dark", "light"), width=4, steps=20, batch_size=16)
      >>> fitted = fit_classifier(images.astype(np.uint8), labels, spec, seed=0, quiet=True)
      >>> logits = classify(fitted.variables, images.astype(np.uint8), spec=spec).logits
      >>> bool((np.argmax(logits, axis=1) == labels).all())
      True
    """
    if len(spec.class_names) < 2:
        raise ValueError("a classifier needs two classes or more")
    if images.shape[1:] != spec.image_shape:
        raise ValueError(f"images of {images.shape[1:]}, and the spec says {spec.image_shape}")
    data = training_images(images, labels, len(spec.class_names))
    one = (np.array([seed]), np.array([learning_rate]))
    fits = fit_classifiers(data, spec, *one, quiet=quiet)
    return FittedClassifier(spec, jax.device_get(jax.tree.map(lambda leaf: leaf[0], fits)))


@functools.partial(jax.jit, static_argnames="spec")
def classify(
    variables: PyTree,
    images: UInt8[Array, "batch height width channels"],
    *,
    spec: ClassifierSpec,
) -> Classified:
    """Returns features and logits of images in [0, 255]."""
    return spec.network.apply(variables, to_unit(images), train=False)


def write_classifier(path: Path, classifier: FittedClassifier) -> None:
    """Writes a classifier as an `.npz` file of plain arrays, whole or not at all."""
    spec = json.dumps(dataclasses.asdict(classifier.spec)).encode()
    flat = traverse_util.flatten_dict(classifier.variables, sep="/")
    with atomic_file(path) as file:
        np.savez(file, spec=np.frombuffer(spec, np.uint8), **flat)


def read_classifier(path: Path) -> FittedClassifier:
    """Returns a classifier that was written.

    Raises:
      UserError: there is no such file, or it is no classifier of this project.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        values = json.loads(arrays.pop("spec").tobytes())
        values["image_shape"] = tuple(values["image_shape"])
        values["class_names"] = tuple(values["class_names"])
        spec = ClassifierSpec(**values)
        fit = jax.eval_shape(lambda: new_fit(jax.random.key(0), spec))
        expected = {"params": fit.params, "batch_stats": fit.batch_stats}
        expected = traverse_util.flatten_dict(expected, sep="/")
        shapes = {name: (leaf.shape, leaf.dtype) for name, leaf in expected.items()}
        if {name: (leaf.shape, leaf.dtype) for name, leaf in arrays.items()} != shapes:
            raise ValueError("its arrays are not those of its spec")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the file of a fitted classifier") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is no classifier of this project ({in_short(error)}): "
            "remove it to have it fitted anew"
        ) from None
    return FittedClassifier(spec, traverse_util.unflatten_dict(arrays, sep="/"))


def classifier_sha256(classifier: FittedClassifier) -> str:
    """Returns a hash of all that decides what a classifier computes."""
    digest = hashlib.sha256(repr(classifier.spec).encode())
    flat = traverse_util.flatten_dict(classifier.variables, sep="/")
    for name in sorted(flat):
        digest.update(name.encode() + np.ascontiguousarray(flat[name]).tobytes())
    return digest.hexdigest()
