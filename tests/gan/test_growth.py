"""Progressive growing in the step: which parameters move when, and what is drawn on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import largest_difference, make_run, small_images, small_spec

from gaug_jax.gan.batch import Batch
from gaug_jax.gan.drawing import draw, score
from gaug_jax.gan.growth import at_its_progress
from gaug_jax.gan.state import new_state
from gaug_jax.gan.step import train_step_of_all
from gaug_jax.models import growing

_GROWING = {"train__growing_steps": 2, "data__image_size": 16}


def after_steps(spec, count):
    """Returns the states before and after each of so many steps."""
    images, labels = small_images(size=16)
    batch = Batch(jnp.asarray(images[None, :8]), jnp.asarray(labels[None, :8]))
    if spec.num_generators:
        batch = jax.tree.map(lambda leaf: jnp.stack([leaf] * spec.num_generators), batch)
    states = [new_state(jax.random.key(0), spec)]
    step = jax.jit(train_step_of_all, static_argnames="spec")
    for _ in range(count):
        states.append(step(states[-1], batch, jax.random.key(1), spec=spec)[0])
    return states


def moved(before, after):
    """Returns the names of the layers whose parameters changed."""
    return {
        name for name in before.params
        if largest_difference(before.params[name], after.params[name]) > 0
    }  # fmt: skip


def test_only_the_layers_of_the_stage_move():
    spec = small_spec(axis_name=None, objective__preset="spectral_norm", **_GROWING)
    states = after_steps(spec, 4)
    first = moved(states[0].generator, states[2].generator)
    assert first == {"FromLatent_0", "BatchNorm_0", "ToImage_0"}
    assert moved(states[0].discriminator, states[2].discriminator) == {"FromImage_1", "ToScore_0"}
    # At the very start of the second stage its own layers count nothing; then they do.
    assert "Upsample_1" not in moved(states[2].generator, states[3].generator)
    assert {"ToImage_0", "Upsample_0", "Upsample_1"} <= moved(states[3].generator,
                                                             states[4].generator)  # fmt: skip
    assert {"Downsample_0", "Downsample_1", "FromImage_1"} <= moved(
        states[3].discriminator, states[4].discriminator
    )


@pytest.mark.parametrize(
    "labels", ["conditional", pytest.param("per_class", marks=pytest.mark.slow)]
)
def test_samples_are_of_the_stage_that_the_checkpoint_is_at(labels):
    spec = small_spec(axis_name=None, model__labels=labels, **_GROWING)
    states = after_steps(spec, 5)
    latents = jax.random.normal(jax.random.key(3), (4, spec.model.latent_dim))
    coarse = np.asarray(draw(states[2].ema, latents, jnp.int32(1), spec=spec))
    np.testing.assert_array_equal(coarse, coarse[:, ::2, ::2].repeat(2, 1).repeat(2, 2))
    fine = np.asarray(draw(states[5].ema, latents, jnp.int32(1), spec=spec))
    assert (fine != fine[:, ::2, ::2].repeat(2, 1).repeat(2, 2)).any()
    scores = score(states[5].discriminator, fine, jnp.int32(1), spec=spec)
    assert scores.shape == (4,) and np.isfinite(scores).all()


def test_progress_is_the_step_in_stages():
    spec = small_spec(axis_name=None, **_GROWING)
    state = new_state(jax.random.key(0), spec)._replace(step=jnp.int32(3))
    for name in ("generator", "discriminator", "ema"):
        network = getattr(at_its_progress(state, spec), name)
        assert float(network.batch_stats[growing.PROGRESS]) == 1.5
    plain = small_spec(axis_name=None)
    state = new_state(jax.random.key(0), plain)
    assert at_its_progress(state, plain) is state


@pytest.mark.slow
def test_a_growing_run_that_was_cut_ends_as_one_that_was_not(tmp_path):
    whole = make_run(tmp_path / "whole", **_GROWING, train__checkpoint_every=3).train()
    make_run(tmp_path / "cut", 3, **_GROWING, train__checkpoint_every=3).train()
    resumed = make_run(tmp_path / "cut", **_GROWING, train__checkpoint_every=3).train()
    assert largest_difference(whole, resumed) == 0.0
