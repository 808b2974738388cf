"""Makes one table of all runs of a sweep.

    python -m launch.collect --root=runs/objectives --figures=kid_mean,fid,precision_k5,recall_k5

Writes rows.csv (a row for each run, also of those that are not done), table.md (mean, 95% interval
and number of seeds for each group of runs whose names differ in the last number) and plot.png. Runs
that are not done are named and never averaged.
"""

from absl import flags

from gaug_jax import command_line


def define_flags(given: flags.FlagValues) -> None:
    """Defines the flags."""
    flags.DEFINE_string("root", None, "Folder of the sweep.", flag_values=given)
    flags.DEFINE_list(
        "figures", ["kid_mean", "fid", "precision_k5", "recall_k5"],
        "Figures of evaluation/metrics.jsonl, or of downstream/runs.jsonl (by arm).",
        flag_values=given,
    )  # fmt: skip
    flags.mark_flag_as_required("root", flag_values=given)


def main(given: flags.FlagValues) -> None:
    """Collects."""
    from launch import collecting

    collecting.collect(given.root, given.figures)


BINARY = command_line.Binary(define_flags, main, __doc__)

if __name__ == "__main__":
    command_line.run(BINARY)
