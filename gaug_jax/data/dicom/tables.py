"""Lookup tables of DICOM (PS3.3): Modality LUT, VOI LUT and palettes."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num, UInt8

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_COLOURS = ("Red", "Green", "Blue")


class Table(NamedTuple):
    """A lookup table.

    Attributes:
      entries: uint16, of the first value mapped and those that follow.
      first: the first value mapped.
      bits: of an entry; 2**bits - 1 is its greatest value.
    """

    entries: Int[np.ndarray, " entries"]
    first: int
    bits: int

    def look_up(self, values: Num[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        """Returns the entries of values; those before the first and after the last have theirs."""
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        return self.entries[places.astype(np.int64)]


def table_of(item: "Dataset", little_endian: bool) -> Table:
    """Returns the table of an item of a Modality or VOI LUT sequence (C.11.1.1.1, C.11.2.1.1).

    pydicom's own functions are not used: as of 3.0.2 `apply_voi` takes an input beyond 255
    modulo 256 where entries have 8 bits, and no packed ones.

    Raises:
      ValueError: the table is shorter than it says, or of entries of no known size.
    """
    return _table(item.LUTDescriptor, item.LUTData, little_endian)


def _table(descriptor, data, little_endian: bool) -> Table:
    """Returns a table of its descriptor (entries, first, bits) and data (bytes or integers)."""
    # 2**16 entries are written as 0, and read as negative where the VR is signed.
    count, first, bits = (int(value) for value in descriptor)
    count = count % 2**16 or 2**16
    if not 8 <= bits <= 16:
        raise ValueError(f"its lookup table has entries of {bits} bits")
    if isinstance(data, bytes):
        data = np.frombuffer(data, "<u2" if little_endian else ">u2")
    words = (np.atleast_1d(np.asarray(data, np.int64)) % 2**16).astype("<u2")
    # Entries of 8 bits lie two in a word, the first one in its low byte; some writers give each
    # a word of its own (note in C.11.1.1.1).
    if len(words) < count and bits == 8:
        words = words.view(np.uint8).astype("<u2")
    if len(words) < count:
        raise ValueError(f"its lookup table has {len(words)} of {count} entries")
    return Table(words[:count], first, bits)


def apply_palette(
    dataset: "Dataset", stored: Int[np.ndarray, "height width"], little_endian: bool
) -> UInt8[np.ndarray, "height width 3"]:
    """Returns the colours [0, 255] of pixels of a palette (PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6).

    Segmented tables (C.7.9.2) are expanded by pydicom.

    Raises:
      ValueError: the tables are absent or do not fit.
    """
    if "RedPaletteColorLookupTableData" in dataset:
        channels = [_palette_table(dataset, colour, little_endian) for colour in _COLOURS]
        looked_up = np.stack([table.look_up(stored) for table in channels], axis=-1)
        return to_bytes(looked_up, channels[0].bits)
    from pydicom.pixels import apply_color_lut

    looked_up = apply_color_lut(stored, dataset)[..., :3]
    return to_bytes(looked_up, 8 * looked_up.dtype.itemsize)


def _palette_table(dataset: "Dataset", colour: str, little_endian: bool) -> Table:
    """Returns the table of one colour."""
    name = f"{colour}PaletteColorLookupTable"
    if f"{name}Data" not in dataset or f"{name}Descriptor" not in dataset:
        raise ValueError(f"its palette has no {colour.lower()}")
    return _table(dataset[f"{name}Descriptor"].value, dataset[f"{name}Data"].value, little_endian)


def to_bytes(values: Num[np.ndarray, "..."], bits: int) -> UInt8[np.ndarray, "..."]:
    """Scales 0 .. 2**bits - 1 to 0 .. 255."""
    if bits == 8:
        return values.astype(np.uint8)
    return unit_to_bytes(values / (2.0**bits - 1))


def unit_to_bytes(unit: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Scales [0, 1] to 0 .. 255, rounded; what lies beyond is clipped."""
    return np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
