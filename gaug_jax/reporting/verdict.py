"""The answer to the question, in a word and a sentence."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gaug_jax.reporting.downstream_table import FIGURE_NAMES, interval

_WORDS = {"better": "Helps", "worse": "Hurts", "not told apart": "Cannot be told"}


class Verdict(NamedTuple):
    """What the report begins with.

    Attributes:
      word: `Helps`, `Hurts`, `Cannot be told`, or `Not asked` where there is nothing to compare.
      sentence: by how much, against what, on how many.
    """

    word: str
    sentence: str


def training_images(size: int, per_class: bool) -> str:
    """Returns a training size in words.

    Args:
      size: of the study; 0 for all.
      per_class: whether it counts the images of each class.
    """
    return f"{size or 'all'} training images" + (" of each class" if size and per_class else "")


def verdict(summary: Mapping[str, Any], per_class: bool = False) -> Verdict:
    """Returns the verdict of a study's summary.

    Args:
      summary: `downstream/summary.json`.
      per_class: whether training sizes count the images of each class.
    """
    answer = summary["answer"]
    if answer is None:
        return Verdict("Not asked", f"{summary['endpoint_arm']} has no arm to be compared with.")
    size = summary["endpoint_size"]
    groups = summary["sizes"][str(size)]["num_groups"]
    figure = FIGURE_NAMES[summary["endpoint"]]
    sentence = (
        f"{answer['arm']} against {answer['against']}, the best arm without generated images on "
        f"validation: {figure} {interval(answer, signed=True)} (difference with its 95% interval) "
        f"with {training_images(size, per_class)}, tested on {groups} patients or groups."
    )
    if "groups_needed" in answer:
        sentence += (
            f" To tell an effect of this size from none would take about "
            f"{answer['groups_needed']:,} of them."
        )
    return Verdict(_WORDS[answer["verdict"]], sentence)
