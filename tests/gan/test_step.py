"""The step: the same on one device and on four, whole or stacked, and what it may not change."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.settings_for_tests import (
    host_copy,
    largest_difference,
    small_feed,
    small_images,
    small_settings,
    small_spec,
    states_after,
)

from gaug_jax.gan.across_devices import example_keys
from gaug_jax.gan.batch import Batch
from gaug_jax.gan.latents import draw_latents
from gaug_jax.gan.state import new_state
from gaug_jax.gan.step import train_step, train_step_of_all
from gaug_jax.objectives.presets import PRESETS
from gaug_jax.training import parallel

_POLICY = "brightness,contrast,translation,cutout"
_STYLE = {"model__family": "style", "model__discriminator": "style"}
_DIFFUSION = {
    "model__family": "diffusion", "augment__policy": "affine", "augment__probability": 0.5
}  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "labels", "others"),
    [
        ("minimax", "none", {}),
        ("minimax", "conditional", {}),
        ("spectral_norm_gp", "conditional", {"augment__policy": _POLICY}),
        pytest.param("wgan_gp", "per_class", {}, marks=pytest.mark.slow),
        pytest.param(
            "spectral_norm", "per_class", {"augment__policy": "translation"}, marks=pytest.mark.slow
        ),
        ("spectral_norm", "conditional", {"model__upsampling": "nearest"}),
        pytest.param(
            "spectral_norm_gp",
            "conditional",
            {"train__growing_steps": 1, "data__image_size": 16},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "minimax",
            "per_class",
            {"train__growing_steps": 1, "data__image_size": 16},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "spectral_norm_gp", "conditional", {"model__attention": True}, marks=pytest.mark.slow
        ),
        pytest.param(
            "spectral_norm", "none", {"objective__classifier_weight": 0.1}, marks=pytest.mark.slow
        ),
        ("minimax", "conditional", {"objective__private": True}),
        pytest.param(
            "wgan_gp",
            "none",
            {"objective__private": True, "objective__noise_multiplier": 0.1},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "minimax",
            "none",
            {"model__residual": True, "data__image_size": 16},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "wgan_gp",
            "per_class",
            {
                "model__residual": True,
                "model__attention": True,
                "data__image_size": 16,
                "train__growing_steps": 1,
            },
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "style",
            "conditional",
            {**_STYLE, "objective__path_length": 2.0},
            marks=pytest.mark.slow,
        ),
        pytest.param("denoising", "conditional", _DIFFUSION, marks=pytest.mark.slow),
    ],
)
def test_one_step_on_one_device_is_one_step_on_four(preset, labels, others):
    spec = small_spec(objective__preset=preset, model__labels=labels, **others)
    one, four = states_after(spec, 1, 1), states_after(spec, 4, 1)
    # Adam's first step has the size of the learning rate whatever the gradient, so where a
    # gradient is nearly zero its sign alone decides: gradients are compared through the first
    # moments, which after one step are (1 - beta1) times the gradient.
    kinds = ("generator", "discriminator", "classifier")
    networks = [kind for kind in kinds if getattr(spec, kind) is not None]
    for network in networks:
        moments = [
            jax.tree.map(np.asarray, getattr(result.state, network).opt_state[0].mu)
            for result in (one, four)
        ]
        scale = max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(moments[0]))
        assert scale > 0
        assert largest_difference(*moments) <= 2e-5 * scale
    assert largest_difference(one.sums, four.sums) <= 2e-5
    stats = [
        [getattr(result.state, network).batch_stats for network in networks]
        for result in (one, four)
    ]
    assert largest_difference(*stats) <= 1e-6


def test_all_copies_of_the_state_agree():
    result = states_after(small_spec(model__labels="conditional"), 4, 3)
    for leaf in jax.tree.leaves(result.state):
        copies = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        assert len(copies) == 4
        for copy in copies[1:]:
            np.testing.assert_array_equal(copy, copies[0])


def test_streamed_and_resident_runs_are_bit_identical():
    spec = small_spec(model__labels="per_class")
    resident = states_after(spec, 4, 5).state
    streamed = states_after(spec, 4, 5, resident=False).state
    assert largest_difference(resident, streamed) == 0.0


def test_stacked_generators_are_the_single_ones():
    # Stacked generator k folds k into the base key and is a plain run apart from that.
    stacked = small_spec(axis_name=None, model__labels="per_class")
    single = small_spec(axis_name=None, model__labels="none")
    images, labels = small_images()
    batch = Batch(
        jnp.stack([images[labels == k][None, :8] for k in range(3)]),
        jnp.stack([jnp.full((1, 8), k) for k in range(3)]),
    )
    state, key = new_state(jax.random.key(0), stacked), jax.random.key(5)
    after, _ = jax.jit(train_step_of_all, static_argnames="spec")(state, batch, key, spec=stacked)
    for k in range(3):
        one = jax.tree.map(lambda leaf, k=k: leaf[k], (state, batch))
        expected, _ = jax.jit(train_step, static_argnames="spec")(
            *one, jax.random.fold_in(key, k), spec=single
        )
        found = jax.tree.map(lambda leaf, k=k: leaf[k], after)
        moments = [
            (s.generator.opt_state[0].mu, s.discriminator.opt_state[0].mu)
            for s in (expected, found)
        ]
        assert largest_difference(*moments) <= 1e-6
    # In chunks of two, with one left over, nothing changes but the order of sums.
    chunked = small_spec(axis_name=None, model__labels="per_class", train__classes_at_once=2)
    again, _ = jax.jit(train_step_of_all, static_argnames="spec")(state, batch, key, spec=chunked)
    moments = [s.generator.opt_state[0].mu for s in (after, again)]
    assert largest_difference(*moments) <= 1e-6


@pytest.mark.parametrize("preset", sorted(PRESETS.keys() - {"denoising"}))
@pytest.mark.parametrize("labels", ["none", "conditional", "per_class"])
def test_every_preset_and_label_mode_moves_both_networks(preset, labels):
    spec = small_spec(objective__preset=preset, model__labels=labels)
    before = new_state(jax.random.key(1), spec)
    result = states_after(spec, 2, 2)
    expected = {"d_loss", "g_loss", "d_real", "d_fake"}
    if spec.objective.gradient_penalty:
        expected.add("gradient_penalty")
    if spec.objective.r1:
        expected.add("r1")
    assert set(result.sums) == expected
    assert all(np.isfinite(value) for value in result.sums.values())
    for network in ("generator", "discriminator", "ema"):
        assert (
            largest_difference(
                getattr(before, network).params, getattr(result.state, network).params
            )
            > 0
        )


def test_examples_draw_the_same_numbers_on_any_number_of_devices():
    spec = small_spec()
    key = jax.random.key(3)

    def draw(count, devices):
        keys = jax.pmap(
            lambda _: draw_latents(example_keys(key, count, spec), spec), axis_name="devices"
        )(np.arange(devices))
        return np.asarray(keys).reshape(-1, spec.model.latent_dim)

    np.testing.assert_array_equal(draw(8, 1), draw(2, 4))


def test_a_half_life_of_zero_is_no_moving_average():
    result = states_after(small_spec(train__ema_half_life=0), 1, 2)
    assert largest_difference(result.state.ema.params, result.state.generator.params) == 0.0
    stats = (result.state.ema.batch_stats, result.state.generator.batch_stats)
    assert largest_difference(*stats) == 0.0


def test_the_moving_average_follows_its_formula():
    # After step s the half-life is min(half_life, ramp_up * images seen); with a batch of 8 and
    # ramp-up 0.05 the first is 0.4 images, so old values keep the share 0.5 ** (8 / 0.4).
    spec = small_spec(axis_name=None)
    images, labels = small_images()
    batch = Batch(jnp.asarray(images[None, :8]), jnp.asarray(labels[None, :8]))
    state = new_state(jax.random.key(0), spec)
    state = state._replace(step=jnp.int32(99))
    after, _ = jax.jit(train_step, static_argnames="spec")(
        state, batch, jax.random.key(0), spec=spec
    )
    kept = 0.5 ** (8 / min(10_000, 0.05 * 8 * 100))
    expected = jax.tree.map(
        lambda old, new: kept * np.float64(old) + (1 - kept) * np.float64(new),
        state.ema.params,
        after.generator.params,
    )
    assert largest_difference(expected, after.ema.params) <= 1e-7


def test_the_generator_update_leaves_the_discriminators_statistics():
    # Spectral norm's vectors move once for each critic update, not for the generator's: with
    # a learning rate of nearly nothing the kernels stay, and so must the sequence of vectors.
    spec = small_spec(
        axis_name=None,
        objective__preset="spectral_norm_gp",
        objective__critic_steps=3,
        train__learning_rate=1e-30,
    )
    images, labels = small_images()
    batch = Batch(jnp.asarray(np.stack([images[:8]] * 3)), jnp.asarray(np.stack([labels[:8]] * 3)))
    state = new_state(jax.random.key(0), spec)
    after, _ = jax.jit(train_step, static_argnames="spec")(
        state, batch, jax.random.key(0), spec=spec
    )
    variables = {"params": state.discriminator.params}
    stats = state.discriminator.batch_stats
    for _ in range(3):
        _, updates = spec.discriminator.apply(
            {**variables, "batch_stats": stats},
            jnp.zeros((1, 8, 8, 1)),
            train=True,
            mutable=["batch_stats"],
        )
        stats = updates["batch_stats"]
    assert largest_difference(stats, after.discriminator.batch_stats) <= 1e-5


def test_a_loss_beyond_the_limit_ends_the_dispatch():
    spec = small_spec()
    devices = jax.devices()[:1]
    feed = small_feed(spec, devices)
    run = parallel.make_run_steps(spec, feed, 1e-3, devices)
    state = parallel.replicate(new_state(jax.random.key(1), spec), devices)
    constant = parallel.replicate(feed.take_constant(), devices)
    result = run(state, constant, feed.load(0, 4), jax.random.key(2), 4, jnp.bool_(False))
    assert bool(result.diverged)
    assert int(result.done) == 1
    # The next dispatch may be on its way by then: it does nothing.
    after = run(result.state, constant, feed.load(1, 4), jax.random.key(2), 4, result.diverged)
    assert bool(after.diverged)
    assert int(after.done) == 0
    assert int(after.state.step) == 1


def test_a_number_that_is_not_finite_is_seen():
    spec = small_spec()
    devices = jax.devices()[:1]
    feed = small_feed(spec, devices)
    run = parallel.make_run_steps(spec, feed, 1e6, devices)
    constant = parallel.replicate(feed.take_constant(), devices)
    for leaf, value in (("params", np.nan), ("opt_state", np.inf), ("params", 0.0)):
        state = new_state(jax.random.key(1), spec)
        part, structure = jax.tree.flatten(getattr(state.generator, leaf))
        part[-1] = part[-1].at[(0,) * part[-1].ndim].set(value)
        generator = state.generator._replace(**{leaf: jax.tree.unflatten(structure, part)})
        state = parallel.replicate(state._replace(generator=generator), devices)
        result = run(state, constant, feed.load(0, 0), jax.random.key(2), 0, jnp.bool_(False))
        assert int(result.done) == 0
        assert bool(result.diverged) == (value != 0.0)


@pytest.mark.parametrize("num_devices", [1, 4])
def test_a_dispatch_moves_nothing_between_host_and_device(num_devices):
    # But for the number of steps, which is put there by name. What comes back cannot be seen
    # on a CPU: tests/test_gpu.py looks there.
    spec = small_spec()
    devices = jax.devices()[:num_devices]
    feed = small_feed(spec, devices)
    run = parallel.make_run_steps(spec, feed, 1e6, devices)
    put = lambda tree: parallel.replicate(tree, devices)  # noqa: E731
    state, constant = put(new_state(jax.random.key(1), spec)), put(feed.take_constant())
    key, diverged = put(jax.random.key(2)), put(jnp.bool_(False))
    result = run(state, constant, None, key, 1, diverged)
    with jax.transfer_guard("disallow"):
        result = run(result.state, constant, None, key, 2, result.diverged)
    assert int(result.done) == 2


def test_the_state_is_donated_and_a_copy_is_not():
    spec = small_spec()
    devices = jax.devices()[:1]
    feed = small_feed(spec, devices)
    run = parallel.make_run_steps(spec, feed, 1e6, devices)
    state = parallel.replicate(new_state(jax.random.key(1), spec), devices)
    before = host_copy(state)
    copy = parallel.copy_of_one_device(state)
    constant = parallel.replicate(feed.take_constant(), devices)
    run(state, constant, None, jax.random.key(2), 3, jnp.bool_(False))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    assert largest_difference(copy, before) == 0.0


def test_bfloat16_trains_with_float32_parameters():
    spec = small_spec(train__precision="bfloat16")
    result = states_after(spec, 1, 3)
    assert all(np.isfinite(value) for value in result.sums.values())
    dtypes = {leaf.dtype for leaf in jax.tree.leaves(result.state)}
    assert dtypes == {jnp.dtype("float32"), jnp.dtype("int32")}
    # The scores stay near those of float32: 8 bits of mantissa, a few steps.
    exact = states_after(small_spec(), 1, 3)
    assert float(result.sums["d_loss"]) == pytest.approx(float(exact.sums["d_loss"]), rel=0.05)


def test_no_callback_in_the_compiled_program():
    # A callback to Python would stall every dispatch.
    settings = small_settings(model__labels="conditional")
    spec = small_spec(settings, axis_name=None)
    feed = small_feed(spec, jax.devices()[:1])
    jaxpr = jax.make_jaxpr(
        lambda state, constant: parallel.run_steps(
            state,
            constant,
            None,
            jnp.int32(0),
            jax.random.key(0),
            jnp.int32(3),
            jnp.bool_(False),
            spec=spec,
            feed=feed,
            divergence_limit=1e6,
        )
    )(new_state(jax.random.key(0), spec), feed.take_constant())
    assert "while" in str(jaxpr)
    assert "callback" not in str(jaxpr)
