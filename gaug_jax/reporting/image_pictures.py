"""Grids of images for a report, and the sprite that a scatter shows them from."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, UInt8

from gaug_jax.images import picture_grid
from gaug_jax.reporting.page import Picture, picture_of_array

Images = UInt8[np.ndarray, "images height width channels"]
_COLUMNS = 10
_MOST_CLASSES = 12
_SPRITE_COLUMNS = 40


def class_grids(
    real: tuple[Images, Int[np.ndarray, " images"]],
    generated: tuple[Images, Int[np.ndarray, " images"]],
    class_names: Sequence[str],
) -> list[Picture]:
    """Returns a picture with two rows for each class: ten real images and ten generated ones.

    A generator without labels (-1) has one row below all classes.
    """
    rows, words = [], []
    for label in range(min(len(class_names), _MOST_CLASSES)):
        for name, (images, labels) in (("real", real), ("generated", generated)):
            if (chosen := images[labels == label][:_COLUMNS]).size:
                rows.append(_filled(chosen))
                words.append(f"{class_names[label]} ({name})")
    unlabelled = generated[0][generated[1] < 0][:_COLUMNS]
    if unlabelled.size:
        rows.append(_filled(unlabelled))
        words.append("generated, of no class")
    text = "; ".join(words)
    grid = picture_grid(np.concatenate(rows), _COLUMNS)
    return [picture_of_array(grid, f"Rows of images: {text}", f"From above: {text}.")]


def _filled(images: Images) -> Images:
    """Returns a whole row, white where images are missing."""
    missing = ((0, _COLUMNS - len(images)), (0, 0), (0, 0), (0, 0))
    return np.pad(images, missing, constant_values=255)


def pair_grid(
    generated: Images, nearest: Images
) -> UInt8[np.ndarray, "grid_height grid_width channels"]:
    """Returns up to ten generated images above the training image that is nearest to each."""
    generated, nearest = generated[:_COLUMNS], nearest[:_COLUMNS]
    return picture_grid(np.concatenate([_filled(generated), _filled(nearest)]), _COLUMNS)


def neighbour_grid(generated: Images, nearest: Images) -> Picture:
    """Returns the same as a part of a page."""
    return picture_of_array(
        pair_grid(generated, nearest),
        "Generated images, and below each the training image that is nearest to it",
        "Generated images (above) and the training image nearest to each in pixels (below): are "
        "these copies?",
    )


def some_of_each(origins: Int[np.ndarray, " images"], most: int) -> Int[np.ndarray, " some"]:
    """Returns the places of at most so many images of each origin, drawn at random.

    The same ones each time; not the first ones, which may all be of one class.
    """
    rng = np.random.default_rng(0)
    places = [np.flatnonzero(origins == each) for each in np.unique(origins)]
    return np.concatenate([np.sort(rng.permutation(each)[:most]) for each in places])


def sprite(images: Images) -> tuple[Picture, int]:
    """Returns images in one picture without borders, at most 32 pixels high, and its columns."""
    step = max(1, images.shape[1] // 32)
    small = images[:, ::step, ::step]
    grid = picture_grid(small, _SPRITE_COLUMNS, padding=0)
    words = "Real and generated images as points; the image under the pointer is shown below"
    return picture_of_array(grid, words, ""), _SPRITE_COLUMNS
