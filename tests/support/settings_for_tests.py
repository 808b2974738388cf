"""Small runs for the tests of training."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from configs import base
from gaug_jax.feeds.choice import make_feed
from gaug_jax.feeds.order import BatchOrder, image_store
from gaug_jax.feeds.poisson import PoissonFeed
from gaug_jax.gan.spec import make_spec
from gaug_jax.gan.state import new_state
from gaug_jax.settings import read_settings
from gaug_jax.training import parallel
from gaug_jax.training.loop import Run
from gaug_jax.training.plan import Plan
from gaug_jax.workfolder import WorkFolder

NUM_CLASSES = 3


def small_settings(**overrides):
    """Returns settings of a tiny network; overrides are named section__field."""
    config = base.get_config()
    config.data.image_size = 8
    config.model.width = 4
    config.model.latent_dim = 6
    config.train.batch_size = 8
    config.train.log_every = 4
    config.train.sample_every = 8
    config.train.checkpoint_every = 5
    config.classify.architecture = "cnn"
    config.classify.widenings = 0
    config.classify.step_widenings = 0
    for name, value in overrides.items():
        section, field = name.split("__")
        config[section][field] = value
    return read_settings(config.to_dict())


def small_spec(settings=None, axis_name="devices", **overrides):
    """Returns the spec of small settings for three classes."""
    settings = settings or small_settings(**overrides)
    return make_spec(settings, NUM_CLASSES, axis_name)


def small_images(count=30, size=8):
    """Returns blobs whose place tells their class, and the classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int32) % NUM_CLASSES
    images = random.integers(0, 60, (count, size, size, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 3] += 150
    return images, labels


def small_feed(spec, devices, seed=0, resident=True, most_steps=6):
    """Returns the feed of the small images."""
    store = image_store(*small_images(size=spec.image_shape[0]), spec.num_generators)
    if spec.objective.private:
        order = BatchOrder(seed, spec.objective.critic_steps, spec.train.batch_size, 0, most_steps)
        return PoissonFeed(order, store, len(devices), jax.random.key(seed))
    return make_feed(
        store,
        seed=seed,
        critic_steps=spec.objective.critic_steps,
        batch_size=spec.train.batch_size,
        num_generators=spec.num_generators,
        shards=parallel.local_shards(devices),
        num_shards=len(devices),
        most_steps=most_steps,
        resident_bytes=10**9 if resident else 0,
    )


def small_plan(settings, spec, total_steps=12, score_every=0):
    """Returns a plan of a few steps."""
    return Plan(
        seed=settings.seed,
        total_steps=total_steps,
        num_images=30,
        images_per_step=spec.images_per_step,
        score_every=score_every,
        settings=settings.train,
        description="a test",
        metadata={"class_names": ["a", "b", "c"], "class_counts": [10, 10, 10]},
    )


def make_run(path, total_steps=12, score=None, score_every=0, **overrides):
    """Returns a run of a few steps in a folder."""
    settings = small_settings(**overrides)
    spec = small_spec(settings)
    feed = small_feed(spec, jax.devices())
    return Run(
        WorkFolder(path), spec, feed, small_plan(settings, spec, total_steps, score_every), score
    )


def states_after(spec, num_devices, steps, **feed_options):
    """Returns the state after some steps on so many devices."""
    devices = jax.devices()[:num_devices]
    feed = small_feed(spec, devices, **feed_options)
    run = parallel.make_run_steps(spec, feed, 1e6, devices)
    state = parallel.replicate(new_state(jax.random.key(1), spec), devices)
    constant = parallel.replicate(feed.take_constant(), devices)
    result = run(state, constant, feed.load(0, steps), jax.random.key(2), steps, jnp.bool_(False))
    assert int(result.done) == steps
    return result


def host_copy(state):
    """Returns the state as numpy arrays that share no memory with the devices."""
    return jax.tree.map(lambda leaf: np.array(leaf, copy=True), state)


def largest_difference(one, other):
    """Returns the largest absolute difference between two pytrees of arrays."""
    differences = jax.tree.map(
        lambda a, b: np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max(initial=0.0),
        one,
        other,
    )
    return max(jax.tree.leaves(differences), default=0.0)


def with_divergence_limit(settings, limit):
    """Returns settings with another limit."""
    return dataclasses.replace(
        settings, train=dataclasses.replace(settings.train, divergence_limit=limit)
    )


def study(**options):
    """Returns the section classify of a small study, with other values where they are given."""
    settings = read_settings(base.get_config().to_dict()).classify
    defaults = {
        "arms": ("real", "mixup", "gan"), "train_sizes": (50,), "endpoint_size": 50,
        "endpoint_arm": "gan", "splits": (0, 1), "generator_seeds": (0, 1), "seeds": (0, 1),
        "paper": (("gan", "accuracy", 0.947),),
    }  # fmt: skip
    return dataclasses.replace(settings, **(defaults | options))
