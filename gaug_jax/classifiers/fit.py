"""Fitting several classifiers to the same images in one program.

Adam with decoupled weight decay (Loshchilov and Hutter 2019) and a cosine from the
learning rate to 0, for a number of steps that is given and not chosen by results. The
fits differ in seed and learning rate.
"""

import concurrent.futures
import functools
import threading
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Int, PyTree, UInt8

from gaug_jax.augmentation import policy_of
from gaug_jax.classifiers.spec import ClassifierSpec
from gaug_jax.images import to_unit
from gaug_jax.models.pretrained_classifier import started
from gaug_jax.objectives.pseudo_label import pseudo_label_loss
from gaug_jax.progress import Progress
from gaug_jax.weights.efficientnet import pretrained_efficientnet

_STEPS_AT_ONCE = 20
_CLASSIFY_BATCH = 256


class TrainingImages(NamedTuple):
    """What fits are made on; arrays may be longer than what is drawn from.

    Attributes:
      images: [0, 255].
      labels: class of each.
      first: begin and end of the images that the first steps draw from.
      then: of those that the other steps draw from.
      switch: step at which `then` begins.
      unlabelled: of the images whose labels are not used; empty where there are none.
      class_weights: of each class in the loss.
    """

    images: UInt8[Array, "capacity height width channels"]
    labels: Int[Array, " capacity"]
    first: Int[Array, "2"]
    then: Int[Array, "2"]
    switch: Int[Array, ""]
    unlabelled: Int[Array, "2"]
    class_weights: Float[Array, " classes"]


def training_images(
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
    num_classes: int,
    *,
    first: tuple[int, int] | None = None,
    then: tuple[int, int] | None = None,
    switch: int = 0,
    unlabelled: tuple[int, int] = (0, 0),
    balanced: bool = False,
    at_least: int = 1,
) -> TrainingImages:
    """Returns images as a fit takes them, padded to a power of two so that few shapes compile.

    Args:
      images: all of them, those without labels too.
      labels: class of each; of unlabelled ones any.
      num_classes: of the labels.
      first: begin and end of what the first steps draw from; None for all.
      then: likewise for the other steps.
      switch: number of first steps.
      unlabelled: begin and end of the images whose labels are not used.
      balanced: weigh classes by the inverse of their number in `then`.
      at_least: pad as if there were so many images, so that fits of fewer and of more of them
        share a program.
    """
    everything = (0, len(images))
    then = then or everything
    capacity = 1 << (max(len(images), at_least) - 1).bit_length()
    padding = [(0, capacity - len(images))]
    weights = class_weights(labels[slice(*then)], num_classes, balanced)
    as_bounds = functools.partial(jnp.asarray, dtype=jnp.int32)
    return TrainingImages(
        jnp.asarray(np.pad(images, padding + [(0, 0)] * 3)),
        jnp.asarray(np.pad(labels, padding), jnp.int32),
        as_bounds(first or everything),
        as_bounds(then),
        as_bounds(switch),
        as_bounds(unlabelled),
        jnp.asarray(weights),
    )


def class_weights(
    labels: Int[np.ndarray, " images"], num_classes: int, balanced: bool
) -> Float[np.ndarray, " classes"]:
    """Returns the weight of each class in a loss; 1 of each, and on average of the images.

    Args:
      labels: class of each image.
      num_classes: of the labels.
      balanced: weigh classes by the inverse of their number; those without an image by 1.
    """
    weights = np.ones(num_classes, np.float32)
    if balanced:
        counts = np.bincount(labels, minlength=num_classes)
        present = counts > 0
        weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


class _Fit(NamedTuple):
    """A fit under way."""

    step: Int[Array, ""]
    params: PyTree
    batch_stats: PyTree
    opt_state: optax.OptState


def new_fit(key: Array, spec: ClassifierSpec, published: PyTree | None = None) -> _Fit:
    """Returns a fit at step 0.

    Args:
      key: of the parameters that are drawn.
      spec: of the fit.
      published: what `pretrained` begins with; None draws all of its parameters.
    """
    variables = spec.network.init(key, jnp.zeros((1, *spec.image_shape)), train=False)
    if published is not None:
        variables = started(variables, published)
    params = variables["params"]
    opt_state = spec.optimizer.init(params)
    return _Fit(jnp.zeros((), jnp.int32), params, variables["batch_stats"], opt_state)


@functools.partial(jax.jit, static_argnames="spec")
def _new_fits(keys: Array, published: PyTree | None, *, spec: ClassifierSpec) -> _Fit:
    """Returns a fit at step 0 for each key."""
    return jax.vmap(lambda key: new_fit(key, spec, published))(keys)


def _draw(
    key: Array, data: TrainingImages, bounds: Int[Array, "2"], spec: ClassifierSpec
) -> tuple[Float[Array, "batch height width channels"], Float[Array, "batch classes"]]:
    """Returns a random batch between bounds: images in [-1, 1], labels one-hot."""
    chosen = jax.random.randint(key, (spec.batch_size,), bounds[0], jnp.maximum(bounds[1], 1))
    labels = jax.nn.one_hot(data.labels[chosen], len(spec.class_names))
    return to_unit(data.images[chosen]), labels


def _loss(
    params: PyTree, fit: _Fit, data: TrainingImages, key: Array, spec: ClassifierSpec
) -> tuple[Float[Array, ""], PyTree]:
    """Returns the loss of a step, and the new batch statistics."""
    batch_key, augment_key, unlabelled_key = jax.random.split(key, 3)
    bounds = jnp.where(fit.step < data.switch, data.first, data.then)
    images, labels = _draw(batch_key, data, bounds, spec)
    images, labels = _augmented(augment_key, images, labels, spec)
    variables = {"params": params, "batch_stats": fit.batch_stats}
    apply = functools.partial(spec.network.apply, variables, train=True, mutable=["batch_stats"])
    classified, updates = apply(images)
    losses = optax.softmax_cross_entropy(classified.logits, labels)
    loss = jnp.mean(losses * (labels @ data.class_weights))
    if spec.pseudo_label_weight:
        unlabelled, _ = _draw(unlabelled_key, data, data.unlabelled, spec)
        loss += spec.pseudo_label_weight * pseudo_label_loss(apply(unlabelled)[0].logits)
    return loss, updates.get("batch_stats", fit.batch_stats)


def _augmented(key: Array, images: Array, labels: Array, spec: ClassifierSpec) -> tuple:
    """Returns the batch after the spec's policy."""
    return policy_of(spec.augmentation, spec.flip)(key, images, labels)


def _fit_step(
    fit: _Fit,
    key: Array,
    learning_rate: Float[Array, ""],
    data: TrainingImages,
    spec: ClassifierSpec,
) -> tuple[_Fit, Float[Array, ""]]:
    """Returns one fit after a step, and its loss."""
    compute = jax.value_and_grad(_loss, has_aux=True)
    (loss, batch_stats), gradients = compute(
        fit.params, fit, data, jax.random.fold_in(key, fit.step), spec
    )
    directions, opt_state = spec.optimizer.update(gradients, fit.opt_state, fit.params)
    rate = learning_rate * optax.cosine_decay_schedule(1.0, spec.steps)(fit.step)
    params = jax.tree.map(
        lambda leaf, way, scale: leaf - rate * scale * way,
        fit.params, directions, spec.rate_scales(fit.params),
    )  # fmt: skip
    return _Fit(fit.step + 1, params, batch_stats, opt_state), loss


@functools.partial(jax.jit, static_argnames="spec", donate_argnums=0)
def _fit_steps(
    fits: _Fit,
    keys: Array,
    learning_rates: Array,
    data: TrainingImages,
    count: Int[Array, ""],
    *,
    spec: ClassifierSpec,
) -> tuple[_Fit, Float[Array, " fits"]]:
    """Returns the fits after `count` steps, and their last losses."""
    step = jax.vmap(functools.partial(_fit_step, spec=spec), in_axes=(0, 0, 0, None))
    carry = (fits, jnp.zeros(len(keys)))
    return lax.fori_loop(
        0, count, lambda _, carry: step(carry[0], keys, learning_rates, data), carry
    )


def fit_classifiers(
    data: TrainingImages,
    spec: ClassifierSpec,
    seeds: Int[np.ndarray, " fits"],
    learning_rates: Float[np.ndarray, " fits"],
    *,
    quiet: bool = False,
) -> PyTree:
    """Returns parameters and batch statistics of each fit, stacked; a seed gives the same again.

    On a CPU two halves of the fits are made at the same time, where their number is even: one
    program does not keep its cores busy. The number of halves does not depend on the machine, so
    that the result does not.

    Args:
      data: what all are fitted to.
      spec: of the fits.
      seeds: of the initial parameters, batches and augmentations of each.
      learning_rates: of each, at the start of the cosine.
      quiet: show no progress.
    """
    halves = 2 if jax.default_backend() == "cpu" and len(seeds) % 2 == 0 else 1
    progress = None if quiet else Progress(f"fitting {len(seeds)} classifiers", spec.steps)
    given_up = threading.Event()

    def fit(places: Int[np.ndarray, " some"], progress: Progress | None) -> PyTree:
        return _fitted(data, spec, seeds[places], learning_rates[places], progress, given_up)

    first, *others = np.split(np.arange(len(seeds)), halves)
    with concurrent.futures.ThreadPoolExecutor(halves) as threads:
        try:
            pending = [threads.submit(fit, places, None) for places in others]
            # On this thread, which hears of a wish to stop. All are as far as the first.
            found = [fit(first, progress), *(future.result() for future in pending)]
        finally:
            given_up.set()
            if progress:
                progress.close()
    return found[0] if not others else jax.tree.map(lambda *some: jnp.concatenate(some), *found)


def _fitted(
    data: TrainingImages,
    spec: ClassifierSpec,
    seeds: Int[np.ndarray, " fits"],
    learning_rates: Float[np.ndarray, " fits"],
    progress: Progress | None,
    given_up: threading.Event,
) -> PyTree:
    """Returns parameters and batch statistics of fits that one program makes, stacked.

    They are of no use where it was given up.
    """
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds))
    init_keys, step_keys = jax.vmap(jax.random.split, out_axes=1)(keys)
    published = None
    if spec.architecture == "pretrained":
        published = pretrained_efficientnet().variables
    fits = _new_fits(init_keys, published, spec=spec)
    rates = jnp.asarray(learning_rates, jnp.float32)
    for done in range(0, spec.steps, _STEPS_AT_ONCE):
        if given_up.is_set():
            break
        count = min(_STEPS_AT_ONCE, spec.steps - done)
        fits, losses = _fit_steps(fits, step_keys, rates, data, count, spec=spec)
        loss = float(losses.mean())  # Waits, so that no dispatches pile up.
        if progress:
            progress.advance(count, loss=loss)
    return {"params": fits.params, "batch_stats": fits.batch_stats}


@functools.partial(jax.jit, static_argnames="spec")
def _probabilities(variables: PyTree, images: Array, *, spec: ClassifierSpec) -> Array:
    """Returns the probabilities of each fit."""
    apply = lambda each: spec.network.apply(each, to_unit(images), train=False)  # noqa: E731
    return jax.nn.softmax(jax.vmap(apply)(variables).logits)


def class_probabilities(
    variables: PyTree,
    images: UInt8[np.ndarray, "images height width channels"],
    spec: ClassifierSpec,
) -> Float[np.ndarray, "fits images classes"]:
    """Returns what each fit says of images, in batches.

    Args:
      variables: of `fit_classifiers`.
      images: [0, 255].
      spec: of the fits.
    """
    rows = []
    for first in range(0, len(images), _CLASSIFY_BATCH):
        batch = images[first : first + _CLASSIFY_BATCH]
        filled = np.concatenate([batch, np.repeat(batch[-1:], _CLASSIFY_BATCH - len(batch), 0)])
        rows.append(np.asarray(_probabilities(variables, filled, spec=spec))[:, : len(batch)])
    return np.concatenate(rows, axis=1)
