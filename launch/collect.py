"""Makes one table of all runs of a sweep.

    python -m launch.collect --root=runs/objectives --figures=kid_mean,fid,precision_k5,recall_k5

Writes rows.csv (a row for each run, also of those that are not done), table.md (mean, 95% interval
and number of seeds for each group of runs whose names differ in the last number) and plot.png. Runs
that are not done are named and never averaged.
"""

from absl import flags

from gaug_jax import command_line

_ROOT = flags.DEFINE_string("root", None, "Folder of the sweep.")
_FIGURES = flags.DEFINE_list(
    "figures", ["kid_mean", "fid", "precision_k5", "recall_k5"],
    "Figures of evaluation/metrics.jsonl, or of downstream/runs.jsonl (by arm).",
)  # fmt: skip


def main() -> None:
    """Collects."""
    from launch import collecting

    collecting.collect(_ROOT.value, _FIGURES.value)


if __name__ == "__main__":
    flags.mark_flag_as_required("root")
    command_line.run(main, __doc__)
