"""The real images of one step."""

from typing import NamedTuple

from jaxtyping import Array, Bool, Int, UInt8


class Batch(NamedTuple):
    """Real images of one step on one device.

    Attributes:
      images: [0, 255].
      labels: class of each image.
      included: which of them count, where batches are of changing size (private training).
    """

    images: UInt8[Array, "critic_steps batch height width channels"]
    labels: Int[Array, "critic_steps batch"]
    included: Bool[Array, "critic_steps batch"] | None = None
