"""Makes one run of a sweep, as `launch.run` has it made.

    python -m launch.job --root=R --name=wgan_gp-0

A run that is done, or that another process makes, is left alone.
"""

import sys

from absl import app, flags

from gaug_jax.workfolder import read_json
from launch.making import Making
from launch.root import FAILED, Root
from launch.sweep import Run

_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_NAME = flags.DEFINE_string("name", None, "Of the run.")


def main(arguments: list[str]) -> None:
    """Makes one run of a root."""
    del arguments
    root = Root(_ROOT.value)
    runs = {values["name"]: Run(**values) for values in read_json(root.sweep)["runs"]}
    sys.exit(Making(root, runs[_NAME.value]).make() == FAILED)


if __name__ == "__main__":
    flags.mark_flags_as_required(["root", "name"])
    app.run(main)
