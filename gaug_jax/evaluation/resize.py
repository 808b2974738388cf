"""From images of any size to what the Inception network takes, as three tools do it.

Scores move with the resizing (Parmar et al. 2022), so every result names its mode:

- `tf1`: bilinear without half-pixel centres, as in TensorFlow 1's graph; (x - 128) / 128.
  TensorFlow's published FID and torch-fidelity.
- `torch`: bilinear with half-pixel centres and without antialiasing; 2x - 1 of [0, 1].
  pytorch-fid.
- `clean`: Pillow's antialiased bicubic filter in floating point, clipped to [0, 255];
  (x - 128) / 128. clean-fid.

Each is a linear map of the rows and then of the columns, hence two matrix products.
"""

import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float64, UInt8

from gaug_jax.models.inception import IMAGE_SIZE


def _bilinear_weights(
    position: Float64[np.ndarray, " new"], size: int
) -> Float64[np.ndarray, "new size"]:
    """Returns the weights of the two pixels around each position; the edge is repeated."""
    position = position.clip(0, size - 1)
    return np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(size)))


def _tf1_weights(size: int, new: int) -> Float64[np.ndarray, "new size"]:
    return _bilinear_weights(np.arange(new) * (size / new), size)


def _torch_weights(size: int, new: int) -> Float64[np.ndarray, "new size"]:
    return _bilinear_weights((np.arange(new) + 0.5) * (size / new) - 0.5, size)


def _clean_weights(size: int, new: int) -> Float64[np.ndarray, "new size"]:
    """Returns the cubic filter (a = -0.5), wider where the image shrinks, cut at the edge."""
    scale = max(size / new, 1.0)
    centre = (np.arange(new) + 0.5) * (size / new)
    distance = np.abs(np.arange(size) + 0.5 - centre[:, None]) / scale
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    weights = np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0))
    return weights / weights.sum(axis=1, keepdims=True)


_WEIGHTS: dict[str, Callable[[int, int], np.ndarray]] = {
    "tf1": _tf1_weights,
    "torch": _torch_weights,
    "clean": _clean_weights,
}
MODES = tuple(_WEIGHTS)


@functools.cache
def resize_weights(mode: str, size: int, new: int = IMAGE_SIZE) -> Float[np.ndarray, "new size"]:
    """Returns the matrix that resizes one axis, in float32; each row sums to 1.

    Raises:
      ValueError: the mode is unknown.
    """
    if mode not in _WEIGHTS:
        raise ValueError(f"resize mode {mode!r} is not one of {', '.join(MODES)}")
    return _WEIGHTS[mode](size, new).astype(np.float32)


def to_inception_input(
    images: UInt8[Array, "batch height width channels"], mode: str
) -> Float[Array, "batch 299 299 3"]:
    """Returns images as the network takes them, in about [-1, 1].

    Args:
      images: [0, 255]; of one channel, it is repeated.
      mode: `tf1`, `torch` or `clean`.

    Raises:
      ValueError: the mode is unknown, or neither one nor three channels.
    """
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"images of {images.shape[-1]} channels: give 1 or 3")
    rows, columns = (resize_weights(mode, size) for size in images.shape[1:3])
    resized = jnp.einsum(
        "ph,bhwc,qw->bpqc", rows, images.astype(jnp.float32), columns,
        precision=lax.Precision.HIGHEST,
    )  # fmt: skip
    if mode == "torch":
        scaled = resized / 127.5 - 1.0
    else:
        scaled = (resized.clip(0.0, 255.0) - 128.0) / 128.0
    return jnp.broadcast_to(scaled, (*scaled.shape[:3], 3))
