"""Trains several runs of a sweep as one program, as `launch.job` has it done.

python -m launch.packed --root=R --names=wgan_gp-0,wgan_gp-1
"""

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    flags.DEFINE_string("root", None, "Folder of the sweep.", flag_values=given)
    text = "Of the runs, which differ in their seeds alone."
    flags.DEFINE_list("names", None, text, flag_values=given)
    flags.mark_flags_as_required(["root", "names"], flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Trains them."""
    from gaug_jax.stages.packed import train_packed
    from launch.root import Root
    from launch.sweep import read_runs, settings_of

    root = Root(given.root)
    runs = read_runs(root.sweep)
    settings = [settings_of(runs[name]) for name in given.names]
    train_packed(settings, [str(root.work_folder(name)) for name in given.names])


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
