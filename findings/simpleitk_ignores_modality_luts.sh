#!/usr/bin/env bash
# SimpleITK 2.5.7: a Modality LUT Sequence is passed over without a word.
#
# The standard (PS3.3 C.11.1) has either a table or a slope and an intercept between stored values
# and those of the modality. SimpleITK applies the latter and returns the stored values where the
# film has the former. pydicom 3.0.2 applies both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "SimpleITK==2.5.7" "pydicom==3.0.2" "numpy==2.3.5"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def film(**tags):
    """Writes a film of four pixels, 12 bits in 16, and returns its path."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 1, 4, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.PixelData = np.array([0, 1, 2, 3], np.uint16).tobytes()
    path = Path(sys.argv[1]) / f"{len(tags)}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


table = Dataset()
table.LUTDescriptor, table.ModalityLUTType = [4, 0, 16], "US"
table.add_new("LUTData", "US", [40, 30, 20, 10])
with_table = film(ModalityLUTSequence=[table])
with_slope = film(RescaleSlope="10", RescaleIntercept="5")


def both(path):
    read = pydicom.dcmread(path)
    of_itk = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).ravel().tolist()
    return of_itk, apply_modality_lut(read.pixel_array, read).ravel().tolist()


print("SimpleITK", SimpleITK.Version.VersionString(), "table", both(with_table),
      "slope", both(with_slope))
assert both(with_slope) == ([5, 15, 25, 35], [5.0, 15.0, 25.0, 35.0]), "both apply the slope"
assert both(with_table) == ([0, 1, 2, 3], [40, 30, 20, 10]), "this has changed"
PYTHON
