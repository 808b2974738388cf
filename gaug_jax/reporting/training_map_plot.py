"""The training map as a picture: what was drawn at each step, and what the discriminator sees."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.reporting.figures import new_figure, write_figure

_REAL = -1


class Map(NamedTuple):
    """Images of many steps in one plane.

    Attributes:
      places: in the plane.
      steps: that each image was drawn at; -1 of real ones.
      columns: panel that each image is in; all in one where they are zeros.
    """

    places: Float[np.ndarray, "images 2"]
    steps: Int[np.ndarray, " images"]
    columns: Int[np.ndarray, " images"]


def write_training_map(path: Path, samples: Map, seen: Map, seen_steps: Sequence[int]) -> None:
    """Draws the samples of all steps in one panel, and a panel for each discriminator below.

    Args:
      path: of the picture.
      samples: by features of the images.
      seen: by the features of the discriminator of each checkpoint, a column for each.
      seen_steps: step of each checkpoint.
    """
    figure = new_figure(10, 9)
    above, below = figure.subfigures(2, 1, height_ratios=(2, 1))
    axes = above.subplots()
    _scatter(axes, samples, np.ones(len(samples.steps), bool), above)
    axes.set_title("Samples of all steps among real images (grey)", fontsize=10)
    panels = below.subplots(1, len(seen_steps), squeeze=False, sharex=True, sharey=True)[0]
    for column, (panel, step) in enumerate(zip(panels, seen_steps, strict=True)):
        _scatter(panel, seen, seen.columns == column, None)
        panel.set_title(f"step {step}", fontsize=8)
    below.suptitle("The same by what the discriminator of each checkpoint sees", fontsize=10)
    write_figure(figure, path)


def _scatter(axes: object, shown: Map, chosen: np.ndarray, bar: object | None) -> None:
    """Draws images as points: real ones grey, the others by the step that drew them."""
    real = chosen & (shown.steps == _REAL)
    drawn = chosen & (shown.steps != _REAL)
    axes.scatter(*shown.places[real].T, color="lightgrey", s=10)
    points = axes.scatter(*shown.places[drawn].T, c=shown.steps[drawn], cmap="viridis", s=10)
    points.set_clim(0, max(1, shown.steps.max()))
    axes.set(xticks=[], yticks=[])
    if bar is not None:
        bar.colorbar(points, ax=axes, label="step")
