"""Published tables of chest films by name: what their publishers call things, and one reader."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from gaug_jax.data.paths import existing_folder, listed
from gaug_jax.data.publishers.bimcv_covid19 import BIMCV_COVID19
from gaug_jax.data.publishers.chexpert import CHEXPERT
from gaug_jax.data.publishers.covidx import COVIDX
from gaug_jax.data.publishers.mimic_cxr_jpg import MIMIC_CXR_JPG
from gaug_jax.data.publishers.nih_chestxray14 import NIH_CHESTXRAY14
from gaug_jax.data.publishers.padchest import PADCHEST
from gaug_jax.data.publishers.published_table import PublishedTable, Rows, find_table
from gaug_jax.data.publishers.rsna_pneumonia import RSNA_PNEUMONIA
from gaug_jax.data.publishers.vindr_cxr import VINDR_CXR
from gaug_jax.data.record import SourceData
from gaug_jax.data.sources.table import Labelled, read_labelled
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

PUBLISHED = (
    NIH_CHESTXRAY14, CHEXPERT, MIMIC_CXR_JPG, PADCHEST, RSNA_PNEUMONIA, VINDR_CXR, COVIDX,
    BIMCV_COVID19,
)  # fmt: skip


def readers() -> dict[str, Callable[[DataSettings], SourceData]]:
    """Returns a source for each published table, by its name."""
    return {facts.name: functools.partial(read, facts) for facts in PUBLISHED}


def read(facts: PublishedTable, settings: DataSettings) -> SourceData:
    """Returns the films of a published data set, in the order of their names.

    `data.path` is the publisher's folder, in which its tables are found by their names, or
    `data.table` names the main one. The rest is as of source `table`.

    Raises:
      UserError: a table or a column is absent, the finding is none of the data set's, or as of
        source `table`.
    """
    root = _root(facts, settings)
    table = Path(settings.table).expanduser() if settings.table else find_table(facts, root)
    if settings.label is None and settings.label_column is None:
        settings = dataclasses.replace(settings, label=facts.finding)
    if not table.is_file():
        raise UserError(f"config.data.table={settings.table!r} does not exist: give a file")
    found = facts.read(table, root, settings.label)
    _check(facts, found, settings)
    labelled = Labelled(
        found.rows, table, root, facts.kept, facts.any_suffix, facts.least_parts,
        facts.dicom_patients,
    )  # fmt: skip
    data = read_labelled(labelled, settings)
    of_set = f"{facts.title} ({facts.homepage}): cite {facts.citation}; terms: {facts.licence}"
    notes = (of_set, *facts.traps, *found.notes, *data.notes)
    return dataclasses.replace(data, source=facts.name, licence=facts.licence, notes=notes)


def _root(facts: PublishedTable, settings: DataSettings) -> Path:
    """Returns the folder that holds tables and films."""
    if settings.path:
        return existing_folder(settings.path)
    if settings.table:
        return Path(settings.table).expanduser().parent
    raise UserError(
        f"config.data.path is not set: source {facts.name} needs the folder of {facts.title} with "
        f"{' or '.join(facts.tables)} ({facts.homepage})"
    )


def _check(facts: PublishedTable, found: Rows, settings: DataSettings) -> None:
    """Raises `UserError` where no row is left, or the finding is no column of findings."""
    if not found.rows:
        raise UserError(f"{facts.title}: no row is left ({'; '.join(found.notes)})")
    if not found.findings or settings.label_column is not None:
        return
    known = listed(found.findings, 30)
    if settings.label is None:
        raise UserError(
            f"config.data.label is not set: {facts.title} has a column for each finding, choose "
            f"one of {known}"
        )
    if settings.label not in found.findings and not any("class" in row for row in found.rows):
        raise UserError(
            f"config.data.label={settings.label!r} is no finding of {facts.title}: choose one of "
            f"{known}"
        )
