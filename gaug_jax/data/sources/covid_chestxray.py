"""The COVID-19 Image Data Collection, from a copy on disk or through TFDS."""

import collections
import dataclasses
from collections.abc import Callable

from gaug_jax.data.paths import existing_folder
from gaug_jax.data.publishers import covid_chestxray as publisher
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings
from gaug_jax.settings.checks import one_of


def _finding(finding: str) -> str:
    """Returns the last, most special name of a finding."""
    return finding.rsplit("/", 1)[-1]


LABEL_SETS: dict[str, Callable[[str], str]] = {"covid": publisher.covid_label, "finding": _finding}


def read(settings: DataSettings) -> SourceData:
    """Returns the films of `data.path`, or downloads them through TFDS.

    `data.label` is `covid` (the default: COVID-19 and other) or `finding`. Films without a known
    finding are left out, and counted in a note.

    Raises:
      UserError: the label set is not known, the table is absent or has other columns, or
        the download failed.
    """
    label_set = settings.label or "covid"
    one_of("data.label", label_set, LABEL_SETS)
    if settings.path is None:
        from gaug_jax.data.tfds import reading

        records, missing = reading.read_covid_chestxray()
    else:
        records, missing = publisher.films(existing_folder(settings.path))
        if not records:
            raise UserError(
                f"{settings.path}/images holds none of the {len(missing)} films that "
                f"{publisher.TABLE} names: restore the pictures"
            )
    label_of = LABEL_SETS[label_set]
    known = tuple(
        dataclasses.replace(record, label=label_of(record.metadata["finding"]))
        for record in records
        if publisher.is_known(record.metadata["finding"])
    )
    if not known:
        raise UserError(f"none of {len(records)} films has a finding: restore {publisher.TABLE}")
    # The licence of the whole is no licence: each film has its own, or none.
    return SourceData(
        publisher.NAME, publisher.VERSION, known, tuple(missing), _notes(records, len(known))
    )


def _notes(records: list[Record], known: int) -> tuple[str, ...]:
    """Returns a line on the films that are left out for want of a finding."""
    if len(records) == known:
        return ()
    findings = (record.metadata["finding"] for record in records)
    counts = collections.Counter(
        each or "none" for each in findings if not publisher.is_known(each)
    )
    said = ", ".join(f"{finding} {count}" for finding, count in counts.most_common())
    return (f"{len(records) - known} films left out, whose finding is not known: {said}",)
