"""The study's pictures: figures against the training size, and against the ratio."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder

_SIZE = (8, 4.5)


def write_learning_curve(folder: WorkFolder, summary: Mapping[str, Any]) -> None:
    """Draws `downstream/learning_curve.png`: each arm's endpoint over the training sizes."""
    from matplotlib import colormaps

    figure = new_figure(*_SIZE)
    axes = figure.subplots()
    colours = colormaps["tab20"]
    sizes = sorted(summary["sizes"], key=lambda size: int(size) or float("inf"))
    arms = {arm: None for size in sizes for arm in summary["sizes"][size]["arms"]}
    for number, arm in enumerate(arms):
        found = [
            (place, summary["sizes"][size]["arms"][arm]["figures"][summary["endpoint"]])
            for place, size in enumerate(sizes)
            if arm in summary["sizes"][size]["arms"]
        ]
        found = [(place, estimate) for place, estimate in found if estimate is not None]
        if not found:
            continue
        places = np.array([place for place, _ in found]) + (number - len(arms) / 2) * 0.02
        values, lows, highs = (
            np.array([estimate[name] for _, estimate in found]) for name in ("value", "low", "high")
        )
        line = "-" if "gan" in arm or arm in ("pretrain", "pseudo_label") else "--"
        axes.errorbar(
            places, values, yerr=[values - lows, highs - values], label=arm, linestyle=line,
            marker="o", markersize=3, capsize=2, linewidth=1, color=colours(number % 20),
        )  # fmt: skip
    axes.set_xticks(range(len(sizes)), [size if size != "0" else "all" for size in sizes])
    axes.set(xlabel="training size", ylabel=summary["endpoint"])
    axes.grid(alpha=0.3)
    _legend_beside(figure)
    write_figure(figure, folder.learning_curve)


def write_ratio_curve(folder: WorkFolder, rows: list[dict[str, Any]], endpoint: str) -> None:
    """Draws `downstream/ratios.png`: the endpoint over the ratio of generated to real images."""
    figure = new_figure(*_SIZE)
    axes = figure.subplots()
    series: dict[tuple, dict[float, list[float]]] = {}
    for row in rows:
        if row["arm"] in ("gan", "gan+classical") and row[endpoint] is not None:
            key = (row["arm"], row["filter"], row["train_size"])
            series.setdefault(key, {}).setdefault(row["ratio"], []).append(row[endpoint])
    for (arm, chosen, size), values in sorted(series.items()):
        ratios = sorted(values)
        label = f"{arm}, size {size or 'all'}" + ("" if chosen == "none" else f", {chosen}")
        axes.plot(ratios, [np.mean(values[ratio]) for ratio in ratios], marker="o", label=label)
    axes.set(xlabel="generated images for each real one", ylabel=f"{endpoint} (test, mean of fits)")
    axes.grid(alpha=0.3)
    if series:
        _legend_beside(figure)
    write_figure(figure, folder.ratio_curve)


def _legend_beside(figure: Any) -> None:
    """Puts the legend at the right, where it covers no line."""
    figure.legend(loc="outside right center", fontsize=7)
