"""Files with several pictures: pages of TIFF and WebP, frames of DICOM, slices of NIfTI."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.nifti import is_nifti, num_slices
from gaug_jax.data.record import Record
from gaug_jax.picture_files import num_pages

FIRST, ALL = "first", "all"
# Formats of which a file can have several pages.
_PAGED = frozenset({".tif", ".tiff", ".webp"})


def with_pages(records: Iterable[Record], pages: str) -> tuple[Record, ...]:
    """Returns a record for each page that is read of each record's file.

    The pages of a file stay together: where groups are not known otherwise, the file is one.

    Args:
      records: of whole files.
      pages: `first` (of a TIFF; DICOM and NIfTI have to have one), `all`, or a number from 0.
    """
    return tuple(page for record in records for page in _pages(record, pages))


def _pages(record: Record, pages: str) -> list[Record]:
    """Returns the records of a file's pages."""
    if pages == FIRST or not isinstance(record.picture, Path):
        return [record]
    count = _count(record.picture)
    if count == 1:
        return [record]
    chosen = range(count) if pages == ALL else [int(pages)]
    return [
        dataclasses.replace(
            record, name=f"{record.name}#{page}", page=page, group=record.group or record.name
        )
        for page in chosen
    ]


def _count(path: Path) -> int:
    """Returns how many pages a file has; 1 of a broken one."""
    if is_nifti(path):
        return num_slices(path)
    if is_dicom(path):
        from gaug_jax.data.dicom.pixels import num_frames

        return num_frames(path)
    return num_pages(path) if path.suffix.lower() in _PAGED else 1
