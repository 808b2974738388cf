"""Stage 1: from pictures on disk to images, labels and parts."""

from gaug_jax.data.labelled import Labelled
from gaug_jax.data.load import LoadedData, load
from gaug_jax.data.prepare import PreparedData, prepare

__all__ = ["Labelled", "LoadedData", "PreparedData", "load", "prepare"]
