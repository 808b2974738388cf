"""The flags that describe a benchmark's work, the same for both sides."""

from absl import flags

WORK = flags.DEFINE_enum("work", "train", ["train", "sample"], "A unit: a step, or an image.")
OBJECTIVE = flags.DEFINE_enum("objective", "minimax", ["minimax", "wgan_gp"], "Objective.")
BATCH = flags.DEFINE_integer("batch", 32, "Images of a discriminator update.")
WIDTH = flags.DEFINE_integer("width", 64, "Features of the discriminator's first layer.")
IMAGE_SIZE = flags.DEFINE_integer("image_size", 64, "Height and width.")
CHANNELS = flags.DEFINE_integer("channels", 3, "1 or 3.")
PRECISION = flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16"], "Activations.")
THREADS = flags.DEFINE_integer("threads", 2, "Processors for each side.", lower_bound=1)

_ALL = (WORK, OBJECTIVE, BATCH, WIDTH, IMAGE_SIZE, CHANNELS, PRECISION, THREADS)


def values() -> dict[str, object]:
    """Returns the value of every flag by name."""
    return {flag.name: flag.value for flag in _ALL}


def command_line() -> list[str]:
    """Returns the flags for a worker."""
    return [f"--{name}={value}" for name, value in values().items()]
