"""Figures of matplotlib that need no display, written whole or not at all."""

from pathlib import Path
from typing import Any

from gaug_jax.workfolder import atomic_file


def new_figure(width: float, height: float) -> Any:
    """Returns an empty figure of a size in inches."""
    # The object interface: it needs no display and no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Any, path: Path) -> None:
    """Writes a figure as PNG."""
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=110)
