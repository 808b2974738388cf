"""Stage 1: from pictures on disk to images, labels and parts."""

from gaug_jax.data.prepare import PreparedData, prepare

__all__ = ["PreparedData", "prepare"]
