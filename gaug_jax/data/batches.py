"""Batches in a fixed order, gathered on the device or streamed from the host.

Position p of the order is image p mod n of epoch p div n, and every epoch is a
permutation of its own. Step s shows critic update k the positions
(s * critic_steps + k) * batch_size + 0, 1, ...: the order depends on the seed alone,
not on devices, dispatches or on where the images lie.
"""

import concurrent.futures
import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int, Int32, PyTree, UInt8

_STREAMED_BYTES = 64_000_000


class ImageStore(NamedTuple):
    """A training set and which of its images each generator sees.

    Attributes:
      images: [0, 255].
      labels: class of each image.
      members: indices of each generator's images, padded to a common length.
      counts: how many of them are real entries.
    """

    images: UInt8[Any, "images height width channels"]
    labels: Int32[Any, " images"]
    members: Int32[Any, "generators capacity"]
    counts: Int32[Any, " generators"]


def image_store(
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
    num_generators: int,
) -> ImageStore:
    """Returns the store of one generator (`num_generators` 0) or of one for each class.

    Raises:
      ValueError: a class has no image.
    """
    labels = np.asarray(labels, np.int32)
    groups = [np.flatnonzero(labels == label) for label in range(num_generators)]
    groups = groups or [np.arange(len(labels))]
    counts = np.array([len(group) for group in groups], np.int32)
    if not counts.all():
        raise ValueError("a class has no image to train on")
    members = np.zeros((len(groups), counts.max()), np.int32)
    for row, group in zip(members, groups, strict=True):
        row[: len(group)] = group
    return ImageStore(images, labels, members, counts)


def epoch_order(
    key: Array, epoch: Int[Array, ""], count: Int[Array, ""], capacity: int
) -> Int[Array, " capacity"]:
    """Returns a permutation of 0 .. count-1, followed by padding.

    `count` may be traced, as the classes of stacked generators differ in size.
    """
    draws = jax.random.bits(jax.random.fold_in(key, epoch), (capacity,)) >> 1
    padding = jnp.arange(capacity) >= count
    return jnp.argsort(jnp.where(padding, jnp.uint32(2**32 - 1), draws))


@dataclasses.dataclass(frozen=True)
class BatchOrder:
    """Which images each step shows.

    Attributes:
      seed: of the order.
      critic_steps: discriminator updates of a step.
      batch_size: images of one update, over all devices.
      num_generators: generators trained together, or 0 for a single one.
      steps_per_dispatch: the most steps that are asked for at once.
    """

    seed: int
    critic_steps: int
    batch_size: int
    num_generators: int
    steps_per_dispatch: int

    @property
    def key(self) -> Array:
        """Returns the key of the permutations."""
        return jax.random.fold_in(jax.random.key(self.seed), _ORDER)

    @property
    def _images_per_step(self) -> int:
        return self.critic_steps * self.batch_size

    def epoch_orders(
        self, store: ImageStore, key: Array, first_step: Int[Array, ""], num_epochs: int
    ) -> tuple[Int[Array, "generators epochs capacity"], Int[Array, " generators"]]:
        """Returns the permutations of `num_epochs` epochs from the one `first_step` begins in.

        The second value is the number of that epoch, for each generator.
        """
        capacity = store.members.shape[1]

        def orders_of(generator: Array, count: Array) -> tuple[Array, Array]:
            first = first_step * self._images_per_step // count
            order = functools.partial(epoch_order, jax.random.fold_in(key, generator))
            epochs = first + jnp.arange(num_epochs)
            return jax.vmap(lambda epoch: order(epoch, count, capacity))(epochs), first

        return jax.vmap(orders_of)(jnp.arange(len(store.counts)), jnp.asarray(store.counts))

    def num_epochs(self, store: ImageStore) -> int:
        """Returns how many epochs one dispatch can touch."""
        shown = self._images_per_step * self.steps_per_dispatch
        return -(-shown // int(np.min(store.counts))) + 1

    def indices(
        self,
        store: ImageStore,
        orders: Int[Array, "generators epochs capacity"],
        first_epochs: Int[Array, " generators"],
        step: Int[Array, ""],
        examples: Int[Array, " examples"],
    ) -> Int[Array, "generators critic_steps examples"]:
        """Returns the images of a step: those at the given places of the global batch."""
        updates = step * self.critic_steps + jnp.arange(self.critic_steps)
        positions = updates[:, None] * self.batch_size + examples[None, :]

        def indices_of(members: Array, count: Array, order: Array, first: Array) -> Array:
            return members[order[positions // count - first, positions % count]]

        members, counts = jnp.asarray(store.members), jnp.asarray(store.counts)
        return jax.vmap(indices_of)(members, counts, orders, first_epochs)

    def squeeze(self, array: Array) -> Array:
        """Removes the generators' axis where there is a single one."""
        return array if self.num_generators else array[0]


# Folded into the seed, so that the order shares no draw with the training.
_ORDER = 0x0DE4


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
    ) -> tuple[Array, Array]:
        """Returns images and labels of a step for one device; traced."""
        store, orders, first_epochs = prepared
        examples = shard * self._local_batch + jnp.arange(self._local_batch)
        indices = self.order.squeeze(
            self.order.indices(store, orders, first_epochs, step, examples)
        )
        return store.images[indices], store.labels[indices]


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
    ) -> tuple[Array, Array]:
        """Returns images and labels of a step for one device; traced."""
        images, labels = prepared
        return images[offset], labels[offset]


def make_feed(
    store: ImageStore,
    *,
    seed: int,
    critic_steps: int,
    batch_size: int,
    num_generators: int,
    shards: list[int],
    num_shards: int,
    most_steps: int,
    resident_bytes: int,
) -> ResidentFeed | StreamedFeed:
    """Returns the feed of a training set: on the device where it fits `resident_bytes`.

    Args:
      store: the training set.
      seed: of the order.
      critic_steps: discriminator updates of a step.
      batch_size: images of one update, over all devices.
      num_generators: generators trained together, or 0 for a single one.
      shards: numbers of this process's devices among all `num_shards`.
      num_shards: devices that share a batch.
      most_steps: steps of one dispatch; fewer where that many do not fit the memory.
      resident_bytes: the most that the images may take on a device.
    """
    resident = store.images.nbytes <= resident_bytes
    if not resident:
        step_bytes = store.images[:1].nbytes * critic_steps * batch_size * max(1, num_generators)
        most_steps = max(1, min(most_steps, _STREAMED_BYTES // step_bytes))
    order = BatchOrder(seed, critic_steps, batch_size, num_generators, most_steps)
    local_batch = batch_size // num_shards
    if resident:
        return ResidentFeed(order, store, local_batch)
    return StreamedFeed(order, store, local_batch, shards)
