"""Draws synthetic images from a trained generator.

    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000
    python -m gaug_jax.synthesize --workdir=runs/digits --num=100 --per_class --format=png
    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000 --filter=agreement --keep=0.5
    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000 --truncation=1 --rejection=4
    python -m gaug_jax.synthesize --workdir=runs/digits --save_generator=digits.safetensors
    python -m gaug_jax.synthesize --generator=digits.safetensors --workdir=drawn --num=1000

Needs the work folder alone: neither the data nor the config's file (a filter needs the
data where it was). Writes synthetic/images.npz (images, labels, scores),
synthetic/<class>/*.png with manifest.csv and datasheet.md, or synthetic/tfds with its datasheet.
--generator draws the same images from one file, which has no scores.
"""

from absl import flags

from gaug_jax import command_line
from gaug_jax.errors import UserError

# Flags that say something of images alone.
_OF_IMAGES = ("seed", "rejection", "keep", "truncation", "per_class", "filter_scores", "format",
              "filter", "generator")  # fmt: skip
_FORMATS = (
    "One file; pictures by class with a manifest; or a folder that tfds.builder_from_directory "
    "reads. The last two with a datasheet."
)
_SAVE = "Write the generator as this one file (safetensors), to be drawn from by --generator."
_GENERATOR = (
    "Draw from this file and not from the checkpoints of --workdir, which then is any folder for "
    "the images, made if absent."
)
_FILTERS = (
    "Keep the best by the discriminator's score, by a classifier's agreement with the wanted "
    "class, by density in its features, or those that are no copies of training images."
)


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    from gaug_jax.synthesis.filters import FILTERS

    command_line.define_workdir_flag(given, made=False)
    for name, default, text in (
        ("num", None, "Images to draw, in the training classes' proportions."),
        ("seed", 0, "The same seed gives the same images."),
        ("step", None, "Step of the checkpoint; the latest if left out."),
        ("rejection", 1, "Draw so many latents for every image; keep the one with the best score."),
    ):
        flags.DEFINE_integer(name, default, text, flag_values=given)
    for name, default, text in (
        ("keep", 0.5, "Share of each class that the filter keeps."),
        ("truncation", None, "Largest size of a latent's numbers; any if left out."),
    ):
        flags.DEFINE_float(name, default, text, flag_values=given)
    for name, text in (
        ("per_class", "Draw --num images of every class."),
        ("filter_scores", "Store every filter's score of every image."),
    ):
        flags.DEFINE_bool(name, False, text, flag_values=given)
    for name, text in (("save_generator", _SAVE), ("generator", _GENERATOR)):
        flags.DEFINE_string(name, None, text, flag_values=given)
    flags.DEFINE_enum("format", "npz", ["npz", "png", "tfds"], _FORMATS, flag_values=given)
    flags.DEFINE_enum("filter", "none", list(FILTERS), _FILTERS, flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Draws, saves the generator, or both."""
    from gaug_jax.stages.opened import open_trained
    from gaug_jax.stages.saved_generator import save_generator, synthesize_from_file
    from gaug_jax.stages.synthesize import DrawingOptions, synthesize
    from gaug_jax.synthesis.latents import LatentChoice

    for name in _OF_IMAGES:
        command_line.check_has_effect(given, name, given.num is not None, "--num")
    command_line.check_has_effect(given, "keep", given.filter != "none", "--filter")
    if given.generator and (given.save_generator or given.step is not None):
        raise UserError("--step and --save_generator are of checkpoints: leave --generator out")
    if given.num is None and not given.save_generator:
        raise UserError("give --num, --save_generator or both")
    options = None if given.num is None else DrawingOptions(
        given.num, given.per_class, given.seed, given.step, given.filter, given.keep,
        given.filter_scores, LatentChoice(given.truncation, given.rejection),
    )  # fmt: skip
    if given.generator:
        synthesize_from_file(given.generator, given.workdir, options, given.format)
        return
    opened = open_trained(given.workdir)
    if given.save_generator:
        save_generator(opened, given.save_generator, given.step)
    if options is not None:
        synthesize(opened, options, given.format)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
