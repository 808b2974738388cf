"""From images to an honest report, in one command.

    python -m gaug_jax.study --config=configs/digits_study.py --workdir=runs/digits_study
    python -m gaug_jax.study --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/my_study

Trains a generator, draws from it, measures and embeds its images, makes the downstream study,
and writes report.html: one file to be sent to anyone. Run the same command again to go on; what
is finished is not made again.
"""

import shlex

from absl import flags

from gaug_jax import command_line

_FEATURES_HELP = (
    "classifier (of your images), inception (fetches 96 MB), pretrained, pixels, or "
    "package.module.function."
)
_SEED_HELP = "Of the latents and of every subset that is drawn."


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    flags.DEFINE_integer(
        "num", 1000, "Generated images that are measured and shown.", lower_bound=2,
        flag_values=given,
    )  # fmt: skip
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given)
    command_line.define_feature_flags(given, "classifier", _FEATURES_HELP, _SEED_HELP)
    flags.mark_flag_as_required("config", flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Makes the study."""
    from gaug_jax.stages.study import study

    options = command_line.given_features(given)
    command = shlex.join(["python", "-m", "gaug_jax.study", *given.arguments])
    settings = command_line.given_settings(given)
    study(settings, given.workdir, num=given.num, options=options, command=command)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
