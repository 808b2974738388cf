"""Parts of an image, so that a study can say where what tells its classes apart lies.

The middle is the centre 0.7 of height and width (44 of 64 pixels), where the lungs are on a
frontal chest film; the border is what is around it.
"""

import numpy as np
from jaxtyping import UInt8

from gaug_jax.data.cropping import centre_slices
from gaug_jax.data.labelled import Labelled
from gaug_jax.images import resize_square

WHOLE, MIDDLE, BORDER = "whole", "middle", "border"
_MIDDLE_SHARE = 0.7

Images = UInt8[np.ndarray, "images height width channels"]


def in_region(images: Images, region: str) -> Images:
    """Returns what a classifier of a region sees, in the size of the images.

    Args:
      images: [0, 255], square.
      region: `whole`: the images as they are; `middle`: the middle, resized to the whole
        (bicubic); `border`: the images with a black middle.
    """
    if region == WHOLE:
        return images
    rows, columns = centre_slices(images.shape[1:3], _MIDDLE_SHARE)
    if region == BORDER:
        images = images.copy()
        images[:, rows, columns] = 0
        return images
    size = images.shape[1]
    middles = [resize_square(image, size, "stretch") for image in images[:, rows, columns]]
    return np.stack(middles) if middles else images


def part_in_region(part: Labelled | None, region: str) -> Labelled | None:
    """Returns labelled images of a region, or None of None."""
    return None if part is None else Labelled(in_region(part.images, region), part.labels)
