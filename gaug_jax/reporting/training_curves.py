"""Losses and scores of a run over its epochs."""

from gaug_jax.files import read_json_lines
from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder

# A family has the panels of which it has the figures.
_PANELS = (
    ("Losses", {"d_loss": "discriminator", "g_loss": "generator"}),
    ("Mean scores (before any sigmoid)", {"d_real": "real images", "d_fake": "generated images"}),
    ("Denoising loss", {"denoising_loss": "training images"}),
)


def write_training_curves(folder: WorkFolder) -> None:
    """Draws `metrics.jsonl` as `training_curves.png`: losses on the left, scores on the right."""
    rows = read_json_lines(folder.metrics)
    figure = new_figure(9, 3)
    panels = [(title, lines) for title, lines in _PANELS if lines.keys() <= rows[0].keys()]
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, lines) in zip(places, panels, strict=True):
        for name, label in lines.items():
            axes.plot([row["epoch"] for row in rows], [row[name] for row in rows], label=label)
        axes.set(title=title, xlabel="epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    write_figure(figure, folder.training_curves)
