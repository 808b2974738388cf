"""Trains a generator, and goes on where it was stopped.

    python -m gaug_jax.main --config=configs/digits.py --workdir=runs/digits
    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine

The config's file says what it trains; every field can be set beside it, as in
--config.train.epochs=10. Run the same command again to go on.

Several processes train one run when each is given --coordinator_address=HOST:PORT,
--num_processes=N and its own --process_id.
"""

from absl import flags

from gaug_jax import command_line

_COORDINATOR = flags.DEFINE_string("coordinator_address", None, "Host and port of process 0.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", 1, "Processes that train this run.")
_PROCESS_ID = flags.DEFINE_integer("process_id", 0, "Number of this process, from 0.")


def main() -> None:
    """Trains."""
    from gaug_jax.pipeline import training
    from gaug_jax.training import parallel

    if _COORDINATOR.value:
        parallel.connect(_COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value)
    training.train_generator(flags.FLAGS.config, flags.FLAGS.workdir)


if __name__ == "__main__":
    command_line.define_config_flag()
    command_line.define_workdir_flag()
    flags.mark_flag_as_required("config")
    flags.adopt_module_key_flags(command_line)
    command_line.run(main, __doc__)
