"""The worker of this project: the compiled step that `main` runs, and `synthesize`'s sampling."""

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

from benchmarks import options, rounds
from configs import base
from gaug_jax.feeds.choice import make_feed
from gaug_jax.feeds.order import image_store
from gaug_jax.gan.spec import Spec, make_spec
from gaug_jax.gan.state import new_state
from gaug_jax.settings import read_settings
from gaug_jax.synthesis.drawing import TrainedGenerator, draw_by_class
from gaug_jax.training import parallel
from gaug_jax.training.plan import MOST_STEPS

_CLASSES = flags.DEFINE_integer("classes", 1, "More than one: a generator for each (per_class).")
_NUM_IMAGES = flags.DEFINE_integer("num_images", 700, "Images of the training set.")


def make(axis_name: str | None) -> Spec:
    """Returns the spec that the flags describe."""
    config = base.get_config()
    config.data.image_size, config.data.channels = options.IMAGE_SIZE.value, options.CHANNELS.value
    config.model.width = options.WIDTH.value
    config.model.labels = "per_class" if _CLASSES.value > 1 else "none"
    config.objective.preset = options.OBJECTIVE.value
    config.train.batch_size, config.train.precision = options.BATCH.value, options.PRECISION.value
    settings = read_settings(config.to_dict())
    return make_spec(settings, _CLASSES.value, axis_name)


def random_images(spec: Spec, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns uint8 images and a label for each."""
    images = np.random.default_rng(0).integers(0, 256, (count, *spec.image_shape), np.uint8)
    return images, np.arange(count, dtype=np.int32) % spec.num_classes


class Training:
    """The loop of `main` without its files: dispatches of `make_run_steps`."""

    def __init__(self) -> None:
        spec = make("devices")
        store = image_store(*random_images(spec, _NUM_IMAGES.value), spec.num_generators)
        feed = make_feed(
            store,
            seed=0,
            critic_steps=spec.objective.critic_steps,
            batch_size=spec.train.batch_size,
            num_generators=spec.num_generators,
            shards=parallel.local_shards(),
            num_shards=jax.device_count(),
            most_steps=MOST_STEPS,
            resident_bytes=2_000_000_000,
        )
        self._most = feed.steps_per_dispatch
        self._run = parallel.make_run_steps(spec, feed, 1e6)
        self._constant = parallel.replicate(feed.take_constant())
        state = jax.jit(new_state, static_argnames="spec")(jax.random.key(0), spec=spec)
        self._state = parallel.replicate(state)
        self._diverged = parallel.replicate(jnp.bool_(False))

    def __call__(self, steps: int) -> None:
        """Makes so many steps."""
        while steps:
            count = min(steps, self._most)
            key = jax.random.key(1)
            result = self._run(self._state, self._constant, None, key, count, self._diverged)
            self._state, self._diverged = result.state, result.diverged
            steps -= count
        jax.block_until_ready(self._state)


class Sampling:
    """`synthesize` without its files: images, and the discriminator's score of each."""

    def __init__(self) -> None:
        spec = make(None)
        state = jax.device_get(new_state(jax.random.key(0), spec))
        self._generator = TrainedGenerator(spec, state.ema, state.discriminator, 0, ("any",), (1,))

    def __call__(self, images: int) -> None:
        """Draws so many images."""
        draw_by_class(self._generator, [images], seed=0)


def main(arguments: list[str]) -> None:
    """Serves the work that the flags name."""
    work = {"train": Training, "sample": Sampling}[options.WORK.value]()
    facts = {"jax": jax.__version__, "device": jax.devices()[0].device_kind}
    rounds.serve(work, facts)


if __name__ == "__main__":
    app.run(main)
