"""The files that come with pydicom, which nobody here made: read, or refused in one line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from support.commands import ROOT
from support.made_dicom import shown_by_the_standard

from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.dicom.pixels import read_dicom
from gaug_jax.errors import UserError
from gaug_jax.images import to_luminance

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())
# Streams that no decoder reads; a count that is no number; cut off.
BROKEN = {"JPEG-lossy.dcm", "JPEG2000-embedded-sequence-delimiter.dcm", "badVR.dcm",
          "MR_truncated.dcm"}  # fmt: skip
# 12 bits of JPEG Extended, whose only decoder is not in the extra.
NEEDS_MORE = {"JPGExtended.dcm"}
# SimpleITK 2.5.7 mixes up the bytes of colours of more than 8 bits that are compressed by RLE.
NOT_BY_SIMPLEITK = {"SC_rgb_rle_16bit.dcm", "SC_rgb_rle_32bit.dcm"}


def single_images():
    """Returns the names of the files whose tags say that they hold one image."""
    names = []
    for path in filter(is_dicom, FILES):
        dataset = pydicom.dcmread(path)
        count = str(dataset.get("NumberOfFrames") or 1)
        if "Rows" in dataset and "PixelData" in dataset and count == "1":
            names.append(path.name)
    return names


SINGLE = sorted(set(single_images()) - BROKEN - NEEDS_MORE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_or_refused_in_one_line(path):
    try:
        image = read_dicom(path, 1)
    except UserError as error:
        assert path.name not in SINGLE
        assert str(error).startswith(str(path)) and "\n" not in str(error)
    else:
        dataset = pydicom.dcmread(path)
        assert image.shape == (dataset.Rows, dataset.Columns, 1) and image.dtype == np.uint8
        assert path.name not in BROKEN


def test_small_files_of_media_are_read_or_refused_in_one_line():
    read = 0
    for path in (FOLDER / "dicomdirtests").rglob("*"):
        if path.is_file():
            try:
                read += read_dicom(path, 3).shape == (16, 16, 3)
            except UserError as error:
                assert str(path) in str(error) and "\n" not in str(error)
    assert read > 20


def test_these_are_many():
    assert len(SINGLE) > 45


@pytest.mark.parametrize("name", SINGLE)
def test_bytes_are_read_like_their_file(name):
    path = FOLDER / name
    np.testing.assert_array_equal(read_dicom(path.read_bytes(), 3), read_dicom(path, 3))


@pytest.mark.parametrize("name", SINGLE)
def test_values_are_those_of_the_formulas(name):
    dataset = pydicom.dcmread(FOLDER / name)
    image = read_dicom(FOLDER / name, 3)
    pixels = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = pydicom.pixels.apply_color_lut(pixels, dataset)
    if pixels.ndim == 3:
        expected = pixels.astype(float) / np.iinfo(pixels.dtype).max * 255
        np.testing.assert_array_equal(read_dicom(FOLDER / name, 1), to_luminance(image))
    else:
        values = pixels * float(dataset.get("RescaleSlope", 1))
        values = values + float(dataset.get("RescaleIntercept", 0))
        expected = shown_by_the_standard(dataset, values)[..., None]
        np.testing.assert_array_equal(read_dicom(FOLDER / name, 1), image[..., :1])
    assert np.abs(image - expected).max() <= 0.5 + 1e-9


def by_simpleitk(path):
    """Returns what SimpleITK reads: colours, or values after the Modality LUT."""
    simpleitk = pytest.importorskip("SimpleITK")
    simpleitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        return simpleitk.GetArrayFromImage(simpleitk.ReadImage(str(path)))[0]
    except RuntimeError:
        pytest.skip("SimpleITK does not read it")


@pytest.mark.parametrize("name", sorted(set(SINGLE) - NOT_BY_SIMPLEITK))
def test_values_are_those_of_simpleitk(name):
    dataset = pydicom.dcmread(FOLDER / name)
    values = by_simpleitk(FOLDER / name)
    image = read_dicom(FOLDER / name, 3)
    if values.ndim == 3:
        expected = values.astype(float) / np.iinfo(values.dtype).max * 255
    else:
        expected = shown_by_the_standard(dataset, values.astype(float))[..., None]
    assert np.abs(image - expected).max() <= 1


def test_a_frame_of_several_is_read_by_its_number():
    for name in ("rtdose.dcm", "rtdose_rle.dcm", "rtdose_expb.dcm"):
        stored = pydicom.dcmread(FOLDER / name).pixel_array
        for frame in (0, 7, 14):
            own = stored[frame].astype(float)
            image = read_dicom(FOLDER / name, 1, "used", frame=frame)
            expected = (own - own.min()) / np.ptp(own) * 255
            assert np.abs(image[..., 0] - expected).max() <= 0.5 + 1e-9


def test_nothing_is_printed():
    """Not a warning, nor a log line of pydicom's, whatever the process logs itself."""
    names = ["MR_small_padded.dcm", "badVR.dcm", "JPEG-lossy.dcm", "SC_rgb_jpeg.dcm",
             "JPEG2000-embedded-sequence-delimiter.dcm", "MR_truncated.dcm"]  # fmt: skip
    script = (
        "import logging; logging.basicConfig()\n"
        "from gaug_jax.data.dicom.pixels import read_dicom\n"
        "from gaug_jax.errors import UserError\n"
        f"for name in {names!r}:\n"
        "    try:\n"
        f"        read_dicom({str(FOLDER)!r} + '/' + name, 1)\n"
        "    except UserError:\n"
        "        print('refused')\n"
    )
    output = subprocess.run(
        [sys.executable, "-W", "default", "-c", script], capture_output=True, text=True,
        cwd=ROOT, env={**os.environ, "JAX_PLATFORMS": "cpu"}, check=False,
    )  # fmt: skip
    assert output.stderr == ""
    assert output.stdout.count("refused") == 4
