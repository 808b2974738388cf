"""Extractors: what turns images into the features that are compared.

- `inception`: the network of 2015-12-05, what the literature reports.
- `pretrained`: EfficientNet-Lite0 trained on ImageNet, whose weights are installed with this
  project: nothing is downloaded. Images are taken as they are; smaller ones than 32x32 are
  brought up to 32 (bilinearly, a side that is large enough stays), and grey is repeated.
- `classifier:PATH`: a classifier of this project, fitted to the real training part: the
  figure of the domain, for images that are far from photographs.
- `pixels`: the pixels themselves.
- `package.module.function`: a function of the user's, from uint8 images
  [batch, height, width, channels] to an array [batch, features].
"""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float, UInt8

from gaug_jax import processes
from gaug_jax.classifiers.fitted import (
    FittedClassifier,
    classifier_sha256,
    classify,
    read_classifier,
)
from gaug_jax.errors import UserError
from gaug_jax.evaluation import resize
from gaug_jax.evaluation.image_sets import ImageSet
from gaug_jax.models.efficientnet import LEAST_SIZE, network_input
from gaug_jax.models.inception import Inception
from gaug_jax.models.plain_convolution import default_implementation
from gaug_jax.progress import Progress
from gaug_jax.settings.checks import one_of
from gaug_jax.weights.efficientnet import frozen_efficientnet
from gaug_jax.weights.inception import inception_parameters
from gaug_jax.weights.weight_files import INCEPTION, is_on_this_machine, read_weights

Batch = UInt8[np.ndarray, "batch height width channels"]

# On a CPU more than 8 images of 299x299 at once leave its caches.
_INCEPTION_BATCH = {"cpu": 8}
# At 64x64: what 32 images leave between the layers fits the CPU's last cache.
_PRETRAINED_BATCH = {"cpu": 32}
_BATCH = 64
_NAMES = ("inception", "pretrained", "pixels", "classifier")


class Extracted(NamedTuple):
    """Features of images.

    Attributes:
      features: what distributions are compared by.
      logits: of classes, for the Inception score; None where there are none.
    """

    features: Float[np.ndarray, "images features"]
    logits: Float[np.ndarray, "images classes"] | None


@dataclasses.dataclass(frozen=True)
class Extractor:
    """How features are made.

    Attributes:
      name: as it is asked for.
      function: from a batch to features and logits.
      batch_size: images that the function takes at once.
      resize: mode of the resizing, or None where there is none.
      weights_sha256: of the weight file or classifier, or None.
      official: False where unofficial weights were allowed and used.
      cacheable: whether the same name, resizing and weights always give the same features.
      image_shape: the only one that it takes, or None.
    """

    name: str
    function: Callable[[Batch], tuple[Array, Array | None]]
    batch_size: int = _BATCH
    resize: str | None = None
    weights_sha256: str | None = None
    official: bool = True
    cacheable: bool = True
    image_shape: tuple[int, int, int] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the features, for the cache's key."""
        return {
            "features": self.name.split(":")[0],
            "resize": self.resize,
            "weights_sha256": self.weights_sha256,
        }


def check_features(name: str, field: str) -> None:
    """Raises `UserError` unless a name can be an extractor's.

    Args:
      name: as in this module's docstring.
      field: how the message calls it.
    """
    if name in _NAMES or name.startswith("classifier:"):
        return
    if not all(part.isidentifier() for part in name.split(".")) or "." not in name:
        raise UserError(
            f"{field}={name!r} is not an extractor: give inception, pretrained, classifier:PATH, "
            "pixels or package.module.function"
        )


def resolved_features(name: str, inception_weights: str | None = None) -> str:
    """Returns the name of an extractor where none was chosen.

    Args:
      name: as in this module's docstring; "" for `inception` where its weight file is on this
        machine already, else `pretrained`.
      inception_weights: path of that file, as the user gave it.

    Raises:
      UserError: the path that the user gave is wrong.
    """
    if name:
        return name
    return "inception" if is_on_this_machine(INCEPTION, inception_weights) else "pretrained"


def make_extractor(
    name: str,
    *,
    resize_mode: str,
    inception_weights: str | None = None,
    allow_unofficial_weights: bool = False,
) -> Extractor:
    """Returns an extractor.

    Args:
      name: as in this module's docstring.
      resize_mode: of `inception`: `tf1`, `torch` or `clean`.
      inception_weights: path of the weight file; None looks for it.
      allow_unofficial_weights: take another Inception file of the right names and shapes.

    Raises:
      UserError: there is no such extractor, or its weights are not there or not right.
    """
    check_features(name, "--features")
    one_of("evaluate.resize", resize_mode, resize.MODES)
    if name == "inception":
        return _inception(resize_mode, inception_weights, allow_unofficial_weights)
    if name == "pretrained":
        return _pretrained()
    if name == "pixels":
        return Extractor(name, lambda images: (images.reshape(len(images), -1) / 127.5 - 1, None))
    if name == "classifier":
        raise UserError("--features=classifier needs its file: give classifier:PATH")
    if name.startswith("classifier:"):
        return classifier_extractor(read_classifier(Path(name.removeprefix("classifier:"))), name)
    return _users(name)


def _inception(mode: str, path: str | None, allow_unofficial: bool) -> Extractor:
    """Returns the extractor of FID's network."""
    weights = read_weights(INCEPTION, path, allow_unofficial=allow_unofficial)
    params = inception_parameters(weights.tensors, path or INCEPTION.names[0])
    network = Inception(default_implementation())

    def function(params: Any, images: Batch) -> tuple[Array, Array]:
        outputs = network.apply(params, resize.to_inception_input(images, mode))
        return outputs.pool3, outputs.unbiased_logits

    return Extractor(
        "inception",
        _on_all_devices(function, params),
        _whole_batch(_INCEPTION_BATCH.get(jax.default_backend(), _BATCH)),
        resize=mode,
        weights_sha256=weights.sha256,
        official=weights.official,
    )


def _pretrained() -> Extractor:
    """Returns the extractor of EfficientNet-Lite0's pooled features."""
    frozen = frozen_efficientnet()

    def function(params: Any, images: Batch) -> tuple[Array, None]:
        x = network_input(images)
        rows, columns = (max(size, LEAST_SIZE) for size in images.shape[1:3])
        if (rows, columns) != images.shape[1:3]:
            x = jax.image.resize(x, (len(x), rows, columns, 3), "bilinear")
        return frozen.network.apply({"params": params}, x, train=False).features, None

    return Extractor(
        "pretrained",
        _on_all_devices(function, frozen.params),
        _whole_batch(_PRETRAINED_BATCH.get(jax.default_backend(), _BATCH)),
        weights_sha256=frozen.sha256,
    )


def classifier_extractor(classifier: FittedClassifier, name: str = "classifier") -> Extractor:
    """Returns the extractor of a classifier's last features."""

    def function(variables: Any, images: Batch) -> tuple[Array, Array]:
        classified = classify(variables, images, spec=classifier.spec)
        return classified.features, classified.logits

    return Extractor(
        name,
        _on_all_devices(function, classifier.variables),
        _whole_batch(_BATCH),
        weights_sha256=classifier_sha256(classifier),
        image_shape=classifier.spec.image_shape,
    )


def _users(name: str) -> Extractor:
    """Returns the extractor of a user's function; its code may change, so nothing is cached."""
    module, function_name = name.rsplit(".", 1)
    try:
        function = getattr(importlib.import_module(module), function_name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"--features={name} cannot be imported: {error}") from None
    return Extractor(name, lambda images: (function(images), None), cacheable=False)


def _whole_batch(wanted: int) -> int:
    """Returns the size of a batch that all devices can share."""
    devices = jax.local_device_count()
    return -(-wanted // devices) * devices


def _on_all_devices(function: Callable, params: Any) -> Callable:
    """Returns the compiled function with each device taking its share of the batch."""
    mesh = jax.sharding.Mesh(np.array(jax.local_devices()), ("devices",))
    everywhere = NamedSharding(mesh, PartitionSpec())
    shared_out = NamedSharding(mesh, PartitionSpec("devices"))
    params = jax.device_put(params, everywhere)
    compiled = jax.jit(function, in_shardings=(everywhere, shared_out), out_shardings=shared_out)
    return lambda images: compiled(params, jax.device_put(images, shared_out))


def extract(extractor: Extractor, images: ImageSet, *, quiet: bool = False) -> Extracted:
    """Returns features and logits of every image, in order; the last batch is filled up.

    Args:
      extractor: what makes them.
      images: the set.
      quiet: show no progress.

    Raises:
      UserError: the images are not of the shape that the extractor takes, a picture
        cannot be read, or a user's function returns something else.
    """
    if extractor.image_shape not in (None, images.shape):
        raise UserError(
            f"{images.name} has images of {images.shape}, and {extractor.name} takes "
            f"{extractor.image_shape}: choose another --features"
        )
    progress = None if quiet else Progress(f"features of {images.name}", len(images), unit="image")
    rows: list[tuple[np.ndarray, np.ndarray | None]] = []
    for first in range(0, len(images), extractor.batch_size):
        indices = range(first, min(first + extractor.batch_size, len(images)))
        batch = images.read(indices)
        missing = extractor.batch_size - len(batch)
        outputs = extractor.function(np.concatenate([batch, np.repeat(batch[-1:], missing, 0)]))
        rows.append(tuple(_first_rows(output, len(batch), extractor) for output in outputs))
        if progress:
            progress.advance(len(batch))
    if progress:
        progress.close()
    features, logits = zip(*rows, strict=True)
    return Extracted(
        np.concatenate(features), None if logits[0] is None else np.concatenate(logits)
    )


def extract_together(extractor: Extractor, images: ImageSet) -> Extracted:
    """Returns what `extract` returns; every process, all of which must call it, makes a share.

    Raises:
      UserError: as of `extract`.
    """
    if jax.process_count() == 1:
        return extract(extractor, images)
    own = processes.share_of(len(images))
    share = dataclasses.replace(
        images, size=len(own), read=lambda indices: images.read(own[list(indices)].tolist())
    )
    made = extract(extractor, share, quiet=not processes.is_writer())
    every = [rows if rows is None else processes.gathered(rows)[: len(images)] for rows in made]
    return Extracted(*every)


def _first_rows(
    output: Array | None, count: int, extractor: Extractor
) -> Float[np.ndarray, "count columns"] | None:
    """Returns the rows of real images, in float32.

    Raises:
      UserError: the output is no matrix with a row for each image.
    """
    if output is None:
        return None
    output = np.asarray(output, np.float32)
    if output.ndim != 2 or len(output) != extractor.batch_size:
        raise UserError(
            f"--features={extractor.name} returned the shape {output.shape}: "
            f"[{extractor.batch_size}, features] is needed"
        )
    return output[:count]
