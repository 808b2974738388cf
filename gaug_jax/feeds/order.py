"""Which images each step shows, in an order that the seed alone decides.

Position p of the order is image p mod n of epoch p div n, and every epoch is a
permutation of its own. Step s shows critic update k the positions
(s * critic_steps + k) * batch_size + 0, 1, ...: the order depends on the seed alone,
not on devices, dispatches or on where the images lie.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Int32, UInt8

# Folded into the seed, so that the order shares no draw with the training.
_ORDER = 0x0DE4


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
