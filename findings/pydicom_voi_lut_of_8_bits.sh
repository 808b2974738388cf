#!/usr/bin/env bash
# pydicom 3.0.2: apply_voi_lut with a table of 8-bit entries takes the pixels modulo 256.
#
# The standard (PS3.3 C.11.2) maps each pixel through the table's entry of the same number. Of a
# table with 4,096 entries of 8 bits, pixels of 256 and more are looked up at the place of their low
# byte, so that a film of 12 bits gets bands instead of a curve. With entries of 16 bits the same
# table is applied as it is written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pydicom==3.0.2" "numpy==2.3.5"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut

pixels = np.array([[0, 255, 256, 4095]], np.uint16)
entries = (np.arange(4096) // 16).tolist()  # 0 to 255, sixteen pixels each.


def film(bits):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, bits]
    table.add_new("LUTData", "US", entries)
    dataset = Dataset()
    dataset.BitsStored, dataset.BitsAllocated, dataset.PixelRepresentation = 12, 16, 0
    dataset.VOILUTSequence = [table]
    return dataset


found = {bits: apply_voi_lut(pixels, film(bits)).tolist() for bits in (8, 16)}
print("pydicom", pydicom.__version__, found)
assert found[16] == [[0, 15, 16, 255]], "16 bits: as the standard has it"
assert found[8] == [[0, 15, 0, 15]], "8 bits: this has changed"
PYTHON
