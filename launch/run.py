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

_SWEEP = flags.DEFINE_string("sweep", None, "File that defines sweep(add).")
_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_SET = flags.DEFINE_multi_string(
    "set", [], "A field for every run, or for those whose names are of a pattern: "
    "--set=data.channels=1 --set='xray-*:data.path=films'.",
)  # fmt: skip
_EXECUTOR = flags.DEFINE_enum(
    "executor", "local", ["local", "slurm"], "Processes of this machine, or job arrays of SLURM."
)
_SLURM = flags.DEFINE_multi_string(
    "slurm", [], "For SLURM: --slurm=partition=gpu --slurm=time=120 --slurm=gpus_per_node=1."
)
_PARALLEL = flags.DEFINE_integer(
    "max_parallel", 0, "Runs at once; by default one a device.", lower_bound=0
)
_RETRIES = flags.DEFINE_integer("retries", 1, "Times that a failed run is tried again.")
_PACK = flags.DEFINE_bool(
    "pack", False, "Train runs that differ in their seeds alone as one program."
)
_MOST_PACKED = flags.DEFINE_integer(
    "most_packed", 8, "Runs of one program, as many as fit a device's memory.", lower_bound=2
)
_DRY = flags.DEFINE_bool("dry_run", False, "Say what would be run, and stop.")


def _given(text: str) -> tuple[str, str, object]:
    """Returns pattern, field and value of a --set."""
    from gaug_jax.settings import UserError

    place, separator, value = text.partition("=")
    pattern, _, name = place.rpartition(":")
    if not (separator and name):
        raise UserError(f"--set={text}: give a field and a value, such as data.path=my_images")
    try:
        return pattern or "*", name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return pattern or "*", name, value


def main() -> None:
    """Makes the sweep."""
    from launch import sweeping

    command_line.check_has_effect("slurm", _EXECUTOR.value == "slurm", "--executor=slurm")
    command_line.check_has_effect("most_packed", _PACK.value, "--pack")
    given = [_given(text) for text in _SET.value]
    options = sweeping.Options(
        _EXECUTOR.value, _PARALLEL.value, _RETRIES.value, _DRY.value, _SLURM.value,
        _MOST_PACKED.value if _PACK.value else 1,
    )  # fmt: skip
    sweeping.make_sweep(_SWEEP.value, _ROOT.value, given, options)


if __name__ == "__main__":
    flags.mark_flags_as_required(["sweep", "root"])
    command_line.run(main, __doc__)
