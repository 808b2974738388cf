"""The order of batches: every epoch a permutation, the same from the device and from the host."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaug_jax.feeds.choice import make_feed
from gaug_jax.feeds.order import BatchOrder, epoch_order, image_store
from gaug_jax.feeds.resident import ResidentFeed
from gaug_jax.feeds.streamed import StreamedFeed


def numbered_images(count):
    """Images that can be told apart: image i is filled with i."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1))


def shown(feed, store, steps, first_step=0):
    """Returns images [steps, ...] as one device sees them in one dispatch."""
    loaded = feed.load(first_step, steps)
    loaded = jax.tree.map(lambda leaf: leaf[0], loaded)
    prepared = feed.prepare((store, feed.order.key), loaded, jnp.int32(first_step))
    return np.stack(
        [
            feed.batch(prepared, jnp.int32(i), jnp.int32(first_step + i), jnp.int32(0))[0]
            for i in range(steps)
        ]
    )[..., 0, 0, 0]


def both_feeds(order, store):
    return (
        ResidentFeed(order, store, order.batch_size),
        StreamedFeed(order, store, order.batch_size, [0]),
    )


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_an_epoch_order_is_a_permutation_followed_by_padding(count):
    order = np.asarray(epoch_order(jax.random.key(0), jnp.int32(3), jnp.int32(count), 30))
    assert sorted(order[:count]) == list(range(count))
    assert sorted(order) == list(range(30))


def test_epochs_and_keys_differ():
    orders = {
        tuple(np.asarray(epoch_order(jax.random.key(seed), jnp.int32(epoch), jnp.int32(20), 20)))
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(orders) == 9


@pytest.mark.parametrize("critic_steps", [1, 3])
@pytest.mark.parametrize("count", [5, 16, 23])
def test_every_epoch_shows_every_image_once(critic_steps, count):
    # Also where the batch is larger than the set, and where it does not divide it.
    store = image_store(numbered_images(count), np.zeros(count, np.int32), 0)
    order = BatchOrder(0, critic_steps, 8, 0, 12)
    flat = shown(ResidentFeed(order, store, 8), store, 12).reshape(-1)
    for epoch in range(len(flat) // count):
        assert sorted(flat[epoch * count : (epoch + 1) * count]) == list(range(count))


@pytest.mark.parametrize("num_generators", [0, 3])
def test_streamed_batches_are_the_resident_ones(num_generators):
    labels = np.array([0] * 9 + [1] * 4 + [2] * 10, np.int32)
    store = image_store(numbered_images(23), labels, num_generators)
    order = BatchOrder(7, 2, 4, num_generators, 5)
    resident, streamed = both_feeds(order, store)
    for first_step in (0, 5, 10, 3):
        np.testing.assert_array_equal(
            shown(resident, store, 5, first_step), shown(streamed, store, 5, first_step)
        )


def test_the_order_does_not_depend_on_where_a_dispatch_begins():
    store = image_store(numbered_images(11), np.zeros(11, np.int32), 0)
    whole = shown(ResidentFeed(BatchOrder(1, 1, 4, 0, 9), store, 4), store, 9)
    parts = ResidentFeed(BatchOrder(1, 1, 4, 0, 3), store, 4)
    np.testing.assert_array_equal(
        whole, np.concatenate([shown(parts, store, 3, first) for first in (0, 3, 6)])
    )


def test_each_generator_sees_its_own_class():
    labels = np.array([2, 0, 1, 2, 2, 0], np.int32)
    store = image_store(numbered_images(6), labels, 3)
    feed = ResidentFeed(BatchOrder(0, 1, 4, 3, 6), store, 4)
    batches = shown(feed, store, 6)
    for label in range(3):
        assert set(np.unique(batches[:, label])) == set(np.flatnonzero(labels == label))


def test_shards_cut_the_global_batch():
    store = image_store(numbered_images(13), np.zeros(13, np.int32), 0)
    order = BatchOrder(0, 1, 8, 0, 2)
    whole = shown(ResidentFeed(order, store, 8), store, 2)
    feed = ResidentFeed(order, store, 2)
    prepared = feed.prepare((store, feed.order.key), None, jnp.int32(0))
    shards = [
        np.asarray(feed.batch(prepared, jnp.int32(1), jnp.int32(1), jnp.int32(shard))[0])
        for shard in range(4)
    ]
    np.testing.assert_array_equal(np.concatenate(shards, axis=1)[..., 0, 0, 0], whole[1])
    streamed = StreamedFeed(order, store, 2, [1, 3])
    np.testing.assert_array_equal(
        streamed.load(0, 2)[0][:, 1][..., 0, 0, 0], whole[1].reshape(1, 4, 2)[0, [1, 3]][:, None]
    )


def test_a_class_without_images_is_refused():
    with pytest.raises(ValueError, match="no image"):
        image_store(numbered_images(3), np.array([0, 0, 2]), 3)


@pytest.mark.parametrize(("resident_bytes", "kind"), [(48, ResidentFeed), (47, StreamedFeed)])
def test_a_set_beyond_the_limit_streams(resident_bytes, kind):
    store = image_store(np.array(numbered_images(3)), np.zeros(3, np.int32), 0)
    feed = make_feed(
        store,
        seed=0,
        critic_steps=1,
        batch_size=2,
        num_generators=0,
        shards=[0],
        num_shards=1,
        most_steps=4,
        resident_bytes=resident_bytes,
    )
    assert type(feed) is kind
