"""Figures of matplotlib that need no display, written whole or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gaug_jax.files import atomic_file


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


def drawable_names(class_names: Sequence[str]) -> list[str]:
    """Returns names of classes for a figure: `class N` for one that its font cannot draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    # Without a glyph a figure has boxes, and a warning for each.
    known = get_font(findfont(FontProperties())).get_charmap()
    return [
        name if all(ord(character) in known for character in name) else f"class {label}"
        for label, name in enumerate(class_names)
    ]
