"""Figures of fidelity over the steps of training."""

from typing import Any

from gaug_jax.files import read_json_lines
from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder

_PANELS = (
    ("KID", ("kid_mean",)),
    ("Frechet distance", ("fid", "fid_floor")),
    ("Precision and recall", ("precision_k5", "recall_k5")),
)


def write_fidelity_curve(folder: WorkFolder, facts: dict[str, Any]) -> None:
    """Draws the rows of `evaluation/metrics.jsonl` that were made alike.

    Args:
      folder: the work folder.
      facts: values that the rows have in common.
    """
    rows = read_json_lines(folder.fidelity)
    rows = [row for row in rows if all(row.get(name) == facts[name] for name in facts)]
    rows.sort(key=lambda row: row["step"])
    figure = new_figure(12, 3.2)
    for axes, (title, names) in zip(figure.subplots(1, 3), _PANELS, strict=True):
        for name in names:
            _draw_line(axes, rows, name)
        axes.set(title=title, xlabel="step")
        axes.legend()
        axes.grid(alpha=0.3)
    figure.suptitle(
        f"{facts['features']}, against the {facts['reference_split']} part", fontsize=10
    )
    write_figure(figure, folder.fidelity_curve)


def _draw_line(axes: Any, rows: list[dict[str, Any]], name: str) -> None:
    """Draws a figure over the steps, with its interval where it has one."""
    rows = [row for row in rows if row.get(name) is not None]
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row[name] for row in rows], marker="o", markersize=3, label=name)
    low, high = (f"{name.removesuffix('_mean')}_{end}" for end in ("low", "high"))
    if rows and all(row.get(low) is not None for row in rows):
        axes.fill_between(steps, [row[low] for row in rows], [row[high] for row in rows], alpha=0.2)
