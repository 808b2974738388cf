"""Losses and scores of a run over its epochs."""

from gaug_jax.files import read_json_lines
from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder

_PANELS = (
    ("Losses", {"d_loss": "discriminator", "g_loss": "generator"}),
    ("Mean scores (before any sigmoid)", {"d_real": "real images", "d_fake": "generated images"}),
)


def write_training_curves(folder: WorkFolder) -> None:
    """Draws `metrics.jsonl` as `training_curves.png`: losses on the left, scores on the right."""
    rows = read_json_lines(folder.metrics)
    figure = new_figure(9, 3)
    for axes, (title, lines) in zip(figure.subplots(1, 2), _PANELS, strict=True):
        for name, label in lines.items():
            axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], label=label)
        axes.set(title=title, xlabel="epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    write_figure(figure, folder.training_curves)
