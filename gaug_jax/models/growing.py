"""Progressive growing (Karras et al. 2018): which resolution the networks are at, and fading.

Stage s draws images of 4*2^(s+1), from 8x8 on. Both networks keep `progress`, in stages, in
their running statistics: its whole part is the stage, and in the first half of a stage the
new resolution is faded in over the one before. Images are always of the full size; those of
an early stage are coarse ones enlarged.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gaug_jax.models.resampling import Images, enlarged, shrunk

PROGRESS = "progress"


def stage_of(progress: Float[Array, ""], num_stages: int) -> Int[Array, ""]:
    """Returns the stage that a progress is in, at most the last."""
    return jnp.minimum(jnp.floor(progress).astype(jnp.int32), num_stages - 1)


def fade_of(progress: Float[Array, ""], stage: int) -> Float[Array, ""]:
    """Returns the share in [0, 1] of the stage's own resolution in an image."""
    return jnp.clip(2.0 * (progress - stage), 0.0, 1.0) if stage else jnp.float32(1.0)


def resolution_of(stage: int) -> int:
    """Returns height and width of a stage's images."""
    return 8 * 2**stage


def as_drawn_at(images: Images, progress: Float[Array, ""], stage: int) -> Images:
    """Returns real images as the generator of a stage could draw them, of the same size.

    Those of the stage's resolution and of the one before are mixed as the generator's are.
    """
    size = images.shape[1]
    coarse = shrunk(images, resolution_of(stage))
    if stage:
        fade = fade_of(progress, stage)
        before = enlarged(shrunk(coarse, resolution_of(stage - 1)), coarse.shape[1])
        coarse = fade * coarse + (1.0 - fade) * before
    return enlarged(coarse, size)


def mixed(drawn: dict[int, Images], newest: int, progress: Float[Array, ""], size: int) -> Images:
    """Returns a generator's images at full size: those of a stage over those of the one before."""
    images = drawn[newest]
    if newest:
        fade = fade_of(progress, newest)
        images = fade * images + (1.0 - fade) * enlarged(drawn[newest - 1], images.shape[1])
    return enlarged(images, size)
