"""What a source gives: records of pictures, and what it has to say about itself."""

import dataclasses
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Record:
    """One picture of a data set.

    Attributes:
      name: unique within its source, the same wherever the data set lies.
      picture: a file, the bytes of an encoded picture, or uint8 [height, width, channels].
      label: name of its class.
      group: who or what it shares with others (patient, writer); None: not known.
      part: `train`, `validation` or `test`, where the publisher has parts.
      metadata: what the publisher says about it, as text.
      licence: its own licence, where it has one.
      page: of a file with several, from 0; None where none is chosen.
    """

    name: str
    picture: Path | bytes | np.ndarray
    label: str
    group: str | None = None
    part: str | None = None
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    licence: str | None = None
    page: int | None = None


@dataclasses.dataclass(frozen=True)
class SourceData:
    """A data set as it was found.

    Attributes:
      source: as `data.source` calls it.
      version: of the source's reading or of the data set; part of the cache's key.
      records: the pictures, in an order that does not depend on the machine.
      missing: names of pictures that a table lists and that are not there.
      notes: lines for the user and the manifest (stray files, names that did not match).
      licence: of the whole, where there is one.
      reading: how folders were read, as a line, where there was a choice.
    """

    source: str
    version: str
    records: tuple[Record, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    licence: str | None = None
    reading: str | None = None
