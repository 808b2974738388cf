import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gaug_jax import images
from gaug_jax.picture_files import read_picture


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
    np.testing.assert_array_equal(read_picture(path, channels), image)
    assert [entry.name for entry in path.parent.iterdir()] == ["picture.png"]


def test_failed_write_leaves_the_old_picture(tmp_path):
    path = tmp_path / "picture.png"
    image = np.full((4, 4, 1), 9, np.uint8)
    images.write_picture(path, image)
    with pytest.raises((TypeError, ValueError)):
        images.write_picture(path, np.zeros((4, 4, 7), np.uint8))
    np.testing.assert_array_equal(read_picture(path, 1), image)
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
