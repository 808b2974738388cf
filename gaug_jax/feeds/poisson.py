"""Batches for private training: every image is in a batch with one probability, independently.

The accounting of DP-SGD is of such batches, not of epochs in a random order.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from gaug_jax.feeds.order import BatchOrder, ImageStore
from gaug_jax.gan.batch import Batch

# A batch that would not fit its slots is cut; this is how unlikely that is to be.
_OVERFLOW = 1e-12
# Slots of a device are a multiple of this, to be worked at in groups.
_MULTIPLE = 8


def num_slots(num_images: int, mean_batch: int, num_shards: int) -> int:
    """Returns the slots of a batch: enough for all but one batch in 10^12."""
    # Imported here: it takes half a second, which a run without privacy need not wait for.
    import scipy.stats

    largest = int(scipy.stats.binom.isf(_OVERFLOW, num_images, mean_batch / num_images))
    step = _MULTIPLE * num_shards
    return -(-min(num_images, largest + 1) // step) * step


class PoissonFeed:
    """Independently drawn images of every update, from images that live on the device.

    Args:
      order: critic steps; its `batch_size` is the mean size of a batch, its seed is not used.
      store: the training set, of one generator.
      num_shards: devices that share a batch.
      key: of the draws, which nobody may know.
    """

    axes = None

    def __init__(self, order: BatchOrder, store: ImageStore, num_shards: int, key: Array) -> None:
        self.order, self._key = order, key
        self._num_images = len(store.images)
        self._slots = num_slots(self._num_images, order.batch_size, num_shards)
        self._local_slots = self._slots // num_shards
        self._store: ImageStore | None = store
        self.steps_per_dispatch = order.steps_per_dispatch

    @property
    def probability(self) -> float:
        """Of an image to be in a batch."""
        return self.order.batch_size / self._num_images

    def take_constant(self) -> tuple[ImageStore, Array]:
        """Returns the training set and the draws' key, and keeps no copy of the set."""
        store, self._store = self._store, None
        return store, self._key

    def load(self, first_step: int, count: int) -> None:
        """Has nothing to load: everything is on the devices."""

    def prepare(
        self, constant: tuple[ImageStore, Array], loaded: None, first_step: Int[Array, ""]
    ) -> PyTree:
        """Returns what the batches of one dispatch need; traced."""
        return constant

    def batch(
        self, prepared: PyTree, offset: Int[Array, ""], step: Int[Array, ""], shard: Int[Array, ""]
    ) -> Batch:
        """Returns the real images of a step for one device, and which count; traced."""
        store, key = prepared
        updates = step * self.order.critic_steps + jnp.arange(self.order.critic_steps)

        def of_update(update: Array) -> tuple[Array, Array]:
            drawn = jax.random.bernoulli(
                jax.random.fold_in(key, update), self.probability, (self._num_images,)
            )
            first = jnp.argsort(~drawn)[: self._slots]
            missing = self._slots - len(first)  # More slots than images.
            return jnp.pad(first, (0, missing)), jnp.pad(drawn[first], (0, missing))

        indices, included = jax.vmap(of_update)(updates)
        own = shard * self._local_slots + jnp.arange(self._local_slots)
        indices = indices[:, own]
        return Batch(store.images[indices], store.labels[indices], included[:, own])
