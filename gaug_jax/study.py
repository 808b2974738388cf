"""From images to an honest report, in one command.

    python -m gaug_jax.study --config=configs/digits_study.py --workdir=runs/digits_study
    python -m gaug_jax.study --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/my_study

Trains a generator, draws from it, measures and embeds its images, makes the downstream study,
and writes report.html: one file to be sent to anyone. Run the same command again to go on; what
is finished is not made again.
"""

import shlex
import sys

from absl import flags

from gaug_jax import command_line

_NUM = flags.DEFINE_integer(
    "num", 1000, "Generated images that are measured and shown.", lower_bound=2
)
_FEATURES_HELP = (
    "classifier (of your images), inception (fetches 96 MB), pixels, or package.module.function."
)
_SEED_HELP = "Of the latents and of every subset that is drawn."


def main() -> None:
    """Makes the study."""
    from gaug_jax.pipeline.study import study

    options = command_line.given_features()
    command = " ".join(["python -m gaug_jax.study", *map(shlex.quote, sys.argv[1:])])
    workdir = flags.FLAGS.workdir
    study(flags.FLAGS.config, workdir, num=_NUM.value, options=options, command=command)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag()
    command_line.define_feature_flags("classifier", _FEATURES_HELP, _SEED_HELP)
    flags.mark_flag_as_required("config")
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
