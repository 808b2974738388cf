"""Records of DICOM files: whose they are and what else they say, without a name or a number."""

import collections
import concurrent.futures
import dataclasses
import os
import secrets
from collections.abc import Sequence

from gaug_jax.data.dicom.facts import dicom_facts
from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.record import Record
from gaug_jax.errors import UserError

# What is counted through in place of its pseudonym; the first is the group.
_NUMBERED = ("patient", "study", "institution")


def with_dicom_facts(records: Sequence[Record]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Returns records whose DICOM files say their patient and metadata, and lines on them.

    Patients, studies and institutions are numbered in the order of the files: a number leads to
    nobody, and the same folder has the same numbers. A group that the record has stays. Files of
    other kinds, and broken ones, are left as they are: whoever decodes these says so.

    Args:
      records: whose pictures are files.

    Raises:
      UserError: pydicom is not installed.
    """
    found = [place for place, record in enumerate(records) if is_dicom(record.picture)]
    if not found:
        return tuple(records), ()
    salt = secrets.token_bytes()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda place: _facts(records[place], salt), found))
    numbers: dict[str, dict[str, str]] = {name: {} for name in _NUMBERED}
    made = list(records)
    for place, facts in zip(found, said, strict=True):
        for name, seen in numbers.items():
            if name in facts:
                facts[name] = seen.setdefault(facts[name], f"{name} {len(seen) + 1}")
        patient = facts.pop("patient", None)
        made[place] = dataclasses.replace(
            records[place],
            group=records[place].group or patient,
            metadata={**facts, **records[place].metadata},
        )
    return tuple(made), _notes(said)


def _facts(record: Record, salt: bytes) -> dict[str, str]:
    """Returns what a file says; nothing of a broken one."""
    try:
        return dict(dicom_facts(record.picture, salt, name=record.name))
    except UserError as error:
        if "needs pydicom" in str(error):
            raise
        return {}


def _notes(said: list[dict[str, str]]) -> tuple[str, ...]:
    """Returns a line on text that may be burned into the films."""
    counts = collections.Counter(facts.get("burned_in", "") for facts in said)
    if counts["NO"] == len(said):
        return ()
    return (
        f"{counts['YES']} of {len(said)} DICOM films say that text is burned into their pixels, "
        f"and {counts['']} do not say: names may show, and generators may draw them",
    )
