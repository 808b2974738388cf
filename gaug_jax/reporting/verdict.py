"""The answer to the question, in a word and a sentence."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gaug_jax.reporting.downstream_table import (
    FIGURE_NAMES,
    endpoint_of_external,
    external_title,
    how_many,
    interval,
    no_answer,
    seed_counts,
)
from gaug_jax.reporting.terms import arms_sentence

_WORDS = {"better": "Helps", "worse": "Hurts", "not told apart": "Cannot be told"}


class Verdict(NamedTuple):
    """What the report begins with.

    Attributes:
      word: `Helps`, `Hurts`, `Cannot be told`, `Cannot answer` where the classifiers are not
        above the floor, or `Not asked` where there is nothing to compare.
      sentence: by how much, against what, on how many.
    """

    word: str
    sentence: str


def training_images(size: int, manifest: Mapping[str, Any]) -> str:
    """Returns a training size in words.

    Args:
      size: of the study; 0 for all.
      manifest: `data_manifest.json`.
    """
    per_class = manifest["options"]["train_size_per_class"]
    return f"{size or 'all'} training images" + (" of each class" if size and per_class else "")


def tested_units(manifest: Mapping[str, Any]) -> str:
    """Returns what stays in one part of the data, and is resampled as one, in words.

    Args:
      manifest: `data_manifest.json`.
    """
    if manifest["groups_known"]:
        return "patients or groups"
    if manifest["num_unknown_groups"] == manifest["num_images"]:
        return "images (near duplicates counted as one)"
    return "patients, groups, or images of unknown ones"


def unknown_groups(manifest: Mapping[str, Any]) -> str:
    """Returns what it means that groups are not known, all or some.

    Args:
      manifest: `data_manifest.json`.
    """
    unknown, total = manifest["num_unknown_groups"], manifest["num_images"]
    which = ", so images" if unknown == total else f" of {unknown} of {total} images, so these"
    return (
        f"Groups (patients, writers) were not known{which} were split one by one: figures may be "
        "too good."
    )


def card_notes(summary: Mapping[str, Any]) -> list[str]:
    """Returns what must be known beside the verdict: its arms, an external test set, one split.

    Args:
      summary: `downstream/summary.json`.
    """
    answer = summary["answer"]
    notes = regions_notes(summary)
    notes += [] if answer is None else [arms_sentence([answer["arm"], answer["against"]])]
    notes += external_notes(summary)
    if len(summary["splits"]) == 1:
        notes.append(
            "There is one split: the interval covers which images are tested on, not which are "
            "trained on. Another split may say otherwise."
        )
    return notes


def external_notes(summary: Mapping[str, Any]) -> list[str]:
    """Returns what the endpoint's arm reaches on the external set, as a sentence; or none.

    Args:
      summary: `downstream/summary.json`.
    """
    content = summary["sizes"][str(summary["endpoint_size"])]
    arms, external = content["arms"], content.get("external")
    named = dict.fromkeys((summary["endpoint_arm"], "real"))
    arm, *real = (each for each in named if each in arms)
    if external is None:
        return []
    title, endpoint = external_title(external), endpoint_of_external(summary)
    figure = FIGURE_NAMES[endpoint]
    if external["without_predictions"]:
        means = {each: arms[each].get(f"external_{endpoint}") for each in (arm, *real)}
        said = [f"{each} {mean:.3f}" for each, mean in means.items() if mean is not None]
        return [f"On the {title}: {figure} of {', '.join(said) or 'no arm'}, without intervals."]
    reached = [
        f"{each} {interval(arms[each]['external']['figures'][endpoint]) or 'not defined'}"
        for each in (arm, *real)
    ]
    said = f"{figure} of {', '.join(reached)}"
    difference = arms[arm]["external"].get("difference_to_real")
    if difference:
        said = f"{arm} against real: {figure} {interval(difference, signed=True)} ({said})"
    return [f"On the {title}: {said}."]


def regions_notes(summary: Mapping[str, Any]) -> list[str]:
    """Returns where what tells the classes apart lies, as sentences; none without regions.

    Args:
      summary: `downstream/summary.json`.
    """
    regions = summary.get("regions") or {}
    if len(regions) < 2:
        return []
    name = FIGURE_NAMES[summary["endpoint"]]
    arms = dict.fromkeys(arm for found in regions.values() for arm in found)
    said = []
    for arm in arms:
        seen = [(region, found.get(arm)) for region, found in regions.items()]
        parts = [f"the {region} {interval(each)}" for region, each in seen if each]
        said.append(f"{arm}: {', '.join(parts)}")
    return [f"Where the classes are told apart ({name} of a part of the image alone): "
            f"{'; '.join(said)}."]  # fmt: skip


def verdict(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> Verdict:
    """Returns the verdict of a study's summary.

    Args:
      summary: `downstream/summary.json`.
      manifest: `data_manifest.json`.
    """
    answer = summary["answer"]
    if (reason := summary.get("cannot_answer")) is not None:
        sentence = f"{reason[0].upper()}{reason[1:]}."
        if answer is not None:
            sentence += f" Made all the same: {_compared(summary, manifest)}"
        return Verdict("Cannot answer", sentence)
    if answer is None:
        return Verdict("Not asked", no_answer(summary))
    return Verdict(_WORDS[answer["verdict"]], _compared(summary, manifest))


def _compared(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Returns what the comparison that the config names came to, in sentences."""
    answer = summary["answer"]
    size = summary["endpoint_size"]
    groups = summary["sizes"][str(size)]["num_groups"]
    figure = FIGURE_NAMES[summary["endpoint"]]
    sentence = (
        f"{answer['arm']} against {answer['against']}, the best arm without generated images on "
        f"validation: {figure} {interval(answer, signed=True)} (difference with its 95% interval) "
        f"with {training_images(size, manifest)}, tested on {groups} {tested_units(manifest)}."
    )
    if "groups_needed" in answer:
        sentence += (
            f" To tell an effect of this size from none would take {how_many(summary, 'of them')}."
        )
    return sentence + _single_seeds(summary)


def _single_seeds(summary: Mapping[str, Any]) -> str:
    """Returns what a single seed means; nothing where there are several of each kind."""
    single = [f"the {kind}s" for kind, count in seed_counts(summary).items() if count == 1]
    if not single:
        return ""
    return (
        f" This rests on one seed of {' and '.join(single)}: another may say otherwise, which the "
        "interval does not cover."
    )
