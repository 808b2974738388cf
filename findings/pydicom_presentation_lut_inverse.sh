#!/usr/bin/env bash
# pydicom 3.0.2: apply_presentation_lut with the shape INVERSE turns a film round its own maximum.
#
# The standard (PS3.3 C.11.6) inverts the whole output range: of 8 bits, 10 becomes 245. pydicom
# subtracts from the largest value that the given pixels happen to have, so that one bright pixel
# more or less changes all others, and the brightest pixel always becomes 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pydicom==3.0.2" "numpy==2.3.5"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels import apply_presentation_lut

dataset = Dataset()
dataset.PresentationLUTShape = "INVERSE"
dim = apply_presentation_lut(np.array([[10, 50, 100]], np.uint8), dataset).tolist()
bright = apply_presentation_lut(np.array([[10, 50, 200]], np.uint8), dataset).tolist()
print("pydicom", pydicom.__version__, dim, bright)
assert dim == [[90, 50, 0]] and bright == [[190, 150, 0]], "this has changed"
PYTHON
