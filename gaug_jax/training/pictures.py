"""Grids of samples from fixed latents, and the moving picture of a run."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt8

from gaug_jax import images
from gaug_jax.gan.drawing import chunks_of_classes, draw, latents_of
from gaug_jax.gan.spec import Spec
from gaug_jax.gan.state import MovingAverage
from gaug_jax.picture_files import read_picture
from gaug_jax.workfolder import WorkFolder

_COLUMNS = 10
_UNLABELLED_ROWS = 8
_MOST_ROWS = 20
_MOST_FRAMES = 60
_MILLISECONDS_PER_FRAME = 150


def draw_labelled(
    ema: MovingAverage, key: Array, labels: Int[np.ndarray, " images"], spec: Spec
) -> UInt8[np.ndarray, "images height width channels"]:
    """Returns an image for each label, from latents that depend on key and place alone."""
    latents = np.asarray(latents_of(key, 0, len(labels), spec))
    drawn = np.empty((len(labels), *spec.image_shape), np.uint8)
    for label, places in chunks_of_classes(labels):
        drawn[places] = draw(ema, latents[places], label, spec=spec)
    return drawn


def draw_samples(
    ema: MovingAverage, key: Array, spec: Spec, *, labelled: bool
) -> UInt8[Array, "images height width channels"]:
    """Returns the images of a grid: ten a class (the first twenty), or eighty of any.

    They may still be being computed.
    """
    latents = latents_of(key, 0, _COLUMNS * _UNLABELLED_ROWS, spec)
    if not labelled:
        return draw(ema, latents, 0, spec=spec)
    rows = range(min(spec.num_classes, _MOST_ROWS))
    return jnp.concatenate([draw(ema, latents[:_COLUMNS], label, spec=spec) for label in rows])


def write_samples(
    path: Path, samples: UInt8[Array, "images height width channels"]
) -> UInt8[np.ndarray, "height width channels"]:
    """Writes the samples as a grid, and returns it."""
    grid = images.picture_grid(np.asarray(samples), _COLUMNS)
    images.write_picture(path, grid)
    return grid


def write_progress_picture(folder: WorkFolder) -> None:
    """Writes the grids of a run one after another as a GIF."""
    paths = folder.sample_pictures()
    chosen = np.unique(np.linspace(0, len(paths) - 1, _MOST_FRAMES).round().astype(int))
    frames = [read_picture(paths[index], 3) for index in chosen]
    images.write_gif(folder.progress_picture, frames, _MILLISECONDS_PER_FRAME)
