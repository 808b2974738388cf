"""Draws synthetic images from a trained generator.

    python -m gaug_jax.synthesize --workdir=runs/digits --num=1000
    python -m gaug_jax.synthesize --workdir=runs/digits --num=100 --per_class --format=png

Needs the work folder alone: neither the data nor the config's file. Writes
synthetic/images.npz (images, labels, scores), or synthetic/<class>/*.png with
synthetic/manifest.csv.
"""

from absl import flags

from gaug_jax import command_line

_NUM = flags.DEFINE_integer("num", None, "Images to draw, in the training classes' proportions.")
_PER_CLASS = flags.DEFINE_bool("per_class", False, "Draw --num images of every class.")
_FORMAT = flags.DEFINE_enum("format", "npz", ["npz", "png"], "One file, or pictures by class.")
_SEED = flags.DEFINE_integer("seed", 0, "The same seed gives the same images.")
_STEP = flags.DEFINE_integer("step", None, "Step of the checkpoint; the latest if left out.")


def main() -> None:
    """Draws."""
    from gaug_jax.pipeline import drawing

    drawing.synthesize(
        flags.FLAGS.workdir,
        num=_NUM.value,
        per_class=_PER_CLASS.value,
        file_format=_FORMAT.value,
        seed=_SEED.value,
        step=_STEP.value,
    )


if __name__ == "__main__":
    command_line.define_workdir_flag()
    flags.mark_flag_as_required("num")
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
