"""The study's table in Markdown: a row for each arm, a section for each training size."""

from collections.abc import Mapping, Sequence
from typing import Any

from gaug_jax.evaluation.metrics.classification import of_a_split
from gaug_jax.files import atomic_file
from gaug_jax.workfolder import WorkFolder

# Name of each column of a table, and its cells: one for each arm.
Columns = dict[str, list[str]]
FIGURE_NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "auroc_mean_over_splits": "AUROC, mean over splits",
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
        columns = {**decisive_columns(content, summary), **other_columns(content, summary)}
        header, rows = header_and_rows(columns)
        lines += [_line(header), _line(["---"] * len(header)), *map(_line, rows), ""]
        note = pooling_note(content)
        lines += [note, ""] if note else []
        lines += _external_lines(content, summary)
    for name, fields in summary.get("shortcuts", {}).items():
        lines += [f"{name}: {_shortcut(fields)}"]
    return "\n".join(lines) + "\n"


def decisive_columns(content: Mapping[str, Any], summary: Mapping[str, Any]) -> Columns:
    """Returns what a training size is judged by: the endpoint, and the differences in it.

    Args:
      content: of the training size.
      summary: `downstream/summary.json`.
    """
    arms = content["arms"]
    best = [found.get("difference_to_best") or {} for found in arms.values()]
    to_real = [found.get("difference_to_real") for found in arms.values()]
    return {
        "arm": list(arms),
        **_figure_columns(content, [summary["endpoint"]]),
        "minus best without GAN": [interval(each, signed=True) for each in best],
        "Holm p": [
            f"{each['holm_p_value']:.2g}" if "holm_p_value" in each else "" for each in best
        ],
        "minus real": [interval(each, signed=True) for each in to_real],
        "ratio": [f"{found['ratio']:g}" if found["ratio"] else "" for found in arms.values()],
        "filter": [found["filter"] if found["ratio"] else "" for found in arms.values()],
        "paper": [_paper(arm, summary["paper"]) for arm in arms],
    }


def other_columns(content: Mapping[str, Any], summary: Mapping[str, Any]) -> Columns:
    """Returns the figures beside the endpoint, of the same training size."""
    others = [name for name in FIGURE_NAMES if name != summary["endpoint"]]
    return {"arm": list(content["arms"]), **_figure_columns(content, others)}


def pooling_note(content: Mapping[str, Any]) -> str:
    """Returns what figures of several splits' pooled scores are of; nothing of one split.

    Args:
      content: of the training size.
    """
    names = " and ".join(FIGURE_NAMES[name] for name in ("auroc", "sensitivity_at_90_specificity"))
    if content.get("calibrated"):
        return (
            f"{names} are of the scores of all splits together, each classifier's calibrated on "
            "the validation part of its split."
        )
    if content.get("without_validation"):
        return (
            f"{names} are of the scores of all splits together, not calibrated to one another, "
            f"which lowers them: {content['without_validation']} holds no predictions of the "
            "validation part."
        )
    return ""


def external_title(external: Mapping[str, Any]) -> str:
    """Returns what an external test set is, in words.

    Args:
      external: of the training size.
    """
    title = f"external test set {external['name']}"
    if external["without_predictions"]:
        return title
    return f"{title}, {external['num_images']:,} images of {external['num_groups']:,} groups"


def external_columns(content: Mapping[str, Any], summary: Mapping[str, Any]) -> Columns:
    """Returns what the arms of a training size reach on the external set, the endpoint first.

    Where no predictions on it were kept there is only the mean endpoint of the fits.

    Args:
      content: of the training size, with an external set.
      summary: `downstream/summary.json`.
    """
    arms, endpoint = content["arms"], endpoint_of_external(summary)
    title = f"external {FIGURE_NAMES[endpoint]}"
    if content["external"]["without_predictions"]:
        means = [found.get(f"external_{endpoint}") for found in arms.values()]
        return {"arm": list(arms), title: ["" if each is None else f"{each:.3f}" for each in means]}
    said = [found["external"] for found in arms.values()]
    others = [name for name in said[0]["figures"] if name != endpoint]
    columns = {"arm": list(arms), title: _external_cells(said, endpoint)}
    for name, key in (("minus best without GAN", "difference_to_best"),
                      ("minus real", "difference_to_real")):  # fmt: skip
        columns[name] = [interval(each.get(key), signed=True) for each in said]
    for name in others:
        columns[f"external {FIGURE_NAMES[name]}"] = _external_cells(said, name)
    return columns


def _external_cells(said: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Returns a figure of every arm on the external set, or that it is not defined there."""
    return [interval(each["figures"][name]) or "not defined" for each in said]


def endpoint_of_external(summary: Mapping[str, Any]) -> str:
    """Returns the figure of one split that the endpoint is of, which the external set has.

    Args:
      summary: `downstream/summary.json`.
    """
    return of_a_split(summary["endpoint"])


def external_note(content: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """Returns what figures on the external set, and their intervals, are of; nothing without one.

    Args:
      content: of the training size.
      summary: `downstream/summary.json`.
    """
    external = content.get("external")
    if external is None:
        return ""
    if external["without_predictions"]:
        return (
            "Figures on the external test set have no intervals: "
            f"{external['without_predictions']} holds no predictions of it, or of other images "
            "than the other files. Without the folder downstream/predictions the same call fits "
            "all classifiers again."
        )
    note = (
        "Every classifier judges all images of the external test set; figures are the mean over "
        "classifiers, and its groups (patients where it names them, else each image with its near "
        "duplicates) are resampled"
    )
    if len(summary["splits"]) == 1:
        return f"{note}. There is one split: other training images may say otherwise."
    note += ". The spread between splits counts as that between training sets"
    if not external["shared_training"]:
        return f"{note}."
    return (
        f"{note}, which have {external['shared_training']:.0%} of their groups in common and are "
        "more alike than others would be: it is enlarged for that, on the wide side."
    )


def _external_lines(content: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    """Returns the table of the external set; nothing where there is none."""
    if "external" not in content:
        return []
    title = external_title(content["external"])
    header, rows = header_and_rows(external_columns(content, summary))
    return [
        f"### {title[0].upper()}{title[1:]}", "",
        _line(header), _line(["---"] * len(header)), *map(_line, rows), "",
        external_note(content, summary), "",
    ]  # fmt: skip


def _figure_columns(content: Mapping[str, Any], names: Sequence[str]) -> Columns:
    """Returns figures of every arm with their intervals."""
    return {
        FIGURE_NAMES[name]: [interval(arm["figures"].get(name)) for arm in content["arms"].values()]
        for name in names
    }


def header_and_rows(columns: Columns) -> tuple[list[str], list[tuple[str, ...]]]:
    """Returns the header and the rows of a table, without columns that are empty everywhere."""
    filled = {name: cells for name, cells in columns.items() if any(cells)}
    return list(filled), list(zip(*filled.values(), strict=True))


def _line(cells: Sequence[str]) -> str:
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
    """Returns the answer to the question, as a sentence, after why there is none that counts."""
    answer, reason = summary["answer"], summary.get("cannot_answer")
    if reason is not None:
        above = f"**Cannot answer: {reason}.**"
        return above if answer is None else f"{above}\n\nMade all the same: {_compared(summary)}"
    return no_answer(summary) if answer is None else _compared(summary)


def _compared(summary: Mapping[str, Any]) -> str:
    """Returns what the comparison that the config names came to, as a sentence."""
    answer = summary["answer"]
    size = summary["endpoint_size"] or "all"
    text = (
        f"**{answer['arm']} against {answer['against']} at training size {size}, "
        f"{FIGURE_NAMES[summary['endpoint']]}: {interval(answer, signed=True)}: "
        f"{answer['verdict']}.**"
    )
    if "groups_needed" in answer:
        text += f" An interval that leaves out 0 would take {how_many(summary, 'groups')}."
    return text


def no_answer(summary: Mapping[str, Any]) -> str:
    """Returns why the question has no answer.

    Args:
      summary: `downstream/summary.json`, without an answer.
    """
    arm = summary["endpoint_arm"]
    if arm == summary["sizes"][str(summary["endpoint_size"])]["best_without_gan"]:
        return f"{arm} is the best arm without generated images itself: there is no other to beat."
    return (
        f"{arm} cannot be compared: there is no arm without generated images, "
        f"or the test part has too few images of a class for an interval of "
        f"{FIGURE_NAMES[summary['endpoint']]}."
    )


def seed_counts(summary: Mapping[str, Any]) -> dict[str, int]:
    """Returns how many seeds there are of each kind: `generator` and `classifier`.

    Args:
      summary: `downstream/summary.json`.
    """
    return {kind: len(summary[f"{kind}_seeds"]) for kind in ("generator", "classifier")}


def how_many(summary: Mapping[str, Any], units: str) -> str:
    """Returns what telling an effect of the answer's size would take, in words.

    Args:
      summary: `downstream/summary.json`, whose answer is not told apart.
      units: what is counted.
    """
    needed = summary["answer"]["groups_needed"]
    seeds = "generators and classifiers of more seeds"
    if needed is None:
        return seeds
    if max(seed_counts(summary).values()) > 1:
        return f"at least about {needed:,} {units}, and {seeds}"
    return f"about {needed:,} {units}"


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
