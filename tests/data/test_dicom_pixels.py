"""Colours of DICOM, and what is refused in one line."""

import builtins
import sys

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import MPEG2MPML, JPEGLSLossless
from support.made_dicom import encoded, film

from gaug_jax import images
from gaug_jax.data.dicom import opening
from gaug_jax.data.dicom.pixels import read_dicom
from gaug_jax.errors import UserError

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (12, 10, 3), np.uint8)
BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def shipped(name):
    return pydicom.data.get_testdata_file(name, download=False)


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_are_as_they_are_stored(planar):
    dataset = film(COLOURS, PlanarConfiguration=planar)
    if planar:
        dataset.PixelData = COLOURS.transpose(2, 0, 1).tobytes()
    data = encoded(dataset)
    np.testing.assert_array_equal(read_dicom(data, 3), COLOURS)
    np.testing.assert_array_equal(read_dicom(data, 1), images.to_luminance(COLOURS))


def test_colours_of_more_bits_are_scaled_from_the_whole_range():
    deep = np.array([[[0, 257, 65535], [128, 129, 32896]]], np.uint16)
    np.testing.assert_array_equal(read_dicom(encoded(film(deep)), 3), [[[0, 1, 255], [0, 1, 128]]])


def rgb_of(ybr):
    """Returns RGB in float64 by the inverse of PS3.3 C.7.6.3.1.2's matrix for YBR_FULL."""
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], np.float64
    )
    rgb = (ybr.astype(np.float64) - [0, 128, 128]) @ np.linalg.inv(matrix).T
    return np.clip(rgb, 0, 255)


def test_ybr_full_becomes_rgb():
    data = encoded(film(COLOURS, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(read_dicom(data, 3) - rgb_of(COLOURS)).max() <= 1


def test_ybr_full_422_shares_its_chroma_by_pairs():
    pairs = RANDOM.integers(0, 256, (6, 5, 4), np.uint8)  # Y1 Y2 B R
    dataset = film(np.zeros((6, 10, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    dataset.PixelData = pairs.tobytes()
    whole = np.empty((6, 10, 3), np.uint8)
    whole[:, 0::2, 0], whole[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    whole[..., 1:] = np.repeat(pairs[..., 2:], 2, axis=1)
    assert np.abs(read_dicom(encoded(dataset), 3) - rgb_of(whole)).max() <= 1


@pytest.mark.parametrize(("entries", "bits"), [(256, 8), (512, 8), (256, 16), (300, 16)])
def test_palettes_are_resolved_to_their_colours(entries, bits):
    tables = RANDOM.integers(0, 2**bits, (3, entries)).astype(f"u{bits // 8}")
    stored = np.array([[0, 9, 10, 11, 255, 256, 300, 2000]], np.uint16)
    dataset = film(stored, PhotometricInterpretation="PALETTE COLOR")
    for colour, data in zip(("Red", "Green", "Blue"), tables, strict=True):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [entries, 10, bits])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", data.tobytes())
    places = np.clip(stored.astype(int) - 10, 0, entries - 1)
    expected = tables[:, places].transpose(1, 2, 0) / (2.0**bits - 1) * 255
    assert np.abs(read_dicom(encoded(dataset), 3) - expected).max() <= 0.5 + 1e-9


def test_a_segmented_palette_is_expanded():
    dataset = film(BYTES, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
        # One entry of 0, then a line to 255 over 255 entries.
        name = f"Segmented{colour}PaletteColorLookupTableData"
        setattr(dataset, name, bytes([0, 1, 0, 1, 255, 255]))
    np.testing.assert_array_equal(read_dicom(encoded(dataset), 1)[..., 0], BYTES)


def test_several_frames_need_a_number():
    frames = RANDOM.integers(0, 256, (3, 4, 6), np.uint8)
    dataset = film(frames.reshape(12, 6), NumberOfFrames=3)
    dataset.Rows = 4
    data = encoded(dataset)
    with pytest.raises(UserError, match=r"^cine.dcm has 3 frames: choose one of 0 to 2, or all"):
        read_dicom(data, 1, name="cine.dcm")
    for frame in range(3):
        image = read_dicom(data, 1, "full", frame=frame)
        np.testing.assert_array_equal(image[..., 0], frames[frame])
    for frame in (3, -1):
        with pytest.raises(UserError, match=f"has 3 frames: frame={frame} is none of 0 to 2"):
            read_dicom(data, 1, frame=frame)


def without(tag):
    dataset = film(BYTES)
    del dataset[tag]
    return encoded(dataset)


def changed(**tags):
    return encoded(film(BYTES, **tags))


def with_syntax(uid):
    dataset = film(BYTES)
    dataset.PixelData = encapsulate([b"\0\0\0\0"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = uid
    return encoded(dataset)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not a DICOM file"),
        (b"\x89PNG" + bytes(300), "is not a DICOM file .*: replace or remove it"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 50, "holds no image, or is cut off .*leave"),
        (without("PixelData"), "has no pixel data, or they are cut off: fetch"),
        (without("Rows"), "holds no image"),
        (changed()[:-20], "cannot be read .*236 vs 256 bytes"),
        (with_syntax(MPEG2MPML), "transfer syntax MPEG2 Main Profile .* nothing here reads"),
        (with_syntax("1.2.3.4"), "transfer syntax 1.2.3.4, which nothing here reads: save it"),
        (changed(PhotometricInterpretation="HSV"), "interpretation HSV, which is not read: save"),
        (without("PhotometricInterpretation"), "interpretation of none"),
        (changed(PhotometricInterpretation="RGB"), "RGB"),
        (changed(Rows=60000, Columns=60000), "more than 80,000,000 pixels"),
        (changed(RescaleSlope=0, RescaleIntercept=1), "Rescale Slope is 0"),
        (changed(WindowCenter=1, WindowWidth=0), "window of width 0: take window='percentiles'"),
        (changed(WindowCenter=1, WindowWidth=5, VOILUTFunction="CUBIC"), "Function CUBIC: take"),
        (changed(BitsAllocated=16, BitsStored=12, HighBit=15, Columns=8), "High Bit is 15 and not"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, data, words):
    path = tmp_path / "film.dcm"
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"^{path} .*{words}") as caught:
        read_dicom(path, 1)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(UserError, match="gone.dcm does not exist: restore the file"):
        read_dicom(tmp_path / "gone.dcm", 1)


def test_a_window_that_is_none_is_refused():
    with pytest.raises(UserError, match="window='wide' is not known: choose one of dicom, full"):
        read_dicom(encoded(film(BYTES)), 1, "wide")


@pytest.mark.parametrize(
    "name", ["MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm",
             "MR_small_jp2klossless.dcm", "MR_small_RLE.dcm"],
)  # fmt: skip
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_half_a_compressed_film_is_no_film(name, kept):
    """The file's structure is whole, the stream in it is not: nothing is filled up."""
    dataset = pydicom.dcmread(shipped(name))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([stream[: int(kept * len(stream))]])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(UserError, match="cut off|cannot be read"):
        read_dicom(encoded(dataset), 1)
    with open(shipped(name), "rb") as file, pytest.raises(UserError):
        whole = file.read()
        read_dicom(whole[: int(kept * len(whole)) - 300], 1)


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_stray_bytes_in_a_head_are_refused_and_fill_bytes_are_not(name):
    dataset = pydicom.dcmread(shipped(name))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([stream[:2] + b"\x01\x02" + stream[2:]])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(UserError, match="has pixel data whose head is broken: fetch"):
        read_dicom(encoded(dataset), 1)
    dataset.PixelData = encapsulate([stream[:2] + b"\xff\xff" + stream[2:]])
    np.testing.assert_array_equal(read_dicom(encoded(dataset), 3), read_dicom(shipped(name), 3))


def test_a_line_stays_one_whatever_a_tag_holds():
    dataset = film(BYTES)
    del dataset.Rows
    dataset.add_new("Modality", "LO", "D\nX")
    with pytest.raises(UserError, match=r"^a holds no image, or is cut off \(D X\): leave it out$"):
        read_dicom(encoded(dataset), 1, name="a")


def test_a_missing_decoder_is_named(monkeypatch):
    for plugins in ("_available", "_unavailable"):
        monkeypatch.setattr(get_decoder(JPEGLSLossless), plugins, {})
    with pytest.raises(UserError) as caught:
        read_dicom(shipped("MR_small_jpeg_ls_lossless.dcm"), 1)
    assert str(caught.value).endswith(
        "is compressed as JPEG-LS Lossless Image Compression and its decoder is not installed: "
        "pip install 'gaug_jax[dicom]'"
    )


def test_without_pydicom_it_is_said_what_to_install(monkeypatch):
    opening._silenced_pydicom.cache_clear()
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(UserError, match=r"^a.dcm is a DICOM file, which needs pydicom: pip insta"):
        read_dicom(b"", 1, name="a.dcm")


def test_what_begins_as_dicom_is_told_without_pydicom(tmp_path, monkeypatch):
    data = encoded(film(BYTES))
    path = tmp_path / "film"
    path.write_bytes(data)
    imported = builtins.__import__

    def refuse(name, *rest, **options):
        assert not name.startswith("pydicom")
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert opening.is_dicom(path) and opening.is_dicom(data)
    assert not opening.is_dicom(tmp_path / "none")
    assert not opening.is_dicom(b"DICM" + bytes(200))
