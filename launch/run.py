"""Makes the runs of a sweep that are not made yet.

    python -m launch.run --sweep=launch/sweeps/objectives.py --root=runs/objectives
    python -m launch.run --sweep=launch/sweeps/objectives.py --root=runs/objectives \\
        --set='xray-*:data.path=covid-chestxray-dataset' --set='bangla-*:data.path=cmaterdb' \\
        --set='xray-*:data.allow_missing=True' --max_parallel=2

Every run is a work folder below the root, with a log. Run the same command again to make what is
missing or failed. `launch.collect` makes one table of them.
"""

import ast

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    for name, text in (
        ("sweep", "File that defines sweep(add)."),
        ("root", "Folder of the sweep."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=given)
    for name, text in (
        ("set", "A field for every run, or for those whose names are of a pattern: "
         "--set=data.channels=1 --set='xray-*:data.path=films'."),
        ("slurm", "For SLURM: --slurm=partition=gpu --slurm=time=120 --slurm=gpus_per_node=1."),
    ):  # fmt: skip
        flags.DEFINE_multi_string(name, [], text, flag_values=given)
    text = "Processes of this machine, or job arrays of SLURM."
    flags.DEFINE_enum("executor", "local", ["local", "slurm"], text, flag_values=given)
    for name, default, least, text in (
        ("max_parallel", 0, 0, "Runs at once; by default one a device."),
        ("retries", 1, None, "Times that a failed run is tried again."),
        ("most_packed", 8, 2, "Runs of one program, as many as fit a device's memory."),
    ):
        flags.DEFINE_integer(name, default, text, lower_bound=least, flag_values=given)
    for name, text in (
        ("pack", "Train runs that differ in their seeds alone as one program."),
        ("dry_run", "Say what would be run, and stop."),
    ):
        flags.DEFINE_bool(name, False, text, flag_values=given)
    flags.mark_flags_as_required(["sweep", "root"], flag_values=given)


def _given(text: str) -> tuple[str, str, object]:
    """Returns pattern, field and value of a --set."""
    from gaug_jax.errors import UserError

    place, separator, value = text.partition("=")
    pattern, _, name = place.rpartition(":")
    if not (separator and name):
        raise UserError(f"--set={text}: give a field and a value, such as data.path=my_images")
    try:
        return pattern or "*", name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return pattern or "*", name, value


def main(given: flags.FlagValues) -> None:
    """Makes the sweep."""
    from launch import sweeping

    slurm = given.executor == "slurm"
    command_line.check_has_effect(given, "slurm", slurm, "--executor=slurm")
    command_line.check_has_effect(given, "most_packed", given.pack, "--pack")
    options = sweeping.Options(
        given.executor, given.max_parallel, given.retries, given.dry_run, given.slurm,
        given.most_packed if given.pack else 1,
    )  # fmt: skip
    overrides = [_given(text) for text in given.set]
    sweeping.make_sweep(given.sweep, given.root, overrides, options)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
