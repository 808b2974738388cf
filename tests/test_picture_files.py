"""Files of pictures: values, colours, orientation, polarity and depth, and what is refused."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from gaug_jax.errors import UserError
from gaug_jax.images import to_luminance
from gaug_jax.picture_files import (
    PictureFacts,
    brightest_of_16_bits,
    decode,
    num_pages,
    read_picture,
)


def _encoded(image, file_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def test_sixteen_bits_are_scaled_from_their_full_range(tmp_path):
    values = np.array([[0, 257, 65535], [128, 129, 32896]], np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(values).save(path)
    # 65535 / 255 = 257, so 257 is one step; 128 and 129 lie on both sides of half a step.
    expected = [[0, 1, 255], [0, 1, 128]]
    np.testing.assert_array_equal(read_picture(path, 1)[..., 0], expected)
    np.testing.assert_array_equal(read_picture(path, 3)[..., 2], expected)


def test_sixteen_bit_tiff_is_read_like_png(tmp_path):
    path = tmp_path / "deep.tif"
    Image.fromarray(np.array([[0, 514, 65535]], np.uint16)).save(path)
    np.testing.assert_array_equal(read_picture(path, 1)[..., 0], [[0, 2, 255]])


def test_palette_is_resolved_to_its_colours():
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0] + [0] * 762)
    picture.putpixel((1, 0), 1)
    read = read_picture(_encoded(picture), 3)
    np.testing.assert_array_equal(read, [[[10, 20, 30], [200, 100, 0]]])


def test_luminance_is_that_of_itu_r_601():
    picture = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    # 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1.
    read = read_picture(_encoded(picture), 1)
    np.testing.assert_array_equal(read[..., 0], [[76, 150, 29]])
    np.testing.assert_array_equal(to_luminance(np.asarray(picture)), read)


def test_transparent_parts_are_black():
    pixels = np.array([[[200, 200, 200, 0], [200, 200, 200, 255], [200, 100, 50, 51]]], np.uint8)
    read = read_picture(_encoded(Image.fromarray(pixels, "RGBA")), 3)
    # 51 / 255 is a fifth.
    np.testing.assert_array_equal(read, [[[0, 0, 0], [200, 200, 200], [40, 20, 10]]])


def test_one_bit_pictures_are_black_and_white():
    picture = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(read_picture(_encoded(picture), 1)[..., 0], [[255, 0]])


def test_cmyk_jpeg_is_read_as_rgb():
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # No cyan: red.
    read = read_picture(_encoded(picture, "JPEG", quality=100), 3)
    assert read[4, 4, 0] > 245
    assert read[4, 4, 1:].max() < 10


def test_exif_orientation_is_applied():
    picture = Image.fromarray(np.array([[0, 100, 200]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn clockwise by 90 degrees to show it.
    read = read_picture(_encoded(picture, "PNG", exif=exif), 1)
    np.testing.assert_array_equal(read[..., 0], [[0], [100], [200]])


def test_truncated_jpeg_is_named(tmp_path):
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    path.write_bytes(_encoded(Image.fromarray(noise), "JPEG")[:1500])
    with pytest.raises(UserError, match=r"cut\.jpg cannot be read as a picture \(.*truncated"):
        read_picture(path, 1)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"odd\.png cannot be read as a picture"):
        read_picture(path, 3)


def test_damaged_png_is_named(tmp_path):
    content = bytearray(_encoded(Image.fromarray(np.zeros((64, 64), np.uint8))))
    content[45] ^= 0xFF
    (tmp_path / "bent.png").write_bytes(content)
    with pytest.raises(UserError, match=r"bent\.png cannot be read as a picture"):
        read_picture(tmp_path / "bent.png", 1)


def test_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.png does not exist"):
        read_picture(tmp_path / "none.png", 1)


def test_bytes_are_called_by_the_given_name():
    with pytest.raises(UserError, match=r"^film 7 cannot be read"):
        read_picture(b"no picture", 1, "film 7")


def test_decompression_bomb_is_refused_before_it_is_decoded():
    bomb = _encoded(Image.new("1", (30_000, 30_000)))
    assert len(bomb) < 1_000_000
    with pytest.raises(UserError, match=r"cannot be read as a picture \(.*pixels"):
        read_picture(bomb, 1)


def test_floating_point_picture_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UserError, match="floating point"):
        read_picture(tmp_path / "float.tif", 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("polarity", ["minisblack", "miniswhite"])
def test_a_tiff_is_shown_as_it_says_whatever_its_depth(tmp_path, dtype, polarity):
    """Against another reader, which hands over the stored values and the polarity."""
    most = np.iinfo(dtype).max
    shown = np.random.default_rng(0).integers(0, most, (8, 9), dtype, endpoint=True)
    stored = most - shown if polarity == "miniswhite" else shown
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, stored, photometric=polarity)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert page.photometric.name.lower() == polarity
        again = most - page.asarray() if polarity == "miniswhite" else page.asarray()
    expected = np.round(again / (most / 255.0))
    np.testing.assert_array_equal(read_picture(path, 1)[..., 0], expected)


def film_of_12_bits(path, most=4095, seed=0):
    values = np.random.default_rng(seed).integers(0, most, (20, 30), np.uint16, endpoint=True)
    values[0, :2] = 0, most
    Image.fromarray(values).save(path)
    return values


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled_from_the_window(tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    values = film_of_12_bits(path)
    full, facts = decode(path, 1)
    np.testing.assert_array_equal(full[..., 0], np.round(values / 257.0))
    assert full.max() == 16 and facts == PictureFacts(20, 30, 16, 4095, 1, 1)
    of_range, _ = decode(path, 1, window=(0, 4095))
    np.testing.assert_array_equal(of_range[..., 0], np.round(values * (255.0 / 4095)))
    low, high = np.percentile(values, (0.5, 99.5))
    of_most, _ = decode(path, 1, window="percentiles")
    expected = np.round(np.clip((values - low) / (high - low), 0, 1) * 255)
    assert np.abs(of_most[..., 0] - expected).max() <= 1
    assert brightest_of_16_bits(path) == 4095 == brightest_of_16_bits(path.read_bytes())


def test_a_constant_picture_of_16_bits_has_a_window_all_the_same(tmp_path):
    Image.fromarray(np.full((4, 4), 700, np.uint16)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", 1, window="percentiles").pixels.max() == 0


def test_8_bits_have_no_window(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, (4, 5), np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    for window in ("full", "percentiles", (0, 10)):
        pixels, facts = decode(tmp_path / "a.png", 1, window=window)
        np.testing.assert_array_equal(pixels[..., 0], values)
        assert facts == PictureFacts(4, 5, 8, 255, 1, 1)
    assert brightest_of_16_bits(tmp_path / "a.png") is None
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert brightest_of_16_bits(tmp_path / "b.png") is None and num_pages(tmp_path / "b.png") == 1


def test_a_page_of_several_is_read(tmp_path):
    pages = [Image.fromarray(np.full((3, 4), value, np.uint8)) for value in (10, 20, 30)]
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert num_pages(path) == 3
    for page, value in enumerate((10, 20, 30)):
        pixels, facts = decode(path, 1, page=page)
        assert (pixels == value).all() and facts.pages == 3
    with pytest.raises(UserError, match="it has 3 pages, and no page 3, counted from 0"):
        decode(path, 1, page=3)


def test_a_turned_film_of_16_bits_is_shown_as_it_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.array([[0, 257, 514]], np.uint16)).save(tmp_path / "a.png", exif=exif)
    pixels, facts = decode(tmp_path / "a.png", 1)
    np.testing.assert_array_equal(pixels[..., 0], [[0], [1], [2]])
    assert (facts.height, facts.width) == (3, 1)
