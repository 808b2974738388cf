"""Several steps in one dispatch, the same on every device: the only place that knows pmap.

JAX builds pmap on shard_map today; whoever replaces it changes this file alone.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Int, PyTree

from gaug_jax.errors import UserError
from gaug_jax.feeds.choice import Feed
from gaug_jax.gan.spec import DEVICES, Spec
from gaug_jax.gan.state import GANState
from gaug_jax.gan.step import LOSS_METRICS, Metrics, train_step_of_all


class Dispatch(NamedTuple):
    """What several steps left behind.

    Attributes:
      state: after the last of them.
      sums: their metrics, summed.
      done: how many were made.
      diverged: whether to stop here: a loss of the last of them is not finite or beyond the
        limit, or a number of the state is not finite.
    """

    state: GANState
    sums: Metrics
    done: Int[Array, ""]
    diverged: Bool[Array, ""]


def check_batch_size(batch_size: int, num_devices: int) -> int:
    """Returns the images of one update on one device.

    Raises:
      UserError: the devices do not divide the batch.
    """
    if batch_size % num_devices:
        raise UserError(
            f"config.train.batch_size={batch_size} does not divide over {num_devices} devices: "
            f"give a multiple of {num_devices}"
        )
    return batch_size // num_devices


def _sharding(devices: list[jax.Device] | None, *axes: str) -> jax.sharding.NamedSharding:
    """Returns a layout over the devices: split along the first axis, or whole on each."""
    mesh = jax.sharding.Mesh(np.array(devices or jax.devices()), (DEVICES,))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))


def replicate(tree: PyTree, devices: list[jax.Device] | None = None) -> PyTree:
    """Puts arrays on every device, so that no dispatch has to copy them again."""
    everywhere = _sharding(devices)

    def put(leaf: Array) -> Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            # Of several processes, JAX puts the numbers of a key everywhere, but not the key.
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)))
        return jax.device_put(leaf, everywhere)

    return jax.tree.map(put, tree)


def run_steps(
    state: GANState,
    constant: PyTree,
    loaded: PyTree,
    shard: Int[Array, ""],
    key: Array,
    count: Int[Array, ""],
    diverged: Bool[Array, ""],
    *,
    spec: Spec,
    feed: Feed,
    divergence_limit: float,
) -> Dispatch:
    """Makes up to `count` steps; ends early where a loss diverges.

    `count` is an argument of the program, so that one compilation serves every
    number of steps and the result does not depend on how a run is cut up. `shard`
    is this device's number. `diverged` is that of the dispatch before, after which
    nothing is to be done: it may not be known yet where this one is launched.
    """
    first_step = state.step.reshape(-1)[0]
    prepared = feed.prepare(constant, loaded, first_step)

    def one_step(state: GANState, offset: Int[Array, ""]) -> tuple[GANState, Metrics]:
        batch = feed.batch(prepared, offset, first_step + offset, shard)
        return train_step_of_all(state, batch, key, spec=spec)

    def body(dispatch: Dispatch) -> Dispatch:
        state, metrics = one_step(dispatch.state, dispatch.done)
        # A private run must not stop by what real images lose; its parameters are looked at anyway.
        looked_at = LOSS_METRICS - {"d_loss"} if spec.objective.private else LOSS_METRICS
        losses = jnp.stack([value for name, value in metrics.items() if name in looked_at])
        fine = jnp.all(jnp.isfinite(losses) & (jnp.abs(losses) <= divergence_limit))
        sums = jax.tree.map(jnp.add, dispatch.sums, metrics)
        return Dispatch(state, sums, dispatch.done + 1, ~fine)

    shapes = jax.eval_shape(one_step, state, jnp.int32(0))[1]
    sums = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    start = Dispatch(state, sums, jnp.int32(0), diverged)
    end = lax.while_loop(lambda dispatch: (dispatch.done < count) & ~dispatch.diverged, body, start)
    return end._replace(diverged=end.diverged | ~all_finite(end.state))


def all_finite(tree: PyTree) -> Bool[Array, ""]:
    """Returns whether every number of floating point is finite."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in leaves]))


def _shard_numbers(devices: list[jax.Device] | None) -> Int[Array, " devices"]:
    """Returns each device's number, on that device."""
    own = np.array(local_shards(devices), np.int32)
    return jax.make_array_from_process_local_data(_sharding(devices, DEVICES), own)


def make_run_steps(
    spec: Spec, feed: Feed, divergence_limit: float, devices: list[jax.Device] | None = None
) -> Callable[..., Dispatch]:
    """Returns `run_steps` compiled for all devices.

    It takes (state, constant, loaded, key, count, diverged), of which the state is
    donated and `count` is a number of Python's; the others may be results that are
    still being computed. It returns at once.
    """
    everywhere = _sharding(devices)
    put = jax.make_array_from_process_local_data
    shards = _shard_numbers(devices)
    steps = functools.partial(run_steps, spec=spec, feed=feed, divergence_limit=divergence_limit)
    compiled = jax.pmap(
        steps,
        axis_name=spec.axis_name,
        in_axes=(None, None, feed.axes, 0, None, None, None),
        out_axes=None,
        donate_argnums=0,
        devices=devices,
    )
    return lambda state, constant, loaded, key, count, diverged: compiled(
        state, constant, loaded, shards, key, put(everywhere, np.int32(count)), diverged
    )


def run_packed_steps(
    constant: PyTree,
    shard: Int[Array, ""],
    states: Sequence[GANState],
    keys: Sequence[Array],
    order_keys: Sequence[Array],
    counts: Sequence[Array],
    diverged: Sequence[Array],
    *,
    spec: Spec,
    feed: Feed,
    divergence_limit: float,
) -> list[Dispatch]:
    """`run_steps` of several runs that differ in their seeds, as one vectorised program."""

    def of_one(state: GANState, key: Array, order_key: Array, count: Array, diverged: Array):  # noqa: ANN202
        return run_steps(
            state, (constant[0], order_key), None, shard, key, count, diverged,
            spec=spec, feed=feed, divergence_limit=divergence_limit,
        )  # fmt: skip

    runs = list(zip(states, keys, order_keys, counts, diverged, strict=True))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *runs)
    results = jax.vmap(of_one)(*stacked)
    return [jax.tree.map(lambda leaf, i=i: leaf[i], results) for i in range(len(runs))]


def make_run_packed_steps(
    spec: Spec, feed: Feed, divergence_limit: float
) -> Callable[[list[tuple]], list[Dispatch]]:
    """Returns `run_packed_steps` compiled for all devices.

    It takes the arguments of `make_run_steps`' function for each run, of runs whose images lie
    on the devices and are the same.
    """
    everywhere = _sharding(None)
    put = jax.make_array_from_process_local_data
    shards = _shard_numbers(None)
    steps = functools.partial(
        run_packed_steps, spec=spec, feed=feed, divergence_limit=divergence_limit
    )
    compiled = jax.pmap(
        steps,
        axis_name=spec.axis_name,
        in_axes=(None, 0, None, None, None, None, None),
        out_axes=None,
        donate_argnums=2,
    )

    def run_all(calls: list[tuple]) -> list[Dispatch]:
        states, constants, _, keys, counts, diverged = zip(*calls, strict=True)
        counts = [put(everywhere, np.int32(count)) for count in counts]
        order_keys = [order_key for _, order_key in constants]
        return compiled(constants[0], shards, states, keys, order_keys, counts, diverged)

    return run_all


def copy_of_one_device(tree: PyTree) -> PyTree:
    """Returns a copy, on this process's first device, of what all devices hold alike.

    It outlives the arrays that a dispatch takes back, and is made without waiting for them.
    """
    return _copy(jax.tree.map(lambda leaf: leaf.addressable_data(0), tree))


@jax.jit
def _copy(tree: PyTree) -> PyTree:
    return jax.tree.map(jnp.copy, tree)


def local_shards(devices: list[jax.Device] | None = None) -> list[int]:
    """Returns the numbers of this process's devices among all that share a batch."""
    devices = devices or jax.devices()
    process = jax.process_index()
    return [shard for shard, device in enumerate(devices) if device.process_index == process]
