"""Grey films made here: the order and the formulas of PS3.3 C.11, on every kind of stored value."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut, apply_windowing
from pydicom.uid import ExplicitVRBigEndian, RLELossless
from support.made_dicom import encoded, film, of_every_value, table, windowed

from gaug_jax.data.dicom.pixels import read_dicom
from gaug_jax.errors import UserError

SIGNED = np.arange(-2048, 2048, dtype=np.int16).reshape(64, 64)
UNSIGNED = np.arange(4096, dtype=np.uint16).reshape(64, 64)
BYTES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def read(dataset, window="dicom", **options):
    """Returns the one channel of a data set, as floating point."""
    return read_dicom(encoded(dataset), 1, window, **options)[..., 0].astype(float)


def assert_rounded(image, expected):
    """Asserts that an image is the nearest grey levels of what is expected of it."""
    assert np.abs(image - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(
    ("pixels", "centre", "width", "slope", "intercept"),
    [
        (UNSIGNED, 2048, 4096, 1, 0),
        (UNSIGNED, 1000.5, 333, 1, 0),
        (SIGNED, -100, 1500, 1, 0),
        (SIGNED, 40, 400, 2, -1024),
        (UNSIGNED, 3000, 1, 1, 0),
        (UNSIGNED, 1000, 1, 0.5, 0),  # The value 999.5 lies on the edge.
        (UNSIGNED, -2000, 1000, -1, 0),
        (BYTES, 0.5, 0.8, 1 / 255, 0),
    ],
)
def test_windows_follow_the_formulas(function, pixels, centre, width, slope, intercept):
    bits = 8 if pixels is BYTES else 12
    dataset = film(
        pixels, BitsStored=bits, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function,
        RescaleSlope=f"{slope:.9f}", RescaleIntercept=intercept,
    )  # fmt: skip
    if function == "LINEAR" and width < 1:
        with pytest.raises(
            UserError, match=r"has a window of width 0.8: take window='percentiles'"
        ):
            read(dataset)
        return
    values = pixels * float(dataset.RescaleSlope) + intercept
    expected = of_every_value(values, lambda value: windowed(value, centre, width, function))
    assert_rounded(read(dataset), expected)
    if width > 1:
        # pydicom scales to the range of its input.
        other = apply_windowing(values, dataset)
        ends = np.array([0, 2**bits - 1] if pixels.dtype.kind == "u" else [-2048, 2047])
        low, high = ends * float(dataset.RescaleSlope) + intercept
        assert_rounded(read(dataset), (other - low) / (high - low) * 255)


def test_an_exact_window_is_that_of_simpleitk():
    simpleitk = pytest.importorskip("SimpleITK")
    dataset = film(
        SIGNED, BitsStored=12, WindowCenter=100, WindowWidth=700, VOILUTFunction="LINEAR_EXACT"
    )
    image = simpleitk.IntensityWindowing(
        simpleitk.GetImageFromArray(SIGNED.astype(float)), -250.0, 450.0, 0.0, 255.0
    )
    assert_rounded(read(dataset), simpleitk.GetArrayFromImage(image))


def test_monochrome1_is_inverted_after_the_window():
    tags = {"BitsStored": 12, "WindowCenter": 1000, "WindowWidth": 500}
    plain = read(film(UNSIGNED, **tags))
    for more in (
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    ):
        assert_rounded(read(film(UNSIGNED, **tags, **more)), 255 - plain)
    identity = film(UNSIGNED, **tags, PresentationLUTShape="IDENTITY")
    np.testing.assert_array_equal(read(identity), plain)


def test_monochrome1_is_shown_as_simpleitk_gives_it(tmp_path):
    """SimpleITK 2.5.7 inverts the stored values of MONOCHROME1 itself."""
    simpleitk = pytest.importorskip("SimpleITK")
    dataset = film(UNSIGNED, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    (tmp_path / "film.dcm").write_bytes(encoded(dataset))
    other = simpleitk.GetArrayFromImage(simpleitk.ReadImage(str(tmp_path / "film.dcm")))[0]
    assert other[0, 0] == 4095
    assert_rounded(read(dataset, "full"), other / 4095 * 255)


def test_the_first_of_several_windows_is_used_unless_another_is_named():
    dataset = film(UNSIGNED, BitsStored=12, WindowCenter=[1000, 3000], WindowWidth=[100, 600])
    for voi, window in enumerate([(1000, 100), (3000, 600)]):
        expected = of_every_value(UNSIGNED, lambda value, window=window: windowed(value, *window))
        assert_rounded(read(dataset, voi=voi), expected)
    np.testing.assert_array_equal(read(dataset), read(dataset, voi=0))
    for voi in (2, -1):
        with pytest.raises(UserError, match=f"has 2 windows, counted from 0: voi={voi} is none"):
            read(dataset, voi=voi)


@pytest.mark.parametrize("syntax", [None, ExplicitVRBigEndian])
@pytest.mark.parametrize("vr", ["US", "OW"])
def test_a_modality_table_goes_before_the_window(vr, syntax):
    entries = (np.arange(1000) ** 2 // 16).astype(np.uint16)
    data = entries.tolist()
    if vr == "OW":
        data = entries.astype(">u2" if syntax else "<u2").tobytes()
    pixels = UNSIGNED.byteswap() if syntax else UNSIGNED
    options = {"syntax": syntax} if syntax else {}
    dataset = film(
        pixels, BitsStored=12, ModalityLUTSequence=[table([1000, 50, 16], data, vr)],
        WindowCenter=20000, WindowWidth=30000, **options,
    )  # fmt: skip
    values = entries[np.clip(UNSIGNED.astype(int) - 50, 0, 999)]
    np.testing.assert_array_equal(values, apply_modality_lut(UNSIGNED, dataset))
    assert_rounded(
        read(dataset), of_every_value(values, lambda value: windowed(value, 20000, 30000))
    )
    assert_rounded(read(dataset, "full"), values / 65535 * 255)


def test_a_voi_table_goes_before_a_window_and_after_rescaling():
    entries = np.sqrt(np.arange(4096) * 4095).astype(int)
    luts = [table([4096, -1024, 12], entries.tolist()), table([2, 0, 8], [0, 255])]
    dataset = film(
        SIGNED, BitsStored=12, RescaleSlope=1, RescaleIntercept=1024, VOILUTSequence=luts,
        WindowCenter=0, WindowWidth=10,
    )  # fmt: skip
    values = SIGNED.astype(int) + 1024
    other = apply_voi_lut(values, dataset)
    assert_rounded(read(dataset), other / 4095 * 255)
    assert_rounded(read(dataset, voi=1), np.where(values > 0, 255, 0))


@pytest.mark.parametrize("kind", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("packed", [True, False])
def test_tables_of_bytes_reach_beyond_255(kind, packed):
    """Entries of 8 bits, two in a word or one: the standard has the former and knows the latter."""
    entries = (np.arange(4096) // 16).astype(np.uint8)
    item = table([4096, 0, 8], entries.tobytes(), "OW")
    if not packed:
        item = table([4096, 0, 8], entries.tolist())
    assert_rounded(read(film(UNSIGNED, BitsStored=12, **{kind: [item]}), "full"
                        if kind.startswith("M") else "dicom"), entries.reshape(64, 64))  # fmt: skip


def test_a_table_of_2_to_16_entries_is_whole():
    item = table([0, 0, 16], (65535 - np.arange(65536)).tolist())
    pixels = np.array([[0, 1, 40000, 65535]], np.uint16)
    image = read(film(pixels, ModalityLUTSequence=[item]), "full")
    assert_rounded(image, (65535.0 - pixels) / 65535 * 255)


def test_a_table_that_is_too_short_is_refused():
    dataset = film(UNSIGNED, BitsStored=12, VOILUTSequence=[table([4096, 0, 16], [1, 2, 3])])
    with pytest.raises(UserError, match=r"lookup table has 3 of 4096 entries"):
        read(dataset)


@pytest.mark.parametrize(
    ("pixels", "low", "high"), [(SIGNED, -2048, 2047), (UNSIGNED, 0, 4095), (BYTES, 0, 255)]
)
def test_the_full_and_the_used_range(pixels, low, high):
    dataset = film(pixels // 2, BitsStored=8 if pixels is BYTES else 12, WindowCenter=0,
                   WindowWidth=10)  # fmt: skip
    values = (pixels // 2).astype(float)
    assert_rounded(read(dataset, "full"), (values - low) / (high - low) * 255)
    used = (values - values.min()) / np.ptp(values) * 255
    assert_rounded(read(dataset, "used"), used)


def test_a_negative_slope_turns_the_film_over():
    dataset = film(UNSIGNED, BitsStored=12, RescaleSlope=-1, RescaleIntercept=4095)
    for window in ("full", "used", "dicom"):
        image = read(dataset, window)
        assert image[0, 0] == 255 and image[-1, -1] == 0


def test_percentiles_where_a_film_has_no_window():
    pixels = np.full((40, 50), 1000, np.uint16)
    pixels.flat[:1000] = 3000
    # Two pixels of 2,000, a tenth of a percent: they decide nothing.
    pixels.flat[0], pixels.flat[-1] = 65535, 0
    image = read(film(pixels))
    np.testing.assert_array_equal(np.unique(image), [0, 255])
    np.testing.assert_array_equal(image, read(film(pixels), "percentiles"))
    values = np.random.default_rng(0).normal(2000, 300, (64, 64)).astype(np.uint16)
    low, high = np.percentile(values, [0.5, 99.5])
    assert_rounded(read(film(values)), np.clip((values - low) / (high - low) * 255, 0, 255))


def test_the_extremes_serve_where_percentiles_are_one_value():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[3, 4] = 1
    np.testing.assert_array_equal(read(film(pixels)), 255 * pixels)
    assert not read(film(np.full((8, 8), 7, np.uint8))).any()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_counts_nowhere(photometric):
    pixels = SIGNED.copy()
    pixels[:, :8] = -2000
    pixels[:, 56:] = -1990
    dataset = film(pixels, BitsStored=12, PhotometricInterpretation=photometric)
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    dataset.add_new("PixelPaddingRangeLimit", "SS", -1990)
    padding = (pixels >= -2000) & (pixels <= -1990)
    values = pixels[~padding].astype(float)
    for window, ends in (
        ("percentiles", np.percentile(values, [0.5, 99.5])),
        ("used", (values.min(), values.max())),
    ):
        image = read(dataset, window)
        assert not image[padding].any()
        expected = np.clip((values - ends[0]) / (ends[1] - ends[0]) * 255, 0, 255)
        assert_rounded(image[~padding], 255 - expected if photometric[-1] == "1" else expected)


def test_padding_of_signed_films_may_be_written_unsigned():
    dataset = film(SIGNED, BitsStored=12)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2048)
    other = film(SIGNED, BitsStored=12)
    other.add_new("PixelPaddingValue", "SS", -2048)
    np.testing.assert_array_equal(read(dataset), read(other))
    assert (read(other, "used") != read(film(SIGNED, BitsStored=12), "used")).any()


def test_a_film_of_padding_alone_is_black():
    dataset = film(np.full((4, 4), 9, np.uint8), PhotometricInterpretation="MONOCHROME1")
    dataset.add_new("PixelPaddingValue", "US", 9)
    for window in ("dicom", "used"):
        assert not read(dataset, window).any()


def test_bits_beyond_those_stored_do_not_count():
    """PS3.5 8.1.1: they may hold anything, such as an overlay."""
    plain = read(film(UNSIGNED, BitsStored=12), "full")
    np.testing.assert_array_equal(read(film(UNSIGNED | 0xA000, BitsStored=12), "full"), plain)


def test_one_bit_is_black_and_white():
    packed = np.packbits(np.eye(8, dtype=np.uint8), bitorder="little").reshape(8, 1)
    dataset = film(packed, BitsAllocated=1, BitsStored=1, Columns=8)
    dataset.Columns = 8
    np.testing.assert_array_equal(read(dataset), 255 * np.eye(8))


def test_rle_is_read_like_the_plain_film():
    tags = {"BitsStored": 12, "WindowCenter": 0, "WindowWidth": 3000}
    dataset = film(SIGNED, **tags)
    dataset.compress(RLELossless)
    np.testing.assert_array_equal(read(dataset), read(film(SIGNED, **tags)))


def test_grey_in_three_channels_is_the_same_thrice():
    data = encoded(film(BYTES))
    grey, colour = read_dicom(data, 1), read_dicom(data, 3)
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=-1))
    assert colour.dtype == np.uint8


def enhanced(frames):
    """Returns an enhanced image of two frames, whose tags are in functional groups."""
    dataset = film(frames.reshape(-1, frames.shape[-1]), BitsStored=12, NumberOfFrames=len(frames))
    dataset.Rows = frames.shape[1]
    shared, transformation = Dataset(), Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept = 2, -100
    shared.PixelValueTransformationSequence = [transformation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for centre in (1000, 2000):
        group, voi = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 800
        group.FrameVOILUTSequence = [voi]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    return dataset


def test_a_frame_has_its_own_window_and_the_shared_rescaling():
    frames = np.stack([UNSIGNED, UNSIGNED[::-1]])
    for frame, centre in enumerate((1000, 2000)):
        values = 2.0 * frames[frame] - 100
        expected = of_every_value(values, lambda value, centre=centre: windowed(value, centre, 800))
        assert_rounded(read(enhanced(frames), frame=frame), expected)
