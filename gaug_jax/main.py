"""Trains a generator, and goes on where it was stopped.

    python -m gaug_jax.main --config=configs/digits.py --workdir=runs/digits
    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine

The config's file says what it trains; every field can be set beside it, as in
--config.train.epochs=10. Run the same command again to go on.

Several processes train one run as tasks of SLURM's srun, or when each is given
--coordinator_address=HOST:PORT, --num_processes=N and its own --process_id.
"""

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    command_line.define_config_flag(given)
    command_line.define_workdir_flag(given)
    command_line.define_process_flags(given)
    flags.mark_flag_as_required("config", flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Trains."""
    from gaug_jax.stages.train import train

    command_line.connect_processes(given)
    train(command_line.given_settings(given), given.workdir)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
