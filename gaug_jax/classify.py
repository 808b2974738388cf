"""Answers whether generated images help a classifier, and by how much.

    python -m gaug_jax.classify --config=configs/digits.py --workdir=runs/digits_study
    python -m gaug_jax.classify --config=configs/folder.py --config.data.path=my_images \\
        --config.classify.train_sizes="(50,100)" \\
        --config.classify.endpoint_size=100 --workdir=runs/my_study

Trains a generator for every split, training size and generator seed, then every arm's
classifiers with the same number of steps, and writes downstream/table.md, summary.json,
runs.jsonl and curves into the work folder. Run the same command again to go on.
"""

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given)
    flags.mark_flag_as_required("config", flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Makes the study."""
    from gaug_jax.stages.classify import classify
    from gaug_jax.stages.opened import Opened

    classify(Opened(given.workdir, command_line.given_settings(given)))


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
