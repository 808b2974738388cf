"""The training map: samples and discriminators of many steps in one embedding."""

import numpy as np

from gaug_jax import data
from gaug_jax.data.splits import TRAIN
from gaug_jax.embedding.projections import project
from gaug_jax.evaluation.features import Extractor, extract
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.files import atomic_file
from gaug_jax.gan.drawing import discriminator_features
from gaug_jax.images import cut_grid
from gaug_jax.picture_files import read_picture
from gaug_jax.reporting.training_map_plot import Map, write_training_map
from gaug_jax.stages.opened import Opened
from gaug_jax.synthesis.drawing import TrainedGenerator, draw_by_class
from gaug_jax.training.checkpoints import Checkpoints
from gaug_jax.workfolder import WorkFolder

_MOST_GRIDS = 12
_MOST_CHECKPOINTS = 6
_MOST_REAL = 300
_DRAWN = 100


def make_training_map(opened: Opened, extractor: Extractor, seed: int) -> None:
    """Writes `embedding/training_map.png` and `.npz`.

    Above are the grids of samples (the same latents at every step) by the extractor's
    features; below real and generated images by the discriminator of each checkpoint that
    is kept, of the largest class where every class has a discriminator of its own.

    Args:
      opened: work folder of a run of training.
      extractor: of the features.
      seed: of the images that are shown, and of t-SNE, whose plane both are drawn in.
    """
    folder, prepared = opened.folder, opened.prepared
    perplexity = opened.settings.embed.perplexity
    samples = _samples(folder, prepared, extractor, perplexity, seed)
    seen, steps = _seen(opened, seed)
    with atomic_file(folder.training_map_places) as file:
        named = {f"samples_{name}": value for name, value in samples._asdict().items()}
        named |= {f"seen_{name}": value for name, value in seen._asdict().items()}
        np.savez(file, checkpoints=np.array(steps), **named)
    write_training_map(folder.training_map, samples, seen, steps)


def _plane(features: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Returns t-SNE's plane."""
    made = project(features, perplexity=perplexity, seed=seed, names=("tsne",))
    return made.planes["tsne"]


def _evenly(items: list, most: int) -> list:
    """Returns at most so many, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(items) - 1, most).round().astype(int))
    return [items[place] for place in chosen]


def _real(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Returns at most so many rows of real images at random, in order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])


def _samples(
    folder: WorkFolder,
    prepared: data.PreparedData,
    extractor: Extractor,
    perplexity: float,
    seed: int,
) -> Map:
    """Returns the samples of the grids among real images."""
    size, channels = prepared.images.shape[1], prepared.images.shape[3]
    pieces = [prepared.images[_real(prepared.indices(TRAIN), _MOST_REAL, seed)]]
    steps = [np.full(len(pieces[0]), -1)]
    for path in _evenly(folder.sample_pictures(), _MOST_GRIDS):
        images = cut_grid(read_picture(path, channels), size)
        pieces.append(images)
        steps.append(np.full(len(images), int(path.stem.removeprefix("step_"))))
    images = array_set("samples of training", np.concatenate(pieces))
    features = extract(extractor, images).features
    plane = _plane(features, perplexity, seed)
    return Map(plane, np.concatenate(steps), np.zeros(len(plane), int))


def _seen(opened: Opened, seed: int) -> tuple[Map, list[int]]:
    """Returns real and generated images by the discriminator of each checkpoint."""
    folder, prepared = opened.folder, opened.prepared
    steps = _evenly(Checkpoints(folder.checkpoints).steps(), _MOST_CHECKPOINTS)
    features, drawn_at, columns = [], [], []
    for column, step in enumerate(steps):
        generator = opened.generator(step)
        label = int(np.argmax(generator.class_counts))
        rows = prepared.indices(TRAIN)
        if generator.labelled:
            rows = rows[prepared.labels[rows] == label]
        counts = [0] * len(generator.class_counts) if generator.labelled else [0]
        counts[label if generator.labelled else 0] = _DRAWN
        drawn = draw_by_class(generator, counts, seed).images
        real = prepared.images[_real(rows, _DRAWN, seed)]
        both = array_set("what it sees", np.concatenate([real, drawn]))
        found = extract(_discriminator_extractor(generator, label), both, quiet=True).features
        # A discriminator's scale is its own: real images set it.
        scale = found[: len(real)].std() + 1e-12
        features.append((found - found[: len(real)].mean(axis=0)) / scale)
        drawn_at.append(np.repeat([-1, step], [len(real), len(drawn)]))
        columns.append(np.full(len(found), column))
    perplexity = opened.settings.embed.perplexity
    plane = _plane(np.concatenate(features), perplexity, seed)
    return Map(plane, np.concatenate(drawn_at), np.concatenate(columns)), steps


def _discriminator_extractor(generator: TrainedGenerator, label: int) -> Extractor:
    """Returns the extractor of the discriminator's last features."""
    network, spec = generator.discriminator, generator.spec
    return Extractor(
        "the discriminator",
        lambda images: (discriminator_features(network, images, label, spec=spec), None),
        cacheable=False,
    )
