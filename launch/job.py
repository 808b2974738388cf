"""Makes one run of a sweep, or several as one program, as `launch.run` has it made.

    python -m launch.job --root=R --names=wgan_gp-0

A run that is done, or that another process makes, is left alone.
"""

import sys

from absl import app, flags

from launch.making import Making
from launch.root import FAILED, Root
from launch.sweep import read_runs
from launch.unit import Unit

_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_NAMES = flags.DEFINE_list("names", None, "Of the run, or of the runs.")


def main(arguments: list[str]) -> None:
    """Makes what is named of a root."""
    del arguments
    root = Root(_ROOT.value)
    runs = read_runs(root.sweep)
    unit = Unit(tuple(runs[name] for name in _NAMES.value))
    sys.exit(Making(root, unit).make() == FAILED)


if __name__ == "__main__":
    flags.mark_flags_as_required(["root", "names"])
    app.run(main)
