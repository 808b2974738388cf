"""The same batches read on the host, for a training set that does not fit a device."""

import concurrent.futures

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int, PyTree

from gaug_jax.feeds.order import BatchOrder, ImageStore
from gaug_jax.gan.batch import Batch


class StreamedFeed:
    """The same batches, read on the host while the device computes the ones before.

    Args:
      order: which images each step shows.
      store: the training set, on the host (it may be a memory map).
      local_batch: images of one update on one device.
      shards: numbers of this process's devices among all.
    """

    axes = 0

    def __init__(
        self, order: BatchOrder, store: ImageStore, local_batch: int, shards: list[int]
    ) -> None:
        self.order = order
        self._store = store
        self.steps_per_dispatch = order.steps_per_dispatch
        examples = [shard * local_batch + np.arange(local_batch) for shard in shards]
        self._examples = np.stack(examples)
        self._reader = concurrent.futures.ThreadPoolExecutor(1)
        self._next: tuple[int, concurrent.futures.Future] | None = None
        # Only what decides the order goes into the program, never the images.
        deciding = store._replace(images=None, labels=None)
        num_epochs = order.num_epochs(store)

        def indices_of(first_step: Array) -> Array:
            orders, first_epochs = order.epoch_orders(deciding, order.key, first_step, num_epochs)
            steps = first_step + jnp.arange(order.steps_per_dispatch)
            examples = jnp.asarray(self._examples.reshape(-1))
            return lax.map(
                lambda step: order.indices(deciding, orders, first_epochs, step, examples), steps
            )

        self._indices_of = jax.jit(indices_of)
        self._host = jax.local_devices(backend="cpu")[0]

    def take_constant(self) -> None:
        """Has nothing to put on the devices for good."""

    def load(self, first_step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the batches from `first_step` on and begins to read those after `count`.

        Shapes are [devices, steps, (generators,) critic_steps, batch, ...].
        """
        following = self._next
        loaded = (
            following[1].result()
            if following and following[0] == first_step
            else self._read(first_step)
        )
        after = first_step + count
        self._next = (after, self._reader.submit(self._read, after))
        return loaded

    def _read(self, first_step: int) -> tuple[np.ndarray, np.ndarray]:
        with jax.default_device(self._host):
            indices = np.asarray(self._indices_of(first_step))
        steps, generators, critic_steps, _ = indices.shape
        indices = indices.reshape(steps, generators, critic_steps, *self._examples.shape)
        indices = np.moveaxis(indices, 3, 0)
        if not self.order.num_generators:
            indices = indices[:, :, 0]
        return self._store.images[indices], self._store.labels[indices]

    def prepare(self, constant: None, loaded: PyTree, first_step: Int[Array, ""]) -> PyTree:
        """Returns what was loaded; traced."""
        return loaded

    def batch(
        self, prepared: PyTree, offset: Int[Array, ""], step: Int[Array, ""], shard: Int[Array, ""]
    ) -> Batch:
        """Returns the real images of a step for one device; traced."""
        images, labels = prepared
        return Batch(images[offset], labels[offset])
