"""Trains several runs of a sweep as one program, as `launch.job` has it done.

python -m launch.packed --root=R --names=wgan_gp-0,wgan_gp-1
"""

from absl import flags

from gaug_jax import command_line

_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_NAMES = flags.DEFINE_list("names", None, "Of the runs, which differ in their seeds alone.")


def main() -> None:
    """Trains them."""
    from gaug_jax.pipeline.packed import train_packed
    from launch.root import Root
    from launch.sweep import config_of, read_runs

    root = Root(_ROOT.value)
    runs = read_runs(root.sweep)
    values = [config_of(runs[name]).to_dict() for name in _NAMES.value]
    train_packed(values, [str(root.work_folder(name)) for name in _NAMES.value])


if __name__ == "__main__":
    flags.mark_flags_as_required(["root", "names"])
    command_line.run(main, __doc__)
