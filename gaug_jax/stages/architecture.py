"""Which classifier a study has, where its config leaves that to the validation parts."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gaug_jax.files import read_json, write_json
from gaug_jax.progress import Progress
from gaug_jax.settings import ClassifySettings
from gaug_jax.stages.cell import Cell
from gaug_jax.workfolder import WorkFolder

AUTO = "auto"


def choose_architecture(
    folder: WorkFolder, study: ClassifySettings, cells: Callable[[], Iterable[Cell]]
) -> str:
    """Returns the study's architecture; with `auto` the best of the candidates.

    Each is fitted to the real images of every split, and judged by the mean of the endpoint over
    the validation parts, weighted by their images. No arm with generated images and no test part
    is looked at. What came out is kept in `downstream/architecture.json`.

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
    validation = _validation(study, cells)
    chosen = max(study.candidates, key=lambda name: validation[name])
    found = {"made_with": made_with, "architecture": chosen, "validation": validation}
    write_json(folder.architecture, found)
    print(f"classifier: {architecture_words(found, study.endpoint)}")
    return chosen


def _validation(study: ClassifySettings, cells: Callable[[], Iterable[Cell]]) -> dict[str, float]:
    """Returns the mean endpoint of each candidate over the validation parts."""
    progress = Progress(
        "choosing a classifier", len(study.candidates) * len(study.splits), unit="fit"
    )
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in study.candidates}
    for cell in cells():
        for name, values in found.items():
            values.append(cell.validated(name))
            progress.advance(1)
    progress.close()
    means = {}
    for name, values in found.items():
        endpoints, counts = zip(*values, strict=True)
        means[name] = float(np.average(endpoints, weights=counts))
    return means


def architecture_words(found: dict[str, Any], endpoint: str) -> str:
    """Returns a choice and its reason in words.

    Args:
      found: `downstream/architecture.json`.
      endpoint: of the study.
    """
    listed = ", ".join(f"{name} {value:.3f}" for name, value in found["validation"].items())
    return (
        f"{found['architecture']}, the best with real images alone on the validation parts "
        f"({endpoint}: {listed})"
    )
