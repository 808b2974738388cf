"""Writes those tables of the documents that are made from the code.

    python docs/make_reference.py            # writes docs/config.md and docs/work_folder.md
    python docs/make_reference.py --check    # writes nothing; ends with 1 where one is stale

What stands between `<!-- made: NAME -->` and `<!-- end: NAME -->` is made here; all around it is
written by hand and stays. The fields of the config are those of `gaug_jax.settings`, the files
those of `WorkFolder`, the exit statuses those of the exceptions and the signals.
"""

import argparse
import ast
import inspect
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # Of this tree, whatever is installed.

from gaug_jax.errors import UserError  # noqa: E402
from gaug_jax.objectives.presets import PRESETS  # noqa: E402
from gaug_jax.settings import SECTIONS, Settings  # noqa: E402
from gaug_jax.settings.fields import fields_of  # noqa: E402
from gaug_jax.training.interrupts import SIGNALS  # noqa: E402
from gaug_jax.workfolder import WorkFolder  # noqa: E402

# Of every path that a work folder has as an attribute: which command writes it, and what it is.
FILES = {
    "path": ("all", "The work folder."),
    "config": ("main", "The config of the run, every field of it."),
    "data_manifest": (
        "main",
        "Every image with its class, group, part, licence and hash; counts, duplicates, and all "
        "that was left out.",
    ),
    "given_images": (
        "main",
        "From Python alone: the arrays that `gaug_jax.train_generator` was given.",
    ),
    "checkpoints": (
        "main",
        "A folder for each step that is kept, the latest and the best: the state, `metadata.json`, "
        "and `sha256.json` with the hash of every other file.",
    ),
    "training_finished": ("main", "At which step training ended, and why."),
    "secret": (
        "main",
        "Of a private run: what its noise and its batches are drawn from. Not to be given away.",
    ),
    "rollbacks": ("main", "A row for each return to a checkpoint after a divergence."),
    "metrics": ("main", "Losses, scores, penalties, images per second: a row every few steps."),
    "training_curves": ("main", "Losses and scores, drawn at the end."),
    "tensorboard": ("main", "The same figures and grids for TensorBoard."),
    "samples": ("main", "Grids from fixed latents, a row a class."),
    "progress_picture": ("main", "The grids as a moving picture."),
    "classifier": (
        "evaluate",
        "The classifier of the real training part, whose features are `--features=classifier`; "
        "also written by whatever else needs it first.",
    ),
    "study_classifier": (
        "classify",
        "In a generator's folder: the classifier of its training part by which generated images "
        "are filtered.",
    ),
    "joint_classifier": (
        "main",
        "The classifier that `objective.classifier_weight` trained along with the generator.",
    ),
    "fidelity": ("evaluate", "A row for each measurement."),
    "fidelity_curve": ("evaluate", "With `--all_checkpoints`: the figures over training."),
    "report": ("study", "All of it on one page that needs no other file."),
    "study_times": ("study", "Seconds that each stage took."),
    "generators": (
        "classify",
        "A work folder for each generator of the study, as `<split>-<size>-<seed>`.",
    ),
    "downstream": ("classify", "What follows here; runs of another config are set aside."),
    "downstream_config": ("classify", "The config that the runs were made with."),
    "runs": ("classify", "A row for each fit of a classifier, with figures of its raw scores."),
    "predictions": (
        "classify",
        "Raw probabilities of every test and validation image, and of those of an external test "
        "set, a file for each run.",
    ),
    "architecture": (
        "classify",
        "The classifier that `classify.architecture=auto` chose, and what each candidate reached "
        "by cross-validation.",
    ),
    "downstream_summary": (
        "classify",
        "Each arm's figures with 95% intervals, on an external test set too, the differences, and "
        "the answer; of several splits whether scores were calibrated before they were pooled.",
    ),
    "downstream_table": ("classify", "The same as a table."),
    "learning_curve": ("classify", "The figure over training sizes."),
    "lock": ("all", "Held while a command writes here."),
    "ratio_curve": ("classify", "The figure over ratios, where there are several."),
    "audit": ("audit", "What was found, and whether images give anybody away."),
    "audit_picture": ("audit", "The ten worst pairs of a generated and a training image."),
    "embedding": ("embed", "What follows here."),
    "overlap": ("embed", "The overlap of real and generated images as numbers."),
    "training_map": ("embed", "Samples and discriminators of many steps in one plane."),
    "training_map_places": ("embed", "The same as numbers."),
    "synthetic": ("synthesize", "What was drawn; pictures lie in a folder for each class."),
    "synthetic_pool": (
        "classify",
        "In a generator's folder: the images that arms are served from, with every filter's score.",
    ),
    "synthetic_images": (
        "synthesize",
        "`images` (uint8), `labels`, `scores` of the discriminator; with `--filter_scores` those "
        "of the filters.",
    ),
    "synthetic_tfds": (
        "synthesize",
        "With `--format=tfds`: a folder that `tfds.builder_from_directory` reads.",
    ),
    "synthetic_manifest": (
        "synthesize",
        "With `--format=png`: a row for each picture with its class and score.",
    ),
}
# Likewise of every method that returns the path of a file: its argument, the command, the content.
FILES_BY_NAME = {
    "embedding_picture": ("<plane>", "embed", "`pca`, `tsne` and `umap`."),
    "embedding_places": ("<plane>", "embed", "The same as numbers, with class and origin."),
    "synthetic_finished": ("<format>", "synthesize", "Which images were drawn in a format."),
    "datasheet": (
        "<format>",
        "synthesize",
        "Beside pictures, and in the folder of TFDS: how the images were made, from which data and "
        "licences, what of privacy, what for.",
    ),
    "steps": (
        "<split>-<size>",
        "classify",
        "The search for the number of optimiser steps of a split and size, on the validation part.",
    ),
    "shortcut": (
        "<split>-<size>",
        "classify",
        "What the field `classify.shortcut` of the metadata alone says of the classes.",
    ),
    "sample_picture": (0, "main", "The grid of a step."),
}
# Methods whose paths are others' or the caller's.
NO_FILES = {"set_aside", "synthetic_output"}
# Who sends the signals that ask a run to stop.
WISHES = {
    "SIGINT": "Ctrl-C; a second one gives up what is not saved yet",
    "SIGTERM": "`kill` and schedulers",
    "SIGUSR1": "SLURM, where it is asked to warn before a job's time is up",
    "SIGUSR2": "SLURM, where it is asked to warn before a job's time is up",
}


def made_texts() -> dict[Path, str]:
    """Returns each document as it should be.

    Raises:
      ValueError: a document has no place for a part, or a table here is not of the code.
    """
    sections = {name: _section(kind) for name, kind in SECTIONS.items()}
    parts = {
        "config.md": {"seed": _section(Settings), **sections, "presets": _presets()},
        "work_folder.md": {"files": _files(), "exit_statuses": _exit_statuses()},
    }
    texts = {}
    for document, made in parts.items():
        path = ROOT / "docs" / document
        texts[path] = path.read_text()
        for name, part in made.items():
            texts[path] = _with_part(texts[path], name, part, path)
    return texts


def stale() -> dict[Path, str]:
    """Returns the documents that are not what the code gives, each as it should be.

    Raises:
      ValueError: as of `made_texts`.
    """
    return {path: text for path, text in made_texts().items() if path.read_text() != text}


def _with_part(text: str, name: str, made: str, path: Path) -> str:
    """Returns a document with a part made anew."""
    begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{path} needs one {begin} and one {end} after it")
    return pattern.sub(lambda _: f"{begin}\n\n{made}\n\n{end}", text)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escaped(text: str) -> str:
    """Returns text that means the same in a cell."""
    return text.replace("|", r"\|").replace("<", r"\<")


def _section(kind: type) -> str:
    """Returns what a section is, and its fields."""
    prefix = next((f"{name}." for name, each in SECTIONS.items() if each is kind), "")
    rows = [
        [
            f"`{prefix}{each.name}`",
            _type_name(each.kind),
            _value(each.default),
            "yes" if each.may_change else "",
            _escaped(each.meaning),
        ]
        for each in fields_of(kind)
    ]
    header = ["field", "type", "default", "may change", "meaning"]
    return f"{inspect.getdoc(kind)}\n\n{_table(header, rows)}"


def _type_name(kind: Any) -> str:
    """Returns a field's type in words."""
    inner = [_type_name(each) for each in get_args(kind)]
    if not inner:
        return kind.__name__
    return f"({', '.join(inner)})" if get_origin(kind) is tuple else f"tuple of {inner[0]}"


def _value(value: Any) -> str:
    """Returns a value as the command line takes it."""
    return "unset" if value is None else f"`{value}`"


def _presets() -> str:
    """Returns what each preset sets."""
    fields = list(next(iter(PRESETS.values())))
    rows = [
        [f"`{field}`", *(_value(preset[field]) for preset in PRESETS.values())] for field in fields
    ]
    return _table(["field", *(f"`{name}`" for name in PRESETS)], rows)


def _files() -> str:
    """Returns the files of a work folder, in the order in which `WorkFolder` names them.

    Raises:
      ValueError: `FILES` or `FILES_BY_NAME` lacks one, or has one that there is not.
    """
    folder = WorkFolder("/")
    methods = {
        name for name, function in inspect.getmembers(WorkFolder, inspect.isfunction)
        if get_type_hints(function).get("return") is Path
    }  # fmt: skip
    _check_same("FILES", set(FILES), set(vars(folder)))
    _check_same("FILES_BY_NAME and NO_FILES", {*FILES_BY_NAME, *NO_FILES}, methods)
    found = [(path, *FILES[name]) for name, path in vars(folder).items() if name != "path"]
    for name, (argument, command, content) in FILES_BY_NAME.items():
        found.append((getattr(folder, name)(argument), command, content))
    rows = [
        [f"`{_shown(path, folder)}`", f"`{command}`", content] for path, command, content in found
    ]
    return _table(["file", "written by", "content"], sorted(rows, key=_top_level_first))


def _check_same(table: str, described: set[str], existing: set[str]) -> None:
    """Raises `ValueError` where a table here is not of the code."""
    for name in sorted(existing - described):
        raise ValueError(f"{table} of docs/make_reference.py lacks {name}: describe it there")
    for name in sorted(described - existing):
        raise ValueError(f"{table} of docs/make_reference.py has {name}, which there is not")


def _shown(path: Path, folder: WorkFolder) -> str:
    """Returns a path within the work folder; a folder's ends with a slash."""
    name = str(path.relative_to(folder.path)).replace("00000000", "<step>")
    return name if path.suffix or path in (folder.training_finished, folder.secret) else f"{name}/"


def _top_level_first(row: list[str]) -> tuple[bool, str, bool, str]:
    """Returns a key: files of the work folder itself, then each folder with what is in it."""
    top, slash, rest = row[0].strip("`").partition("/")
    return bool(slash), top, bool(rest), rest


def _exit_statuses() -> str:
    """Returns what each exit status says.

    Raises:
      ValueError: `WISHES` lacks a signal, or has one that is not listened for.
    """
    _check_same("WISHES", set(WISHES), {number.name for number in SIGNALS})
    rows = [(0, "The work is done, or was done before.")]
    rows += [(status, f"`{name}`: {words}") for status, name, words in _errors()]
    rows.append((1, "An error that was not foreseen, with a traceback."))
    words = inspect.getdoc(UserError).partition(":")[0]
    rows.append((2, f"`UserError`: {words}, or a file that cannot be written. One line says what."))
    for number in SIGNALS:
        sender = WISHES[number.name]
        rows.append((128 + number, f"Asked to stop by {number.name} ({sender})."))
    rows.append((128 + signal.SIGPIPE, "Who reads the output has closed it."))
    rows.sort(key=lambda row: row[0])
    return _table(["status", "when"], [[str(status), when] for status, when in rows])


def _errors() -> Iterator[tuple[int, str, str]]:
    """Yields status, name and meaning of every exception that has an exit status of its own."""
    for folder in ("gaug_jax", "launch"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                lines = node.body if isinstance(node, ast.ClassDef) else ()
                assigned = (line for line in lines if isinstance(line, ast.Assign))
                values = {ast.unparse(line.targets[0]): line.value for line in assigned}
                if "exit_status" in values:
                    words = ast.get_docstring(node).partition("\n")[0]
                    yield ast.literal_eval(values["exit_status"]), node.name, words


def main() -> int:
    """Writes the documents, or checks them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say what is stale")
    check = parser.parse_args().check
    try:
        documents = stale()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, text in documents.items():
        name = path.relative_to(ROOT)
        if check:
            print(f"{name} is not what the code gives: run python docs/make_reference.py")
        else:
            path.write_text(text)
            print(f"written: {name}")
    return 1 if check and documents else 0


if __name__ == "__main__":
    sys.exit(main())
