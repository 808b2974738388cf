"""Images with the class of each."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8


class Labelled(NamedTuple):
    """Images and the class of each.

    Attributes:
      images: [0, 255].
      labels: number of each one's class.
    """

    images: UInt8[np.ndarray, "images height width channels"]
    labels: Int[np.ndarray, " images"]
