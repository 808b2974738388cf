"""Batches that the compiled program gathers from images on the device."""

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from gaug_jax.feeds.order import BatchOrder, ImageStore
from gaug_jax.gan.batch import Batch


class ResidentFeed:
    """Batches gathered inside the compiled program from images that live on the device.

    Args:
      order: which images each step shows.
      store: the training set.
      local_batch: images of one update on one device.
    """

    axes = None

    def __init__(self, order: BatchOrder, store: ImageStore, local_batch: int) -> None:
        self.order = order
        self._num_epochs = order.num_epochs(store)
        self._local_batch = local_batch
        self._store: ImageStore | None = store
        self.steps_per_dispatch = order.steps_per_dispatch

    def take_constant(self) -> tuple[ImageStore, Array]:
        """Returns the training set and the order's key, to be put on the devices.

        It keeps no copy of the set. Programs differ in the key, so that runs of several seeds
        can share one.
        """
        store, self._store = self._store, None
        return store, self.order.key

    def load(self, first_step: int, count: int) -> None:
        """Has nothing to load: everything is on the devices."""

    def prepare(
        self, constant: tuple[ImageStore, Array], loaded: None, first_step: Int[Array, ""]
    ) -> PyTree:
        """Returns what the batches of one dispatch need; traced."""
        return constant[0], *self.order.epoch_orders(*constant, first_step, self._num_epochs)

    def batch(
        self, prepared: PyTree, offset: Int[Array, ""], step: Int[Array, ""], shard: Int[Array, ""]
    ) -> Batch:
        """Returns the real images of a step for one device; traced."""
        store, orders, first_epochs = prepared
        examples = shard * self._local_batch + jnp.arange(self._local_batch)
        indices = self.order.squeeze(
            self.order.indices(store, orders, first_epochs, step, examples)
        )
        return Batch(store.images[indices], store.labels[indices])
