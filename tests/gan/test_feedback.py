"""What a run remembers of scores, and how it steers by it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import (
    host_copy,
    largest_difference,
    make_run,
    small_images,
    small_spec,
    states_after,
)

from gaug_jax.gan.batch import Batch
from gaug_jax.gan.feedback import Feedback, new_feedback, updated
from gaug_jax.gan.state import new_state
from gaug_jax.gan.step import train_step

ADAPTIVE = {
    "augment__policy": "brightness,translation",
    "augment__adaptive": True,
    "augment__adaptation_images": 160.0,
    "objective__preset": "spectral_norm",
}


def test_nothing_is_remembered_where_nothing_needs_it():
    assert new_feedback(small_spec()) == Feedback()
    assert jax.tree.leaves(new_state(jax.random.key(0), small_spec()).feedback) == []


def test_lecams_averages_are_plain_means_at_first_and_slow_later():
    spec = small_spec(axis_name=None, objective__lecam=0.1)
    feedback = new_feedback(spec)
    real, fake = np.random.default_rng(0).normal(size=(2, 60, 8)) + 1.0
    for update in range(60):
        feedback = updated(feedback, real[update], fake[update], jnp.int32(update), spec)
    np.testing.assert_allclose(feedback.mean_real, real.mean(), rtol=1e-5)
    np.testing.assert_allclose(feedback.mean_fake, fake.mean(), rtol=1e-5)
    later = updated(feedback, real[0], fake[0], jnp.int32(1000), spec)
    expected = 0.99 * feedback.mean_real + 0.01 * real[0].mean()
    np.testing.assert_allclose(later.mean_real, expected, rtol=1e-5)


def after_steps(spec, scores, steps=12):
    """The probability after updates with the same scores of real images."""
    feedback, found = new_feedback(spec), []
    for update in range(steps):
        feedback = updated(feedback, scores, -scores, jnp.int32(update), spec)
        found.append(float(feedback.probability))
    return found


def test_the_probability_rises_on_a_memorising_discriminator_and_falls_on_a_fresh_one():
    spec = small_spec(axis_name=None, **ADAPTIVE)
    sure, fresh = jnp.full(8, 3.0), jnp.array([1.0, -1.0] * 4)
    rising = after_steps(spec, sure)
    # Eight images a batch, 160 from 0 to 1: a twentieth a step.
    np.testing.assert_allclose(rising, 0.05 * np.arange(1, 13), atol=1e-6)
    assert after_steps(spec, fresh) == [0.0] * 12
    high = Feedback(sign=jnp.float32(0.0), probability=jnp.float32(0.5))
    assert float(updated(high, fresh, fresh, jnp.int32(7), spec).probability) < 0.5


@pytest.mark.parametrize("labels", ["none", pytest.param("per_class", marks=pytest.mark.slow)])
def test_a_discriminator_that_learns_few_images_by_heart_gets_them_augmented(labels):
    # The generator stands still, so that its images are soon told from thirty real ones.
    options = {**ADAPTIVE, "objective__spectral_norm": False, "train__learning_rate": 1e-30}
    probabilities = {}
    for rate in (1e-30, 1e-2):
        spec = small_spec(**options, model__labels=labels, train__discriminator_learning_rate=rate)
        result = states_after(spec, 1, 60, most_steps=60)
        probabilities[rate] = np.asarray(result.state.feedback.probability)
    assert probabilities[1e-2].shape == ((3,) if labels == "per_class" else ())
    assert probabilities[1e-2].min() > 0.5
    assert probabilities[1e-2].min() > probabilities[1e-30].mean() + 0.3


@pytest.mark.parametrize(
    "extra", [{}, pytest.param({"model__labels": "per_class"}, marks=pytest.mark.slow)]
)
def test_one_step_on_one_device_is_one_step_on_four(extra):
    spec = small_spec(**ADAPTIVE, **extra, objective__lecam=0.1, objective__r1=1.0)
    one, four = states_after(spec, 1, 3), states_after(spec, 4, 3)
    assert largest_difference(one.state.feedback, four.state.feedback) <= 2e-3
    assert largest_difference(one.sums, four.sums) <= 2e-2
    first = [states_after(spec, count, 1).state.feedback for count in (1, 4)]
    assert largest_difference(*first) <= 1e-6


def test_probability_0_is_no_augmentation_to_the_bit():
    plain = small_spec(objective__preset="spectral_norm_gp")
    never = small_spec(
        objective__preset="spectral_norm_gp", augment__policy="cutout", augment__probability=0.0
    )
    one, other = (states_after(spec, 1, 2).state for spec in (plain, never))
    assert largest_difference(one, other) == 0.0


@pytest.mark.slow
def test_a_resumed_run_goes_on_with_its_probability(tmp_path):
    options = {**ADAPTIVE, "objective__lecam": 0.1, "train__learning_rate": 5e-3}
    whole = host_copy(make_run(tmp_path / "whole", 12, **options).train())
    make_run(tmp_path / "halves", 5, **options).train()
    resumed = make_run(tmp_path / "halves", 12, **options)
    assert resumed.step == 5
    assert largest_difference(host_copy(resumed.train()), whole) == 0.0
    assert float(whole.feedback.probability) > 0.0


def moments_after(state, spec):
    """Adam's first moments of the discriminator after one step from a state."""
    images, labels = small_images()
    batch = Batch(jnp.asarray(images[None, :8]), jnp.asarray(labels[None, :8]))
    step = jax.jit(train_step, static_argnames="spec")
    after, metrics = step(state, batch, jax.random.key(0), spec=spec)
    return after.discriminator.opt_state[0].mu, metrics


def test_a_lazy_penalty_is_made_every_so_many_updates_at_so_many_times_its_weight():
    every = small_spec(axis_name=None, objective__preset="spectral_norm", objective__r1=4.0)
    lazy = small_spec(
        axis_name=None, objective__preset="spectral_norm", objective__r1=1.0, objective__r1_every=4
    )
    none = small_spec(axis_name=None, objective__preset="spectral_norm")
    state = new_state(jax.random.key(0), none)
    due, due_metrics = moments_after(state, lazy)
    always, always_metrics = moments_after(state, every)
    assert largest_difference(due, always) <= 1e-6
    np.testing.assert_allclose(due_metrics["r1"], 4 * always_metrics["r1"], rtol=1e-5)
    later = state._replace(step=jnp.int32(3))
    skipped, metrics = moments_after(later, lazy)
    assert metrics["r1"] == 0.0
    assert largest_difference(skipped, moments_after(later, none)[0]) <= 1e-7


def test_two_learning_rates():
    spec = small_spec(axis_name=None, train__learning_rate=1e-30)
    both = small_spec(
        axis_name=None, train__learning_rate=1e-30, train__discriminator_learning_rate=1e-3
    )
    images, labels = small_images()
    batch = Batch(jnp.asarray(images[None, :8]), jnp.asarray(labels[None, :8]))
    state = new_state(jax.random.key(0), spec)
    step = jax.jit(train_step, static_argnames="spec")
    for each, moved in ((spec, False), (both, True)):
        after, _ = step(state, batch, jax.random.key(0), spec=each)
        assert largest_difference(after.generator.params, state.generator.params) < 1e-20
        difference = largest_difference(after.discriminator.params, state.discriminator.params)
        assert (difference > 1e-4) == moved
