"""Synthetic images from the moving average of a checkpoint's generator."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int, Int32, UInt8

from gaug_jax.errors import UserError
from gaug_jax.files import read_json
from gaug_jax.gan.drawing import chunks_of_classes, draw, score
from gaug_jax.gan.networks import Network
from gaug_jax.gan.spec import Spec, make_spec
from gaug_jax.gan.state import MovingAverage, new_state
from gaug_jax.progress import Progress
from gaug_jax.settings import read_settings
from gaug_jax.synthesis.latents import (
    EVERY_LATENT,
    LatentChoice,
    Scored,
    best_of,
    candidate_keys,
    chosen_latents,
)
from gaug_jax.training.checkpoints import Checkpoints, DamagedCheckpoint
from gaug_jax.workfolder import WorkFolder

# The label of an image whose generator knows no classes.
NO_LABEL = -1
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class TrainedGenerator:
    """A generator as a checkpoint or a file of one generator holds it.

    Attributes:
      spec: of the networks.
      ema: the moving average that is drawn from, as numpy arrays.
      discriminator: what scores images, as numpy arrays: of a diffusion family the moving average
        itself; None of a file of one generator of a GAN.
      step: generator updates so far.
      class_names: names of the data's classes.
      class_counts: training images of each; all alike where training was private.
      privacy: `epsilon` and `delta` of private training, or None.
    """

    spec: Spec
    ema: MovingAverage
    discriminator: Network | MovingAverage | None
    step: int
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]
    privacy: dict[str, float] | None = None

    @property
    def labelled(self) -> bool:
        """Whether images of a wanted class can be drawn."""
        return bool(self.spec.num_generators or self.spec.generator.num_classes)


@dataclasses.dataclass(frozen=True)
class SyntheticImages:
    """What was drawn.

    Attributes:
      images: [0, 255].
      labels: class of each, or `NO_LABEL`.
      scores: the discriminator's score of each, higher looks more real; None where the generator
        has none.
    """

    images: UInt8[np.ndarray, "images height width channels"]
    labels: Int32[np.ndarray, " images"]
    scores: Float32[np.ndarray, " images"] | None


def read_generator(folder: WorkFolder, step: int | None = None) -> TrainedGenerator:
    """Returns the generator of a checkpoint: of the latest whole one, or of a step.

    Neither the data nor the config's file is needed.

    Raises:
      UserError: there is no such checkpoint, or it is damaged.
    """
    settings = read_settings(read_json(folder.config))
    checkpoints = Checkpoints(folder.checkpoints)
    steps = checkpoints.steps()
    if not steps:
        raise UserError(f"{folder.path} has no checkpoint yet: train with gaug_jax.main first")
    if step is not None and step not in steps:
        known = ", ".join(str(known) for known in steps)
        raise UserError(f"{folder.path} has no checkpoint of step {step}: it has {known}")
    class_names = checkpoints.metadata(steps[-1] if step is None else step)["class_names"]
    spec = make_spec(settings, len(class_names), axis_name=None)
    template = jax.eval_shape(lambda: new_state(jax.random.key(0), spec))
    if step is None:
        state, metadata, damaged = checkpoints.read_latest(lambda: template)
        for lost in damaged:
            print(f"the checkpoint of step {lost} is damaged: using step {metadata['step']}")
    else:
        try:
            state, metadata = checkpoints.read(step, template)
        except DamagedCheckpoint as error:
            raise UserError(f"{error}: choose another --step") from None
    return TrainedGenerator(
        spec,
        state.ema,
        state.ema if spec.discriminator is None else state.discriminator,
        metadata["step"],
        tuple(metadata["class_names"]),
        tuple(metadata["class_counts"]),
        metadata.get("privacy"),
    )


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Returns whole numbers in proportion to `weights` that add up to `total`.

    What rounding down leaves goes to the largest remainders, the first among equals
    (Hamilton's method).

    Example:
      >>> share_out(10, [5, 3, 1])
      [6, 3, 1]
    """
    exact = np.asarray(weights, np.float64) * total / np.sum(weights)
    shares = np.floor(exact).astype(int)
    order = np.argsort(-(exact - shares), kind="stable")
    shares[order[: total - shares.sum()]] += 1
    return shares.tolist()


def images_per_class(generator: TrainedGenerator, num: int, per_class: bool) -> list[int]:
    """Returns how many images of each class to draw.

    Args:
      generator: a generator without labels counts as one class.
      num: images in all, in the training images' proportions.
      per_class: `num` of each class instead.

    Raises:
      UserError: `per_class`, and the generator knows no classes.
    """
    if not generator.labelled:
        if per_class:
            raise UserError(
                "--per_class needs a generator of classes: train with config.model.labels="
                "'conditional' or 'per_class'"
            )
        return [num]
    if per_class:
        return [num] * len(generator.class_names)
    return share_out(num, generator.class_counts)


def draw_by_class(
    generator: TrainedGenerator,
    counts: Sequence[int],
    seed: int,
    choice: LatentChoice = EVERY_LATENT,
) -> SyntheticImages:
    """Draws `counts` images of each class, in the order of the classes.

    The same seed and choice give the same images, and more of a class begin with the same
    ones.

    Raises:
      UserError: the best of several latents is wanted, and nothing scores them.
    """
    spec, scored = generator.spec, generator.discriminator is not None
    if choice.rejection > 1 and not scored:
        raise UserError(
            f"--rejection={choice.rejection} needs the discriminator, which the file of a "
            "generator does not hold: draw from its work folder"
        )
    ema, discriminator = jax.tree.map(jnp.asarray, (generator.ema, generator.discriminator))
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    images = np.empty((len(labels), *spec.image_shape), np.uint8)
    scores = np.empty(len(labels), np.float32)
    progress = Progress("drawing", len(labels), unit="image")
    for label, places in chunks_of_classes(labels, _BATCH):
        first = places[0] - np.searchsorted(labels, label)  # Its number within the class.
        keys = candidate_keys(seed, label, len(counts), choice)
        latents = (chosen_latents(key, first, _BATCH, spec, choice) for key in keys)
        candidates = (_scored(ema, discriminator, each, label, spec) for each in latents)
        drawn, its_scores = best_of(candidates)
        images[places], scores[places] = drawn[: len(places)], its_scores[: len(places)]
        progress.advance(len(places))
    progress.close()
    if not generator.labelled:
        labels = np.full_like(labels, NO_LABEL)
    return SyntheticImages(images, labels, scores if scored else None)


def discriminator_scores(
    generator: TrainedGenerator,
    images: UInt8[np.ndarray, "images height width channels"],
    labels: Int[np.ndarray, " images"],
) -> Float64[np.ndarray, " images"]:
    """Returns the discriminator's score of each image as one of its class; higher is more real."""
    scores = np.empty(len(images))
    discriminator = jax.tree.map(jnp.asarray, generator.discriminator)
    for label, places in chunks_of_classes(labels, _BATCH):
        # Filled up with one image again, so that one program serves every class.
        filled = np.resize(places, _BATCH)
        found = score(discriminator, images[filled], label, spec=generator.spec)
        scores[places] = np.asarray(found)[: len(places)]
    return scores


def _scored(
    ema: MovingAverage,
    discriminator: Network | MovingAverage | None,
    latents: Float[Array, "batch latent"],
    label: int,
    spec: Spec,
) -> Scored:
    """Returns the images of latents, and the discriminator's scores of them (zeros without one)."""
    drawn = draw(ema, latents, label, spec=spec)
    if discriminator is None:
        return np.asarray(drawn), np.zeros(len(latents), np.float32)
    return np.asarray(drawn), np.asarray(score(discriminator, drawn, label, spec=spec))
