"""Draws synthetic images from a trained generator.

    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000
    python -m gaug_jax.synthesize --workdir=runs/digits --num=100 --per_class --format=png
    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000 --filter=agreement --keep=0.5
    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000 --truncation=1 --rejection=4

Needs the work folder alone: neither the data nor the config's file (a filter needs the
data where it was). Writes synthetic/images.npz (images, labels, scores),
synthetic/<class>/*.png with manifest.csv and datasheet.md, or synthetic/tfds with its datasheet.
"""

from absl import flags

from gaug_jax import command_line

_NUM = flags.DEFINE_integer("num", None, "Images to draw, in the training classes' proportions.")
_PER_CLASS = flags.DEFINE_bool("per_class", False, "Draw --num images of every class.")
_FORMAT = flags.DEFINE_enum(
    "format", "npz", ["npz", "png", "tfds"],
    "One file; pictures by class with a manifest; or a folder that tfds.builder_from_directory "
    "reads. The last two with a datasheet.",
)  # fmt: skip
_SEED = flags.DEFINE_integer("seed", 0, "The same seed gives the same images.")
_FILTER = flags.DEFINE_enum(
    "filter", "none", ["none", "discriminator", "agreement", "density", "copies"],
    "Keep the best by the discriminator's score, by a classifier's agreement with the wanted "
    "class, by density in its features, or those that are no copies of training images.",
)  # fmt: skip
_KEEP = flags.DEFINE_float("keep", 0.5, "Share of each class that the filter keeps.")
_SCORES = flags.DEFINE_bool("filter_scores", False, "Store every filter's score of every image.")
_TRUNCATION = flags.DEFINE_float(
    "truncation", None, "Largest size of a latent's numbers (truncation trick); any if left out."
)
_REJECTION = flags.DEFINE_integer(
    "rejection", 1, "Draw so many latents for every image; keep the one with the best score."
)
_STEP = flags.DEFINE_integer("step", None, "Step of the checkpoint; the latest if left out.")


def main() -> None:
    """Draws."""
    from gaug_jax.pipeline import drawing
    from gaug_jax.synthesis.latents import LatentChoice

    command_line.check_has_effect("keep", _FILTER.value != "none", "--filter")
    options = drawing.DrawingOptions(
        _NUM.value, _PER_CLASS.value, _SEED.value, _STEP.value, _FILTER.value, _KEEP.value,
        _SCORES.value, LatentChoice(_TRUNCATION.value, _REJECTION.value),
    )  # fmt: skip
    drawing.synthesize(flags.FLAGS.workdir, options, _FORMAT.value)


if __name__ == "__main__":
    command_line.define_workdir_flag(made=False)
    flags.mark_flag_as_required("num")
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
