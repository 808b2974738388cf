"""Fitting a classifier, and reading back one that was fitted.

Adam with decoupled weight decay (Loshchilov and Hutter 2019) and a cosine from the
learning rate to 0, for a number of steps that is given and not chosen by results. A
fitted classifier is one `.npz` file of plain arrays.
"""

import dataclasses
import functools
import hashlib
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util
from jax import lax
from jaxtyping import Array, Float, Int, PyTree, UInt8

from gaug_jax.images import to_unit
from gaug_jax.models.classifier import Classified, Classifier
from gaug_jax.models.convolution import default_implementation
from gaug_jax.progress import Progress
from gaug_jax.settings import UserError
from gaug_jax.workfolder import atomic_file

_STEPS_AT_ONCE = 20


@dataclasses.dataclass(frozen=True)
class ClassifierSpec:
    """What a fit is compiled for.

    Attributes:
      image_shape: height, width and channels.
      class_names: of the logits, in their order.
      width: of the network.
      steps: optimiser steps.
      batch_size: images of a step.
      learning_rate: at the start of the cosine.
      weight_decay: of the kernels.
      shift: pixels by which training images are moved at random, each axis.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    width: int = 32
    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    shift: int = 3

    @property
    def network(self) -> Classifier:
        """The network, for this platform."""
        return Classifier(
            len(self.class_names), self.width, implementation=default_implementation()
        )

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """The optimiser."""
        schedule = optax.cosine_decay_schedule(self.learning_rate, self.steps)
        decayed = lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params)  # noqa: E731
        return optax.adamw(schedule, weight_decay=self.weight_decay, mask=decayed)


class FittedClassifier(NamedTuple):
    """A classifier as it was fitted.

    Attributes:
      spec: what it was fitted with.
      variables: parameters and batch statistics.
    """

    spec: ClassifierSpec
    variables: PyTree


class _Fit(NamedTuple):
    """A fit under way."""

    step: Int[Array, ""]
    params: PyTree
    batch_stats: PyTree
    opt_state: optax.OptState


def _new_fit(key: Array, spec: ClassifierSpec) -> _Fit:
    """Returns a fit at step 0."""
    image = jnp.zeros((1, *spec.image_shape))
    variables = spec.network.init(key, image, train=False)
    params = variables["params"]
    opt_state = spec.optimizer.init(params)
    return _Fit(jnp.zeros((), jnp.int32), params, variables["batch_stats"], opt_state)


def _shifted(key: Array, image: Array, most: int) -> Array:
    """Returns an image moved by up to `most` pixels, its edge repeated."""
    if not most:
        return image
    padded = jnp.pad(image, ((most, most), (most, most), (0, 0)), mode="edge")
    top, left = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return lax.dynamic_slice(padded, (top, left, 0), image.shape)


def _fit_step(
    fit: _Fit,
    images: UInt8[Array, "images height width channels"],
    labels: Int[Array, " images"],
    key: Array,
    spec: ClassifierSpec,
) -> tuple[_Fit, Float[Array, ""]]:
    """Returns the fit after one step on a random batch, and its loss."""
    batch_key, shift_key = jax.random.split(jax.random.fold_in(key, fit.step))
    chosen = jax.random.randint(batch_key, (spec.batch_size,), 0, len(labels))
    shift_keys = jax.random.split(shift_key, spec.batch_size)
    moved = functools.partial(_shifted, most=spec.shift)
    batch = to_unit(jax.vmap(moved)(shift_keys, images[chosen]))

    def loss_of(params: PyTree) -> tuple[Array, PyTree]:
        variables = {"params": params, "batch_stats": fit.batch_stats}
        classified, updates = spec.network.apply(
            variables, batch, train=True, mutable=["batch_stats"]
        )
        loss = optax.softmax_cross_entropy_with_integer_labels(classified.logits, labels[chosen])
        return jnp.mean(loss), updates["batch_stats"]

    (loss, batch_stats), gradients = jax.value_and_grad(loss_of, has_aux=True)(fit.params)
    updates, opt_state = spec.optimizer.update(gradients, fit.opt_state, fit.params)
    params = optax.apply_updates(fit.params, updates)
    return _Fit(fit.step + 1, params, batch_stats, opt_state), loss


@functools.partial(jax.jit, static_argnames="spec", donate_argnums=0)
def _fit_steps(
    fit: _Fit,
    images: Array,
    labels: Array,
    key: Array,
    count: Int[Array, ""],
    *,
    spec: ClassifierSpec,
) -> tuple[_Fit, Float[Array, ""]]:
    """Returns the fit after `count` steps, and the last loss."""
    return lax.fori_loop(
        0,
        count,
        lambda _, carry: _fit_step(carry[0], images, labels, key, spec),
        (fit, jnp.zeros(())),
    )


def fit_classifier(
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
    spec: ClassifierSpec,
    seed: int,
) -> FittedClassifier:
    """Fits a classifier; the same seed gives the same one.

    Args:
      images: the training images.
      labels: class of each.
      spec: of the fit.
      seed: of the initial parameters, the batches and the shifts.

    Raises:
      ValueError: fewer than two classes, or images of another shape than the spec's.
    """
    if len(spec.class_names) < 2:
        raise ValueError("a classifier needs two classes or more")
    if images.shape[1:] != spec.image_shape:
        raise ValueError(f"images of {images.shape[1:]}, and the spec says {spec.image_shape}")
    init_key, steps_key = jax.random.split(jax.random.key(seed))
    fit = jax.jit(_new_fit, static_argnames="spec")(init_key, spec=spec)
    images, labels = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    progress = Progress("fitting the classifier", spec.steps)
    for done in range(0, spec.steps, _STEPS_AT_ONCE):
        count = min(_STEPS_AT_ONCE, spec.steps - done)
        fit, loss = _fit_steps(fit, images, labels, steps_key, count, spec=spec)
        progress.advance(count, loss=float(loss))
    progress.close()
    variables = {"params": fit.params, "batch_stats": fit.batch_stats}
    return FittedClassifier(spec, jax.device_get(variables))


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
        fit = jax.eval_shape(lambda: _new_fit(jax.random.key(0), spec))
        expected = {"params": fit.params, "batch_stats": fit.batch_stats}
        expected = traverse_util.flatten_dict(expected, sep="/")
        shapes = {name: (leaf.shape, leaf.dtype) for name, leaf in expected.items()}
        if {name: (leaf.shape, leaf.dtype) for name, leaf in arrays.items()} != shapes:
            raise ValueError("its arrays are not those of its spec")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the file of a fitted classifier") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is no classifier of this project ({' '.join(str(error).split())[:200]}): "
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
