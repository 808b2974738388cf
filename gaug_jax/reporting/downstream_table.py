"""The study's table in Markdown: a row for each arm, a section for each training size."""

from collections.abc import Mapping
from typing import Any

from gaug_jax.workfolder import WorkFolder, atomic_file

FIGURE_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "sensitivity_at_90_specificity": "sensitivity at 90% specificity",
    "expected_calibration_error": "calibration error",
}


def write_table(folder: WorkFolder, summary: Mapping[str, Any]) -> None:
    """Writes `downstream/table.md`."""
    with atomic_file(folder.downstream_table, "w") as file:
        file.write(table(summary))


def table(summary: Mapping[str, Any]) -> str:
    """Returns the table of a summary."""
    lines = [_answer_line(summary), ""]
    for size, content in summary["sizes"].items():
        title = "all training images" if size == "0" else f"training size {size}"
        best = content["best_without_gan"]
        lines += [f"## {title}", "", f"Best arm without a GAN on validation: {best}.", ""]
        header, rows = arm_rows(content, summary)
        lines += [_line(header), _line(["---"] * len(header)), *map(_line, rows), ""]
    for name, fields in summary.get("shortcuts", {}).items():
        lines += [f"{name}: {_shortcut(fields)}"]
    return "\n".join(lines) + "\n"


def arm_rows(
    content: Mapping[str, Any], summary: Mapping[str, Any]
) -> tuple[list[str], list[list[str]]]:
    """Returns the header and a row for each arm of one training size, the endpoint first."""
    names = [summary["endpoint"], *(name for name in FIGURE_NAMES if name != summary["endpoint"])]
    header = ["arm", "ratio", "filter", *(FIGURE_NAMES[name] for name in names), "minus real",
              "minus best without GAN", "Holm p", "paper"]  # fmt: skip
    rows = []
    for arm, found in content["arms"].items():
        best = found.get("difference_to_best") or {}
        synthetic = found["ratio"] > 0
        rows.append(
            [
                arm,
                f"{found['ratio']:g}" if synthetic else "",
                found["filter"] if synthetic else "",
                *(interval(found["figures"][name]) for name in names),
                interval(found.get("difference_to_real"), signed=True),
                interval(best, signed=True),
                f"{best['holm_p_value']:.2g}" if "holm_p_value" in best else "",
                _paper(arm, summary["paper"]),
            ]
        )
    return header, rows


def _line(cells: list[str]) -> str:
    """Returns a row."""
    return "| " + " | ".join(cells) + " |"


def interval(found: Mapping[str, float] | None, signed: bool = False) -> str:
    """Returns an estimate (`value`, `low`, `high`) with its interval; or nothing."""
    if not found:
        return ""
    sign = "+" if signed else ""
    value, low, high = (format(found[name], f"{sign}.3f") for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _paper(arm: str, paper: list[list[Any]]) -> str:
    """Returns what the paper reports for an arm."""
    return ", ".join(
        f"{FIGURE_NAMES[name]} {value:g}" for each, name, value in paper if each == arm
    )


def _answer_line(summary: Mapping[str, Any]) -> str:
    """Returns the answer to the question, as a sentence."""
    answer = summary["answer"]
    if answer is None:
        return f"{summary['endpoint_arm']} has no arm to be compared with."
    size = summary["endpoint_size"] or "all"
    text = (
        f"**{answer['arm']} against {answer['against']} at training size {size}, "
        f"{FIGURE_NAMES[summary['endpoint']]}: {interval(answer, signed=True)}: "
        f"{answer['verdict']}.**"
    )
    if "groups_needed" in answer:
        text += f" An interval that leaves out 0 would take about {answer['groups_needed']} groups."
    return text


def _shortcut(fields: Mapping[str, Mapping[str, float | None]]) -> str:
    """Returns the figures of a field of the metadata alone."""
    return "; ".join(
        f"{field} alone: "
        + ", ".join(
            f"{FIGURE_NAMES[name]} {value:.3f}"
            for name, value in figures.items()
            if value is not None
        )
        for field, figures in fields.items()
    )
