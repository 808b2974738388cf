"""EC-GAN: the loss of the classifier, what it leaves alone, and how it comes out of a run."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import largest_difference, make_run, small_images, small_spec

from gaug_jax.classifiers.fitted import classify, read_classifier, write_classifier
from gaug_jax.gan.batch import Batch
from gaug_jax.gan.joint_classifier import updated_classifier
from gaug_jax.gan.state import new_state
from gaug_jax.gan.step import train_step
from gaug_jax.images import to_unit
from gaug_jax.stages.train import fitted_classifier
from gaug_jax.training.checkpoints import Checkpoints

_JOINT = {
    "objective__classifier_weight": 0.1, "model__classifier_width": 4,
    "train__classifier_learning_rate": 0.01,
}  # fmt: skip


def batch_of(count=8):
    images, labels = small_images()
    return Batch(jnp.asarray(images[None, :count]), jnp.asarray(labels[None, :count]))


def logits_of(spec, classifier, images):
    """Returns the logits that training sees, in float64."""
    variables = {"params": classifier.params, "batch_stats": classifier.batch_stats}
    classified, _ = spec.classifier.apply(variables, images, train=True, mutable=["batch_stats"])
    return np.asarray(classified.logits, np.float64)


def cross_entropies(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logarithms[np.arange(len(labels)), labels], np.exp(logarithms)


def test_the_loss_is_the_papers():
    spec = small_spec(axis_name=None, **_JOINT)
    images, labels = small_images()
    real, generated = to_unit(jnp.asarray(images[:8])), to_unit(jnp.asarray(images[8:16]))
    classifier = new_state(jax.random.key(0), spec).classifier
    kernel = 8.0 * jax.random.normal(jax.random.key(1), (4, 3))
    params = {**classifier.params, "Dense_0": {"kernel": kernel, "bias": jnp.zeros(3)}}
    classifier = classifier._replace(params=params)
    _, found = updated_classifier(classifier, real, labels[:8], generated, spec)
    of_real, _ = cross_entropies(logits_of(spec, classifier, real), labels[:8])
    logits = logits_of(spec, classifier, generated)
    own, probabilities = cross_entropies(logits, logits.argmax(axis=1))
    sure = probabilities.max(axis=1) > 0.7
    assert 0 < sure.sum() < 8
    expected = of_real.mean() + 0.1 * (own * sure).sum() / 8
    assert float(found["classifier_loss"]) == pytest.approx(expected, rel=1e-5)


def test_the_networks_train_as_without_a_classifier():
    key = jax.random.key(3)
    step = jax.jit(train_step, static_argnames="spec")
    after = {}
    for weight in (0.0, 0.1):
        spec = small_spec(axis_name=None, **_JOINT | {"objective__classifier_weight": weight})
        state = new_state(jax.random.key(0), spec)
        assert (state.classifier is None) == (weight == 0.0)
        after[weight], metrics = step(state, batch_of(), key, spec=spec)
        assert ("classifier_loss" in metrics) == (weight > 0.0)
    for network in ("generator", "discriminator", "ema"):
        pair = [getattr(after[weight], network) for weight in (0.0, 0.1)]
        assert largest_difference(*pair) <= 1e-6


def test_it_learns_the_real_images_and_is_read_as_every_other(tmp_path):
    spec = small_spec(axis_name=None, **_JOINT)
    state = new_state(jax.random.key(0), spec)
    step = jax.jit(train_step, static_argnames="spec")
    losses = []
    for _ in range(300):
        state, metrics = step(state, batch_of(), jax.random.key(1), spec=spec)
        losses.append(float(metrics["classifier_loss"]))
    assert losses[0] > 1.0 and losses[-1] < 0.3
    fitted = fitted_classifier(state.classifier, 300, ("a", "b", "c"), spec)
    write_classifier(tmp_path / "joint.npz", fitted)
    again = read_classifier(tmp_path / "joint.npz")
    assert again.spec == fitted.spec and again.spec.steps == 300
    assert largest_difference(again.variables, fitted.variables) == 0.0
    images, labels = small_images()
    logits = classify(again.variables, jnp.asarray(images), spec=again.spec).logits
    assert np.mean(np.argmax(logits, axis=1) == labels) > 0.9


def test_a_run_that_was_cut_ends_as_one_that_was_not(tmp_path):
    whole = make_run(tmp_path / "whole", **_JOINT).train()
    make_run(tmp_path / "cut", 5, **_JOINT).train()
    resumed = make_run(tmp_path / "cut", **_JOINT).train()
    assert largest_difference(whole, resumed) == 0.0


def test_a_checkpoint_from_before_there_were_classifiers_is_read(tmp_path):
    state = jax.device_get(new_state(jax.random.key(0), small_spec()))
    older = {field: value for field, value in state._asdict().items() if field != "classifier"}
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, older, {})
    checkpoints.wait()
    restored, _ = checkpoints.read(1, jax.eval_shape(lambda: state))
    assert restored.classifier is None and largest_difference(restored, state) == 0.0


def test_the_spec_is_hashable_and_has_the_classes_of_the_data():
    spec = small_spec(**_JOINT)
    assert hash(spec) == hash(dataclasses.replace(spec))
    assert (spec.classifier.num_classes, spec.classifier.width) == (3, 4)
    assert spec.classifier.axis_name == "devices"
