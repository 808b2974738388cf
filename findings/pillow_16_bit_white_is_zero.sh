#!/usr/bin/env bash
# Pillow 13.0.0: a TIFF whose smallest value is white is inverted at 8 bits and not at 16.
#
# Both files show the same film and say so (PhotometricInterpretation 0). Read by Pillow, one is
# right and the other a negative; the tag stays readable in tag_v2 and decides for who looks.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "pillow==13.0.0" "tifffile==2026.3.3" "numpy==2.3.5"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import PIL
import tifffile
from PIL import Image

found = {}
for dtype in (np.uint8, np.uint16):
    most = np.iinfo(dtype).max
    shown = np.array([[0, most // 4, most]], dtype)  # Black, dark, white.
    path = Path(sys.argv[1]) / f"{dtype.__name__}.tif"
    tifffile.imwrite(path, most - shown, photometric="miniswhite")
    with Image.open(path) as picture:
        assert picture.tag_v2[262] == 0
        found[dtype.__name__] = (np.asarray(picture).tolist(), shown.tolist())
print("Pillow", PIL.__version__, found)
assert found["uint8"][0] == found["uint8"][1], "8 bits: as it says"
assert found["uint16"][0] == [[65535, 49152, 0]], "16 bits: this has changed"
PYTHON
