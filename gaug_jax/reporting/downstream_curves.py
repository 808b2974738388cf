"""The study's pictures: figures against the training size, and against the ratio."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gaug_jax.reporting.downstream_table import FIGURE_NAMES
from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder

_SIZE = (8, 4.5)
_HEIGHT_OF_ROW = 0.35
# Arms that are tried at every ratio.
_OVER_RATIOS = ("gan", "gan+classical", "gan_balanced", "gan_balanced+classical")


def write_learning_curve(folder: WorkFolder, summary: Mapping[str, Any]) -> None:
    """Draws `downstream/learning_curve.png`: see `learning_figure`."""
    write_figure(learning_figure(summary), folder.learning_curve)


def learning_figure(summary: Mapping[str, Any]) -> Any:
    """Returns each arm's endpoint with its interval: over the sizes, or a row each for one size.

    Args:
      summary: `downstream/summary.json`.
    """
    if len(summary["sizes"]) == 1:
        return _rows_of_arms(summary)
    return _lines_of_arms(summary)


def _rows_of_arms(summary: Mapping[str, Any]) -> Any:
    """Returns a dot with its interval for each arm, the first one above."""
    (content,) = summary["sizes"].values()
    estimates = {
        arm: found["figures"][summary["endpoint"]] for arm, found in content["arms"].items()
    }
    shown = {arm: each for arm, each in estimates.items() if each is not None}
    figure = new_figure(_SIZE[0], 1 + _HEIGHT_OF_ROW * len(shown))
    axes = figure.subplots()
    for row, estimate in enumerate(shown.values()):
        values, reach = _errors([estimate])
        axes.errorbar(values, [row], xerr=reach, marker="o", capsize=3, color="C0")
    axes.set_yticks(range(len(shown)), list(shown))
    axes.invert_yaxis()
    axes.set_xlabel(FIGURE_NAMES[summary["endpoint"]])
    axes.grid(alpha=0.3, axis="x")
    return figure


def _lines_of_arms(summary: Mapping[str, Any]) -> Any:
    """Returns a line for each arm over the training sizes."""
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
        values, reach = _errors([estimate for _, estimate in found])
        line = "-" if "gan" in arm or arm in ("pretrain", "pseudo_label") else "--"
        axes.errorbar(
            places, values, yerr=reach, label=arm, linestyle=line, marker="o", markersize=3,
            capsize=2, linewidth=1, color=colours(number % 20),
        )  # fmt: skip
    axes.set_xticks(range(len(sizes)), [size if size != "0" else "all" for size in sizes])
    axes.set(xlabel="training size", ylabel=FIGURE_NAMES[summary["endpoint"]])
    axes.grid(alpha=0.3)
    _legend_beside(figure)
    return figure


def _errors(estimates: list[Mapping[str, float]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns values, and how far their intervals reach below and above them."""
    values, lows, highs = (
        np.array([estimate[name] for estimate in estimates]) for name in ("value", "low", "high")
    )
    return values, [values - lows, highs - values]


def write_ratio_curve(folder: WorkFolder, rows: list[dict[str, Any]], endpoint: str) -> None:
    """Draws `downstream/ratios.png`: the endpoint over the ratio of generated to real images.

    With a single ratio there is no such picture, and one of an earlier study goes.
    """
    series: dict[tuple, dict[float, list[float]]] = {}
    for row in rows:
        if row["arm"] in _OVER_RATIOS and row[endpoint] is not None:
            key = (row["arm"], row["filter"], row["train_size"])
            series.setdefault(key, {}).setdefault(row["ratio"], []).append(row[endpoint])
    if max(map(len, series.values()), default=0) < 2:
        folder.ratio_curve.unlink(missing_ok=True)
        return
    write_figure(_ratio_figure(series, endpoint), folder.ratio_curve)


def _ratio_figure(series: Mapping[tuple, Mapping[float, list[float]]], endpoint: str) -> Any:
    """Returns a line for each arm, filter and training size over the ratio."""
    figure = new_figure(*_SIZE)
    axes = figure.subplots()
    for (arm, chosen, size), values in sorted(series.items()):
        ratios = sorted(values)
        label = f"{arm}, size {size or 'all'}" + ("" if chosen == "none" else f", {chosen}")
        axes.plot(ratios, [np.mean(values[ratio]) for ratio in ratios], marker="o", label=label)
    axes.set(
        xlabel="generated images for each real one",
        ylabel=f"{FIGURE_NAMES[endpoint]} (test, mean of fits)",
    )
    axes.grid(alpha=0.3)
    _legend_beside(figure)
    return figure


def _legend_beside(figure: Any) -> None:
    """Puts the legend at the right, where it covers no line."""
    figure.legend(loc="outside right center", fontsize=7)
