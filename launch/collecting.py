"""Rows of all runs of a sweep, and what they say together."""

import csv
import re
import statistics
from collections.abc import Sequence
from typing import Any

import scipy.stats

from gaug_jax.errors import UserError
from gaug_jax.files import atomic_file, read_json, read_json_lines
from gaug_jax.reporting.figures import new_figure, write_figure
from gaug_jax.workfolder import WorkFolder
from launch.root import DONE, Root
from launch.sweep import SweepRun

_SEED = re.compile(r"-\d+$")
# What makes two rows of one run comparable with those of another.
_OF_A_ROW = ("arm", "train_size", "ratio", "filter")


def collect(folder: str, figures: Sequence[str]) -> None:
    """Writes table, rows and plot of a sweep.

    Args:
      folder: its root.
      figures: of the rows that runs left.

    Raises:
      UserError: there is no sweep, or no run has such a figure.
    """
    root = Root(folder)
    if not root.sweep.exists():
        raise UserError(f"--root={folder} is no folder of a sweep: give one that launch.run made")
    sweep = read_json(root.sweep)
    runs = [SweepRun(**values) for values in sweep["runs"]]
    rows = [row for run in runs for row in _rows(root, run, figures)]
    if not any(row[name] is not None for row in rows for name in figures):
        raise UserError(f"no run in {root.path} has any of the figures {', '.join(figures)} yet")
    _write_rows(root, rows, figures)
    groups = _groups(rows)
    unfinished = {run.name: root.state(run.name) for run in runs}
    unfinished = {name: state for name, state in unfinished.items() if state != DONE}
    text = table(groups, figures, sweep["paper"], unfinished)
    with atomic_file(root.table, "w") as file:
        file.write(text)
    _write_plot(root, groups, figures)
    print(text)
    print(f"written to {root.path}")


def _rows(root: Root, run: SweepRun, figures: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the rows of a run: the last measurement, or one for each arm of a study.

    A study has both; those are taken that have one of the figures.
    """
    folder = WorkFolder(root.work_folder(run.name))
    known = {"name": run.name, "group": _SEED.sub("", run.name), "state": root.state(run.name)}
    measured, fits = read_json_lines(folder.fidelity)[-1:], read_json_lines(folder.runs)
    wanted = any(name in row for row in measured for name in figures)
    found = measured if wanted or not fits else fits
    if known["state"] != DONE or not found:
        return [{**known, **dict.fromkeys(figures)}]
    names = (*_OF_A_ROW, *figures)
    return [{**known, **{name: row.get(name) for name in names}} for row in found]


def _write_rows(root: Root, rows: list[dict[str, Any]], figures: Sequence[str]) -> None:
    """Writes all rows as CSV."""
    with atomic_file(root.rows, "w") as file:
        writer = csv.DictWriter(file, ["name", "group", "state", *_OF_A_ROW, *figures])
        writer.writeheader()
        writer.writerows(rows)


def _groups(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of finished runs that differ in their seeds alone."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        details = [str(row[name]) for name in _OF_A_ROW if row.get(name) is not None]
        name = " ".join([row["group"], *details])
        groups.setdefault(name, [])
        if row["state"] == DONE:
            groups[name].append(row)
    return groups


def estimate(values: Sequence[float]) -> tuple[float, float | None]:
    """Returns the mean, and how far its 95% interval reaches (Student's t; None for one value)."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return mean, None
    reach = scipy.stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values)
    return mean, reach / len(values) ** 0.5


def table(
    groups: dict[str, list[dict[str, Any]]],
    figures: Sequence[str],
    paper: dict[str, str],
    unfinished: dict[str, str],
) -> str:
    """Returns the table in Markdown.

    Args:
      groups: rows by group.
      figures: the columns.
      paper: what a paper reports of a group.
      unfinished: runs that are not done, with their states.
    """
    lines = [["runs", "n", *figures, "the paper"], ["---"] * (len(figures) + 3)]
    for name, rows in groups.items():
        cells = [_cell([row[figure] for row in rows]) for figure in figures]
        # Of a study the paper's figures are of an arm, whatever its ratio and filter.
        label = " ".join(name.split(" ")[:2])
        lines.append([name, str(len(rows)), *cells, paper.get(label, "")])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    if unfinished:
        listed = ", ".join(f"{name} ({state})" for name, state in unfinished.items())
        text += f"\n**{len(unfinished)} runs are not done and not in these means:** {listed}.\n"
    return text


def _cell(values: Sequence[float | None]) -> str:
    """Returns mean and interval of what was measured."""
    measured = [value for value in values if value is not None]
    if not measured:
        return ""
    mean, reach = estimate(measured)
    text = f"{mean:.4g}" if reach is None else f"{mean:.4g} ± {reach:.2g}"
    return text if len(measured) == len(values) else f"{text} (of {len(measured)})"


def _write_plot(
    root: Root, groups: dict[str, list[dict[str, Any]]], figures: Sequence[str]
) -> None:
    """Draws mean and interval of every group, a panel a figure."""
    figure = new_figure(4 * len(figures), 1.5 + 0.3 * len(groups))
    panels = figure.subplots(1, len(figures), squeeze=False, sharey=True)[0]
    names = list(groups)
    for axes, name in zip(panels, figures, strict=True):
        for place, group in enumerate(names):
            values = [row[name] for row in groups[group] if row[name] is not None]
            if not values:
                continue
            mean, reach = estimate(values)
            axes.errorbar([mean], [place], xerr=[reach or 0.0], marker="o", capsize=3)
            axes.scatter(values, [place] * len(values), s=8, color="grey")
        axes.set(title=name)
        axes.grid(alpha=0.3)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    write_figure(figure, root.plot)
