"""Which classifier a study has, where its config leaves that to cross-validation."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gaug_jax.files import read_json, write_json
from gaug_jax.progress import Progress
from gaug_jax.settings import ClassifySettings
from gaug_jax.stages.cell import Cell
from gaug_jax.workfolder import WorkFolder

AUTO = "auto"
# So much below the best over the splits so far, a candidate is left behind: two standard deviations
# of the difference between two candidates from split to split, seen on training parts of 383 films.
_BEHIND = 0.08


def choose_architecture(
    folder: WorkFolder, study: ClassifySettings, cells: Callable[[], Iterable[Cell]]
) -> str:
    """Returns the study's architecture; with `auto` the best of the candidates.

    Each is judged by cross-validation of the real images of every split's training part: by the
    mean of the endpoint over the splits, weighted by their images. One that is far behind the
    best after some splits is not judged in the others. No arm with generated images and no split's
    validation or test part is looked at. What came out is kept in `downstream/architecture.json`.

    Args:
      folder: of the study, which is held.
      study: its settings.
      cells: gives those of the endpoint's training size, one for each split.

    Raises:
      UserError: the package of a pretrained network's weights is not there.
    """
    if study.architecture != AUTO:
        return study.architecture
    made_with = {
        "candidates": list(study.candidates),
        "endpoint": study.endpoint,
        "data_sha256": [cell.data_sha256 for cell in cells()],
    }
    if folder.architecture.exists():
        before = read_json(folder.architecture)
        if before["made_with"] == made_with:
            return before["architecture"]
    reached = _cross_validation(study, cells)
    # By the number of splits first: who was left behind was so by one that went on.
    chosen = max(study.candidates, key=lambda name: tuple(reached[name].values()))
    found = {"made_with": made_with, "architecture": chosen, "cross_validation": reached}
    write_json(folder.architecture, found)
    print(f"classifier: {architecture_words(found, study.endpoint)}")
    return chosen


def _cross_validation(
    study: ClassifySettings, cells: Callable[[], Iterable[Cell]]
) -> dict[str, dict[str, float]]:
    """Returns what each candidate reaches, and in how many splits it was judged."""
    total = len(study.candidates) * len(study.splits)
    progress = Progress("choosing a classifier", total, unit="fit")
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in study.candidates}
    racing = list(study.candidates)
    for cell in cells():
        for name in racing:
            found[name].append(cell.cross_validated(name))
            progress.advance(1)
        progress.advance(len(study.candidates) - len(racing))
        best = max(_mean(found[name]) for name in racing)
        racing = [name for name in racing if _mean(found[name]) >= best - _BEHIND]
    progress.close()
    return {name: {"splits": len(each), "mean": _mean(each)} for name, each in found.items()}


def _mean(judged: list[tuple[float, int]]) -> float:
    """Returns the mean endpoint over splits, weighted by their images."""
    endpoints, counts = zip(*judged, strict=True)
    return float(np.average(endpoints, weights=counts))


def architecture_words(found: dict[str, Any], endpoint: str) -> str:
    """Returns a choice and its reason in words.

    Args:
      found: `downstream/architecture.json`.
      endpoint: of the study.
    """
    reached = found["cross_validation"]
    most = max(each["splits"] for each in reached.values())
    listed = ", ".join(
        f"{name} {each['mean']:.3f}" + (f" after {each['splits']} of {most} splits"
                                        if each["splits"] < most else "")
        for name, each in reached.items()
    )  # fmt: skip
    return (
        f"{found['architecture']}, the best with real images alone by cross-validation of the "
        f"training parts ({endpoint}: {listed})"
    )
