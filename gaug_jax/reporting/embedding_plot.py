"""A plane of an embedding as a picture: colour by class, marker by origin."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from gaug_jax.reporting.figures import drawable_names, new_figure, write_figure

_MARKERS = ("o", "s", "x")
PLANE_NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def write_plane(
    path: Path,
    plane: str,
    places: Float[np.ndarray, "images 2"],
    origins: tuple[Int[np.ndarray, " images"], Sequence[str]],
    labels: tuple[Int[np.ndarray, " images"], Sequence[str]],
    caption: str,
) -> None:
    """Draws the images of a plane as points.

    Args:
      path: of the picture.
      plane: `pca`, `tsne` or `umap`.
      places: of the images.
      origins: number and name of each image's origin.
      labels: likewise of its class; -1 is of no class.
      caption: below the title.
    """
    from matplotlib import colormaps

    figure = new_figure(8, 6)
    axes = figure.subplots()
    colours = colormaps["tab10" if len(labels[1]) <= 10 else "hsv"]
    for origin, origin_name in enumerate(origins[1]):
        for label in np.unique(labels[0]):
            chosen = (origins[0] == origin) & (labels[0] == label)
            share = label if len(labels[1]) <= 10 else label / len(labels[1])
            colour = "grey" if label < 0 else colours(share)
            axes.scatter(
                *places[chosen].T, marker=_MARKERS[origin], color=colour, s=16, alpha=0.6,
                linewidths=0.8,
            )  # fmt: skip
        axes.scatter([], [], marker=_MARKERS[origin], color="black", label=origin_name)
    if len(labels[1]) <= 10:
        for label, name in enumerate(drawable_names(labels[1])):
            axes.scatter([], [], marker="o", color=colours(label), label=name)
    axes.set(xticks=[], yticks=[], title=PLANE_NAMES[plane])
    axes.set_xlabel(caption, fontsize=8)
    figure.legend(loc="outside right center", fontsize=8)
    write_figure(figure, path)
