"""The report of a work folder: `report.html`, one file that needs no other."""

import importlib.metadata
import math
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gaug_jax import data
from gaug_jax.auditing.words import sentences
from gaug_jax.data.manifest import report_lines
from gaug_jax.data.splits import TEST, TRAIN
from gaug_jax.evaluation.metrics.nearest import nearest
from gaug_jax.files import read_json, read_json_lines
from gaug_jax.reporting import sections
from gaug_jax.reporting.data_card import data_section
from gaug_jax.reporting.downstream_table import FIGURE_NAMES
from gaug_jax.reporting.embedding_plot import PLANE_NAMES
from gaug_jax.reporting.image_pictures import class_grids, neighbour_grid, some_of_each, sprite
from gaug_jax.reporting.page import Page, Picture, Scatter, Section, picture_of_file, write_page
from gaug_jax.reporting.terms import ARMS
from gaug_jax.reporting.verdict import card_notes, unknown_groups, verdict
from gaug_jax.stages.opened import Opened
from gaug_jax.workfolder import WorkFolder

_PACKAGES = ("gaug_jax", "jax", "flax", "optax", "orbax-checkpoint", "numpy", "scikit-learn",
             "umap-learn")  # fmt: skip
# Images of each origin in the scatter, so that a report can be sent.
_MOST_IN_SCATTER = 300
_MOST_NEIGHBOURS = 10


def write_report(
    opened: Opened,
    workdir: str,
    command: str,
    times: Mapping[str, float],
    *,
    features: str,
    not_audited: str,
    with_generator: bool = True,
) -> None:
    """Writes `report.html` from what the stages left in a work folder.

    Args:
      opened: work folder in which all stages are finished.
      workdir: how commands in the report are to name it.
      command: that makes the same again.
      times: seconds of each stage.
      features: of the measurement that is shown.
      not_audited: why there is no audit; empty where there is one.
      with_generator: whether there are the stages of a generator, or the classifiers alone.
    """
    folder, prepared = opened.folder, opened.prepared
    manifest = prepared.manifest
    summary = _in_order(read_json(folder.downstream_summary))
    answer = verdict(summary, manifest)
    notes = [*card_notes(summary), "This is research software: nothing here is for diagnosis."]
    of_generator: list[Section] = []
    privacy: list[Section] = []
    if with_generator:
        found = _audited(folder, not_audited)
        notes.append(found[0])
        of_generator = _generator_sections(folder, prepared, workdir, features)
        privacy = [sections.privacy_section(found, _audit_pictures(folder))]
    else:
        notes.append("No generator was trained: nothing that it could draw would be judged.")
    if not manifest["groups_known"]:
        notes.append(unknown_groups(manifest))
    page = Page(
        title=f"{manifest['source']}: {folder.path.name}",
        verdict=answer.word,
        answer=answer.sentence,
        notes=notes,
        sections=[
            data_section(manifest, report_lines(manifest)),
            *of_generator,
            sections.downstream_section(summary, _downstream_pictures(folder, summary), manifest),
            *privacy,
            _run(folder, manifest, command, times),
        ],
    )
    write_page(folder.report, page)


def _generator_sections(
    folder: WorkFolder, prepared: data.PreparedData, workdir: str, features: str
) -> list[Section]:
    """Returns what a generator drew, how it was trained and measured, and where its images lie."""
    rows = read_json_lines(folder.metrics)
    return [
        sections.images_section(_image_pictures(folder, prepared)),
        sections.training_section(_training_pictures(folder), rows[-1] if rows else None),
        sections.fidelity_section(_measured(folder, features), workdir),
        _embedding(folder, prepared),
    ]


def _present(*pictures: Picture | None) -> list[Picture]:
    """Returns the pictures that there are."""
    return [picture for picture in pictures if picture is not None]


def _audited(folder: WorkFolder, not_audited: str) -> list[str]:
    """Returns what the audit found, or why there is none, as sentences."""
    if not_audited:
        return [
            f"These generated images were not audited ({not_audited}): treat them as you would "
            "treat the originals."
        ]
    return sentences(read_json(folder.audit))


def _measured(folder: WorkFolder, features: str) -> dict[str, Any] | None:
    """Returns the measurement of the last step against the test part, of these features."""
    rows = [row for row in read_json_lines(folder.fidelity) if row["reference_split"] == TEST]
    last = max((row["step"] for row in rows), default=0)
    of_last = [row for row in rows if row["step"] == last]
    wanted = [row for row in of_last if row["features"] == features]
    return (wanted or of_last or [None])[-1]


def _in_order(summary: dict[str, Any]) -> dict[str, Any]:
    """Returns a summary with sizes and arms in their usual order; JSON has them sorted."""
    sizes = summary["sizes"]
    ordered = sorted(sizes, key=lambda size: int(size) or math.inf)  # 0 is all.
    summary["sizes"] = {size: sizes[size] for size in ordered}
    for content in summary["sizes"].values():
        content["arms"] = {arm: content["arms"][arm] for arm in ARMS if arm in content["arms"]}
    return summary


def _image_pictures(folder: WorkFolder, prepared: data.PreparedData) -> list[Picture]:
    """Returns real beside generated images, and generated ones beside the nearest real ones."""
    with np.load(folder.synthetic_images, allow_pickle=False) as file:
        drawn, labels = file["images"], file["labels"]
    train = prepared.part(TRAIN)
    some = drawn[np.random.default_rng(0).permutation(len(drawn))[:_MOST_NEIGHBOURS]]
    _, places = nearest(*(each.reshape(len(each), -1) / 255.0 for each in (some, train[0])))
    return [
        *class_grids(train, (drawn, labels), prepared.class_names),
        neighbour_grid(some, train[0][places]),
    ]


def _training_pictures(folder: WorkFolder) -> list[Picture]:
    """Returns the curves of training."""
    return _present(
        picture_of_file(
            folder.training_curves,
            "Losses of both networks, and mean scores of real and generated images, over epochs",
            "Losses, and the discriminator's mean scores of real and generated images.",
        ),
    )


def _downstream_pictures(folder: WorkFolder, summary: Mapping[str, Any]) -> list[Picture]:
    """Returns the curves of the classifiers."""
    name = FIGURE_NAMES[summary["endpoint"]]
    over = " over the training sizes" if len(summary["sizes"]) > 1 else ""
    return _present(
        picture_of_file(
            folder.learning_curve,
            f"The {name} of each arm with its interval{over}",
            f"The {name} of each arm{over}, with 95% intervals.",
        ),
        picture_of_file(
            folder.ratio_curve,
            f"The {name} of the arms with generated images over their ratio to real ones",
            "Arms with generated images over the ratio of generated to real ones, by filter.",
        ),
    )


def _audit_pictures(folder: WorkFolder) -> list[Picture]:
    """Returns the worst pairs."""
    return _present(
        picture_of_file(
            folder.audit_picture,
            "Generated images, and below each the training image that it is likest to",
            "The ten generated images (above) that come nearest to a training image (below), for "
            "how near that one is to its own fellows.",
        ),
    )


def _embedding(folder: WorkFolder, prepared: data.PreparedData) -> Section:
    """Returns the embedding's section."""
    pictures = [
        picture_of_file(
            folder.embedding_picture(plane),
            f"Images as points in {name}'s plane, coloured by class, their marker by origin",
            f"{name}.",
        )
        for plane, name in PLANE_NAMES.items()
    ]
    training = picture_of_file(
        folder.training_map,
        "Samples of training by step among real images, and both by each discriminator",
        "The training map: samples that come to lie among real ones converge, samples that draw "
        "together collapse.",
    )
    overlap = read_json(folder.overlap)
    shown = _present(*pictures, training)
    return sections.embedding_section(overlap, shown, _scatter(folder, prepared))


def _scatter(folder: WorkFolder, prepared: data.PreparedData) -> Scatter:
    """Returns the planes with the images at their places."""
    planes = {}
    for plane, name in PLANE_NAMES.items():
        with np.load(folder.embedding_places(plane), allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
        origins = found["origins"]
        chosen = some_of_each(origins, _MOST_IN_SCATTER)
        planes[name] = found["places"][chosen].round(3).tolist()
    with np.load(folder.synthetic_images, allow_pickle=False) as file:
        drawn = file["images"]
    generated = len(found["origin_names"]) - 1
    images = np.stack(
        [
            (drawn if origin == generated else prepared.images)[row]
            for origin, row in zip(origins[chosen], found["rows"][chosen], strict=True)
        ]
    )
    picture, columns = sprite(images)
    facts = {
        "columns": columns,
        "planes": planes,
        "origins": origins[chosen].tolist(),
        "labels": found["labels"][chosen].tolist(),
        "origin_names": found["origin_names"].tolist(),
        "classes": found["class_names"].tolist(),
    }
    return Scatter(picture, facts)


def _run(
    folder: WorkFolder, manifest: Mapping[str, Any], command: str, times: Mapping[str, float]
) -> Section:
    """Returns what was run."""
    config = read_json(folder.config)
    facts = {name: importlib.metadata.version(name) for name in _PACKAGES}
    facts |= {
        "commit of gaug_jax": _commit(),
        "Python": platform.python_version(),
        "devices": ", ".join(sorted({device.device_kind for device in jax.devices()})),
        "seed of the generator": str(config["seed"]),
        "seed of the split": str(config["data"]["split_seed"]),
        "SHA-256 of the data": manifest["manifest_sha256"],
    }
    return sections.run_section(command, facts, times, config)


def _commit() -> str:
    """Returns the commit of this checkout, with `-dirty` where files differ from it."""
    root = Path(__file__).resolve().parents[2]
    git = ["git", "-C", str(root)]
    try:
        # An installed copy may lie in a folder of somebody else's repository.
        top = _output([*git, "rev-parse", "--show-toplevel"])
        if Path(top).resolve() != root:
            return "not known: installed, not a checkout"
        return _output([*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])
    except (OSError, subprocess.CalledProcessError):
        return "not known: no checkout of git's"


def _output(command: list[str]) -> str:
    """Returns what a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
