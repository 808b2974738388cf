"""Augmented copies of images, for models that see each copy as one more image.

Where a policy changes an image by itself, a copy depends on the image, the seed and the number
of the copy alone: splits and arms with the same image share it. Policies that mix images draw
partners at random among all of them.
"""

import functools
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from gaug_jax.augmentation import MIXING, policy_of
from gaug_jax.images import to_uint8, to_unit

_BATCH = 64

Images = UInt8[np.ndarray, "images height width channels"]
Targets = Float[np.ndarray, "images classes"]


def augmented_copies(
    images: Images, targets: Targets, policy: str, seed: int, number: int, *, flip: bool = False
) -> tuple[Images, Targets]:
    """Returns one augmented copy of every image, and its share of each class.

    Args:
      images: [0, 255], at least one.
      targets: share of each class; rows add up to 1.
      policy: one of `augmentation.POLICIES`.
      seed: of the draws.
      number: of the copy.
      flip: whether `classical` may mirror left and right.
    """
    key = jax.random.fold_in(jax.random.key(seed), number)
    order = np.arange(len(images))
    if policy in MIXING:
        order = np.random.default_rng([seed, number]).permutation(len(images))
    filled = np.resize(order, -(-len(order) // _BATCH) * _BATCH)
    pieces = []
    for first in range(0, len(filled), _BATCH):
        chosen = filled[first : first + _BATCH]
        digests = np.array([zlib.crc32(image.tobytes()) for image in images[chosen]], np.uint32)
        pieces.append(
            _augmented(key, digests, images[chosen], targets[chosen], policy=policy, flip=flip)
        )
    made, shares = (np.concatenate(part)[: len(order)] for part in zip(*pieces, strict=True))
    back = np.argsort(order)
    return to_uint8(made)[back], shares[back]


@functools.partial(jax.jit, static_argnames=("policy", "flip"))
def _augmented(
    key: Array, digests: Array, images: Array, targets: Array, *, policy: str, flip: bool
) -> tuple[Array, Array]:
    """Returns a batch after a policy, in [-1, 1]."""
    function = policy_of(policy, flip)
    images, targets = to_unit(images), jnp.asarray(targets, jnp.float32)
    if policy in MIXING:
        return function(jax.random.fold_in(key, digests[0]), images, targets)

    def alone(digest: Array, image: Array, target: Array) -> tuple[Array, Array]:
        made, shares = function(jax.random.fold_in(key, digest), image[None], target[None])
        return made[0], shares[0]

    return jax.vmap(alone)(digests, images, targets)
