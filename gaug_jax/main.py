"""Trains a generator, and goes on where it was stopped.

    python -m gaug_jax.main --config=configs/digits.py --workdir=runs/digits
    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine

The config's file says what it trains; every field can be set beside it, as in
--config.train.epochs=10. Run the same command again to go on.
"""

from absl import flags

from gaug_jax import command_line


def main() -> None:
    """Trains."""
    from gaug_jax import pipeline

    pipeline.train_generator(flags.FLAGS.config, flags.FLAGS.workdir)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag()
    flags.mark_flag_as_required("config")
    command_line.run(main, __doc__)
