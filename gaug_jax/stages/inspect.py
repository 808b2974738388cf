"""What would be read of a data set: a card and contact sheets, before anything is trained."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from gaug_jax import data
from gaug_jax.data.manifest import report_lines
from gaug_jax.files import check_writable, make_folder, write_json
from gaug_jax.reporting.contact_sheets import chosen_images, write_sheets
from gaug_jax.reporting.data_card import data_section
from gaug_jax.reporting.section_text import section_text
from gaug_jax.settings import Settings
from gaug_jax.synthesis.export import class_folders

MANIFEST = "data_manifest.json"
SHEETS = "contact_sheets"
_DUPLICATES = "duplicates"
_MOST_PAIRS = 24
_STOPS = (
    "training stops at pictures that are absent or cannot be read, and goes on without them by "
    "--config.data.allow_missing=True"
)


def inspect(settings: Settings, out: str, num: int) -> None:
    """Reads a data set as training would, and shows it.

    Pictures that are absent or cannot be read stop nothing here: they are listed.

    Args:
      settings: of the run that is thought of.
      out: folder for `data_manifest.json`, and for `contact_sheets/` with `<class>.png` and, where
        images are alike, `duplicates.png`; what an earlier call wrote there is replaced.
      num: images on a sheet, at most.

    Raises:
      UserError: the data cannot be used, or the folder cannot be written.
    """
    folder = Path(out).expanduser()
    check_writable(str(folder / MANIFEST), "--out")
    reading = dataclasses.replace(settings.data, allow_missing=True)
    prepared = data.prepare(reading, report=False)  # The card has its lines.
    manifest = prepared.manifest
    sheets, columns = _sheets(prepared, num)
    _write(folder, sheets, columns)
    write_json(folder / MANIFEST, manifest)
    lines = report_lines(manifest)
    if (manifest["missing"] or manifest["unreadable"]) and not settings.data.allow_missing:
        lines.append(_STOPS)
    print(section_text(data_section(manifest, lines)))
    names = ", ".join(sheets)
    print(f"Contact sheets ({names}): {folder / SHEETS}. All pictures: {folder / MANIFEST}.")


def _write(folder: Path, sheets: dict[str, np.ndarray], columns: dict[str, int]) -> None:
    """Writes the contact sheets in place of earlier ones, all or none."""
    temporary = folder / f".{SHEETS}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    make_folder(temporary, "--out")
    write_sheets(temporary, sheets, columns)
    shutil.rmtree(folder / SHEETS, ignore_errors=True)
    temporary.rename(folder / SHEETS)


def _sheets(prepared: data.PreparedData, num: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Returns the images of each sheet, and the columns of that with pairs."""
    names = class_folders(prepared.class_names)
    sheets = {}
    for label, name in enumerate(names):
        places = np.flatnonzero(prepared.labels == label)
        sheets[name] = prepared.images[chosen_images(places, prepared.groups[places], num)]
    pairs = _pairs(prepared)
    if not pairs:
        return sheets, {}
    name = _DUPLICATES if _DUPLICATES not in names else f"_{_DUPLICATES}"
    sheets[name] = prepared.images[pairs]
    return sheets, {name: 2}


def _pairs(prepared: data.PreparedData) -> list[int]:
    """Returns the places of images that are alike, a pair after the other; near ones first."""
    place = {name: index for index, name in enumerate(prepared.names)}
    found = prepared.manifest["duplicates"]
    pairs = [*found["near"], *found["exact"]][:_MOST_PAIRS]
    return [place[name] for pair in pairs for name in pair]
