"""What every feed does, and the choice between those in a fixed order."""

from typing import Protocol

from jaxtyping import Array, Int, PyTree

from gaug_jax.feeds.order import BatchOrder, ImageStore
from gaug_jax.feeds.resident import ResidentFeed
from gaug_jax.feeds.streamed import StreamedFeed
from gaug_jax.gan.batch import Batch

_STREAMED_BYTES = 64_000_000


class Feed(Protocol):
    """Where batches come from.

    Attributes:
      axes: axis of the devices in what `load` returns, or None.
      steps_per_dispatch: the most steps that it gives at once.
    """

    axes: int | None
    steps_per_dispatch: int

    def take_constant(self) -> PyTree:
        """Returns the arrays that every dispatch reads and keeps none; to be called once."""

    def load(self, first_step: int, count: int) -> PyTree:
        """Returns the arrays that one dispatch needs beside the constant ones; on the host."""

    def prepare(self, constant: PyTree, loaded: PyTree, first_step: Int[Array, ""]) -> PyTree:
        """Returns what the batches of one dispatch have in common; traced."""

    def batch(
        self, prepared: PyTree, offset: Int[Array, ""], step: Int[Array, ""], shard: Int[Array, ""]
    ) -> Batch:
        """Returns the real images of a step for one device; traced."""


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
