"""The path length penalty against the whole Jacobian, and its turn and mean against formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import small_spec

from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.path_length import path_length_penalty, path_lengths
from gaug_jax.gan.spec import make_spec
from gaug_jax.gan.state import new_state

KEYS = jax.random.split(jax.random.key(5), 4)
LABELS = jnp.array([0, 1, 2, 1])
lengths_of = jax.jit(path_lengths, static_argnames="spec")
made_by = jax.jit(path_length_penalty, static_argnames="spec")


def style_spec(weight=2.0):
    return small_spec(
        axis_name=None,
        model__family="style",
        model__labels="conditional",
        model__discriminator="style",
        objective__preset="style",
        objective__path_length=weight,
    )


def new_params(spec):
    return jax.jit(new_state, static_argnames="spec")(jax.random.key(0), spec=spec).generator.params


def test_lengths_are_those_of_the_whole_jacobian():
    spec = style_spec()
    params = new_params(spec)
    found = lengths_of(params, KEYS, LABELS, spec=spec)
    latents = draw_latents(KEYS, spec)
    nowhere = jnp.zeros((4, spec.generator.num_styles, latents.shape[1]))

    def images_of(moved):
        return spec.generator.apply({"params": params}, latents, LABELS, train=True, moved=moved)

    jacobian = np.asarray(jax.jit(jax.jacrev(images_of))(nowhere), np.float64)
    for number in range(4):
        key = jax.random.fold_in(KEYS[number], 1)
        direction = np.asarray(jax.random.normal(key, spec.image_shape)) / spec.image_shape[0]
        own = jacobian[number, :, :, :, number]
        gradient = np.einsum("hwc,hwcls->ls", direction, own)
        expected = np.sqrt(np.mean(np.sum(gradient**2, axis=1)))
        assert float(found[number]) == pytest.approx(expected, rel=1e-4)


def test_it_is_made_every_fourth_step_at_four_times_its_weight():
    spec = style_spec(weight=0.5)
    params = new_params(spec)
    made, left_out = (
        made_by(params, jnp.float32(0.2), KEYS, LABELS, step, spec=spec) for step in (8, 9)
    )
    lengths = lengths_of(params, KEYS, LABELS, spec=spec)
    mean = 0.2 + 0.01 * (float(lengths.mean()) - 0.2)
    assert float(made.mean) == pytest.approx(mean, rel=1e-5)
    assert float(made.penalty) == pytest.approx(float(jnp.mean((lengths - mean) ** 2)), rel=1e-4)
    gradient = jax.grad(
        lambda params: jnp.mean((lengths_of(params, KEYS, LABELS, spec=spec) - mean) ** 2)
    )
    expected = jax.jit(gradient)(params)
    for one, two in zip(jax.tree.leaves(made.gradients), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, 4 * 0.5 * two, rtol=1e-3, atol=1e-6)
    assert float(left_out.mean) == pytest.approx(0.2) and float(left_out.penalty) == 0
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(left_out.gradients))


def test_it_evens_out_how_images_move_with_their_styles():
    spec = style_spec()
    params = new_params(spec)
    mean = lengths_of(params, KEYS, LABELS, spec=spec).mean()

    @jax.jit
    def stepped(params):
        path = path_length_penalty(params, mean, KEYS, LABELS, jnp.int32(0), spec)
        moved = jax.tree.map(lambda leaf, slope: leaf - 0.05 * slope, params, path.gradients)
        return moved, path.penalty

    first = None
    for _ in range(20):
        params, penalty = stepped(params)
        first = penalty if first is None else first
    assert float(penalty) < 0.5 * float(first)


def test_styles_are_needed_for_it():
    from support.settings_for_tests import small_settings

    from gaug_jax.errors import UserError

    with pytest.raises(UserError, match="config.objective.path_length=2.0 is of styles"):
        make_spec(small_settings(objective__path_length=2.0), 3)
