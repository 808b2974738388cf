import io

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gaug_jax import images
from gaug_jax.errors import UserError


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
    np.testing.assert_array_equal(images.read_picture(path, 1)[..., 0], expected)
    np.testing.assert_array_equal(images.read_picture(path, 3)[..., 2], expected)


def test_sixteen_bit_tiff_is_read_like_png(tmp_path):
    path = tmp_path / "deep.tif"
    Image.fromarray(np.array([[0, 514, 65535]], np.uint16)).save(path)
    np.testing.assert_array_equal(images.read_picture(path, 1)[..., 0], [[0, 2, 255]])


def test_palette_is_resolved_to_its_colours():
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0] + [0] * 762)
    picture.putpixel((1, 0), 1)
    read = images.read_picture(_encoded(picture), 3)
    np.testing.assert_array_equal(read, [[[10, 20, 30], [200, 100, 0]]])


def test_luminance_is_that_of_itu_r_601():
    picture = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    # 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1.
    read = images.read_picture(_encoded(picture), 1)
    np.testing.assert_array_equal(read[..., 0], [[76, 150, 29]])
    np.testing.assert_array_equal(images.to_luminance(np.asarray(picture)), read)


def test_transparent_parts_are_black():
    pixels = np.array([[[200, 200, 200, 0], [200, 200, 200, 255], [200, 100, 50, 51]]], np.uint8)
    read = images.read_picture(_encoded(Image.fromarray(pixels, "RGBA")), 3)
    # 51 / 255 is a fifth.
    np.testing.assert_array_equal(read, [[[0, 0, 0], [200, 200, 200], [40, 20, 10]]])


def test_one_bit_pictures_are_black_and_white():
    picture = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(images.read_picture(_encoded(picture), 1)[..., 0], [[255, 0]])


def test_cmyk_jpeg_is_read_as_rgb():
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # No cyan: red.
    read = images.read_picture(_encoded(picture, "JPEG", quality=100), 3)
    assert read[4, 4, 0] > 245
    assert read[4, 4, 1:].max() < 10


def test_exif_orientation_is_applied():
    picture = Image.fromarray(np.array([[0, 100, 200]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn clockwise by 90 degrees to show it.
    read = images.read_picture(_encoded(picture, "PNG", exif=exif), 1)
    np.testing.assert_array_equal(read[..., 0], [[0], [100], [200]])


def test_truncated_jpeg_is_named(tmp_path):
    path = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    path.write_bytes(_encoded(Image.fromarray(noise), "JPEG")[:1500])
    with pytest.raises(UserError, match=r"cut\.jpg cannot be read as a picture \(.*truncated"):
        images.read_picture(path, 1)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"odd\.png cannot be read as a picture"):
        images.read_picture(path, 3)


def test_damaged_png_is_named(tmp_path):
    content = bytearray(_encoded(Image.fromarray(np.zeros((64, 64), np.uint8))))
    content[45] ^= 0xFF
    (tmp_path / "bent.png").write_bytes(content)
    with pytest.raises(UserError, match=r"bent\.png cannot be read as a picture"):
        images.read_picture(tmp_path / "bent.png", 1)


def test_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.png does not exist"):
        images.read_picture(tmp_path / "none.png", 1)


def test_bytes_are_called_by_the_given_name():
    with pytest.raises(UserError, match=r"^film 7 cannot be read"):
        images.read_picture(b"no picture", 1, "film 7")


def test_decompression_bomb_is_refused_before_it_is_decoded():
    bomb = _encoded(Image.new("1", (30_000, 30_000)))
    assert len(bomb) < 1_000_000
    with pytest.raises(UserError, match=r"cannot be read as a picture \(.*pixels"):
        images.read_picture(bomb, 1)


def test_floating_point_picture_is_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UserError, match="floating point"):
        images.read_picture(tmp_path / "float.tif", 1)


def test_padding_keeps_the_aspect_and_stretching_does_not():
    wide = np.full((8, 16, 1), 200, np.uint8)
    padded = images.resize_square(wide, 16, "pad")
    np.testing.assert_array_equal(padded[4:12], 200)
    np.testing.assert_array_equal(padded[[0, 3, 12, 15]], 0)
    np.testing.assert_array_equal(images.resize_square(wide, 16, "stretch"), 200)


def test_resizing_is_pillows_antialiased_cubic():
    image = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    expected = Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(images.resize_square(image, 16, "stretch"), expected)
    # A fine chequerboard becomes grey: without antialiasing it would stay black and white.
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    small = images.resize_square(board, 8, "stretch")
    assert 120 < small.min() <= small.max() < 135


def test_cubic_overshoot_is_clipped():
    step = np.repeat(np.array([0, 255], np.uint8), 8)[None, :, None].repeat(16, 0)
    grown = images.resize_square(step, 64, "stretch")
    assert grown.min() == 0
    assert grown.max() == 255
    assert (np.diff(grown[0, :24, 0].astype(int)) == 0).all()


@pytest.mark.parametrize("library", [np, jnp])
def test_ranges_are_inverses_for_every_value(library):
    values = library.arange(256, dtype=library.uint8)
    unit = images.to_unit(values)
    assert unit.dtype == np.float32
    assert (float(unit[0]), float(unit[255])) == (-1.0, 1.0)
    back = images.to_uint8(unit)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(back), np.arange(256))
    assert isinstance(back, type(values))


def test_values_out_of_range_are_clipped():
    read = images.to_uint8(np.array([-3.0, -1.001, 0.0, 1.001, 3.0], np.float32))
    np.testing.assert_array_equal(read, [0, 0, 128, 255, 255])


def test_grid_places_images_in_rows():
    colours = np.arange(1, 6, dtype=np.uint8)
    cells = np.broadcast_to(colours[:, None, None, None], (5, 2, 3, 1))
    grid = images.picture_grid(cells, columns=3, padding=1)
    assert grid.shape == (1 + 2 * 3, 1 + 3 * 4, 1)
    assert grid.dtype == np.uint8
    # Image r * 3 + c begins at row 1 + 3r and column 1 + 4c; the sixth cell is empty.
    corners = grid[1::3, 1::4, 0]
    np.testing.assert_array_equal(corners, [[1, 2, 3], [4, 5, 255]])
    np.testing.assert_array_equal(grid[[0, 3, 6]], 255)
    np.testing.assert_array_equal(grid[:, [0, 4, 8, 12]], 255)
    assert (grid != 255).sum() == 5 * 6


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_written_whole_and_read_back(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (9, 7, channels), np.uint8)
    path = tmp_path / "new" / "picture.png"
    images.write_picture(path, image)
    np.testing.assert_array_equal(images.read_picture(path, channels), image)
    assert [entry.name for entry in path.parent.iterdir()] == ["picture.png"]


def test_failed_write_leaves_the_old_picture(tmp_path):
    path = tmp_path / "picture.png"
    image = np.full((4, 4, 1), 9, np.uint8)
    images.write_picture(path, image)
    with pytest.raises((TypeError, ValueError)):
        images.write_picture(path, np.zeros((4, 4, 7), np.uint8))
    np.testing.assert_array_equal(images.read_picture(path, 1), image)
    assert [entry.name for entry in tmp_path.iterdir()] == ["picture.png"]


def test_gif_has_the_frames_and_their_time(tmp_path):
    frames = [np.full((5, 6, 3), value, np.uint8) for value in (0, 120, 255)]
    images.write_gif(tmp_path / "moving.gif", frames, 150)
    with Image.open(tmp_path / "moving.gif") as moving:
        assert moving.n_frames == 3
        assert moving.info["duration"] == 150
        assert moving.info["loop"] == 0
        shades = []
        for index in range(3):
            moving.seek(index)
            shades.append(moving.convert("RGB").getpixel((2, 2))[0])
    assert shades == [0, 120, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_is_cut_into_its_images(channels):
    made = np.random.default_rng(0).integers(0, 255, (12, 8, 8, channels), np.uint8)
    np.testing.assert_array_equal(images.cut_grid(images.picture_grid(made, 4), 8), made)
    short = images.cut_grid(images.picture_grid(made[:10], 4), 8)
    np.testing.assert_array_equal(short[:10], made[:10])
    assert short.shape == (12, 8, 8, channels) and (short[10:] == 255).all()
    with pytest.raises(ValueError, match="no images of 16x16"):
        images.cut_grid(images.picture_grid(made, 4), 16)
