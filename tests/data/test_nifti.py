"""Slices of NIfTI volumes: how they lie, which values are black and white, what is refused."""

import dataclasses
import itertools

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, inv_ornt_aff
from support.made_data import data_settings
from support.made_dicom import encoded, film

from gaug_jax import data
from gaug_jax.data.decoding import decode_file
from gaug_jax.data.nifti import num_slices, read_slice
from gaug_jax.errors import UserError
from gaug_jax.evaluation.image_sets import Form, read_image_set
from gaug_jax.images import resize_square

RANDOM = np.random.default_rng(0)
# Which of right, front and head each stored axis runs along, and in which direction.
ORIENTATIONS = [
    np.array(list(zip(axes, signs, strict=True)))
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def written(path, values, affine=None, **header):
    """Writes a volume; by default its axes run to the right, front and head."""
    volume = nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine)
    for name, value in header.items():
        volume.header[name] = value
    nibabel.save(volume, path)
    return path


def of_range(values, low, high):
    """Rounds a scale from `low` to `high`, as pixels have it."""
    return np.round(np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255)


@pytest.mark.parametrize("number", range(48))
def test_slices_lie_as_radiologists_look_at_them(tmp_path, number):
    """Of each orientation in which a volume can be stored, against nibabel's own reorientation."""
    straight = RANDOM.integers(0, 255, (4, 5, 3)).astype(np.int16)
    straight[0, 0, 0], straight[1, 0, 0] = 0, 254
    orientation = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(np.eye(4)), ORIENTATIONS[number]
    )
    values = apply_orientation(straight, orientation)
    affine = inv_ornt_aff(orientation, straight.shape)
    path = written(tmp_path / "a.nii", values, affine)
    again = nibabel.as_closest_canonical(nibabel.load(path)).get_fdata()
    np.testing.assert_array_equal(again, straight)
    for page in range(3):
        seen = read_slice(path, 1, "used", page=page)
        of_slice = straight[:, :, page]
        expected = of_range(of_slice, of_slice.min(), of_slice.max())
        # Front above, the patient's right on the left: both axes turned, then rows for columns.
        np.testing.assert_allclose(seen.pixels[..., 0], np.rot90(expected.T, 2), atol=1)
        assert seen.facts[:2] == (5, 4) and seen.facts.pages == 3


def test_what_is_one_slice_thick_is_shown_as_it_lies(tmp_path):
    front = RANDOM.integers(0, 200, (6, 1, 4)).astype(np.int16)
    front[0, 0, 0], front[5, 0, 3] = 0, 255  # Left foot, right head.
    seen = read_slice(written(tmp_path / "a.nii", front), 3, "used").pixels
    assert seen.shape == (4, 6, 3)
    assert seen[0, 0].tolist() == [255] * 3 and seen[3, 5].tolist() == [0] * 3
    side = written(tmp_path / "b.nii.gz", front.transpose(1, 0, 2))
    assert read_slice(side, 1, "used").pixels[0, 0] == 255  # Front and head.


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_values_are_scaled_and_have_the_display_range(tmp_path, suffix):
    stored = RANDOM.integers(-900, 900, (5, 6, 1)).astype(np.int16)
    path = tmp_path / f"a{suffix}"
    volume = nibabel.Nifti1Image(stored, np.eye(4))
    volume.header["cal_min"], volume.header["cal_max"] = -100, 400
    volume.header.set_slope_inter(2.0, -50.0)
    # Written by hand: nibabel would take the scaling out of given values.
    volume.to_filename(path)
    with nibabel.openers.Opener(path, "rb") as file:
        content = bytearray(file.read())
    fields = volume.header.structarr.dtype.fields
    for name, value in (("scl_slope", 2.0), ("scl_inter", -50.0)):
        start = fields[name][1]
        content[start : start + 4] = np.float32(value).tobytes()
    with nibabel.openers.Opener(path, "wb") as file:
        file.write(bytes(content))
    values = (2.0 * stored[..., 0] - 50)[::-1, ::-1].T
    own = read_slice(path, 1).pixels[..., 0]
    np.testing.assert_array_equal(own, of_range(values, -100, 400))
    of_used = read_slice(path, 1, "used").pixels[..., 0]
    np.testing.assert_array_equal(of_used, of_range(values, values.min(), values.max()))
    low, high = np.percentile(values, (0.5, 99.5))
    of_most = read_slice(path, 1, "percentiles").pixels[..., 0]
    np.testing.assert_array_equal(of_most, of_range(values, low, high))


def test_without_a_display_range_percentiles_are_black_and_white(tmp_path):
    values = RANDOM.normal(size=(9, 8, 1)).astype(np.float32)
    values[2, 3] = np.nan
    path = written(tmp_path / "a.nii", values)
    own = read_slice(path, 1).pixels
    np.testing.assert_array_equal(own, read_slice(path, 1, "percentiles").pixels)
    assert own[::-1, ::-1].transpose(1, 0, 2)[2, 3] == 0 and own.max() == 255
    constant = written(tmp_path / "b.nii", np.full((3, 3, 1), 7, np.int16))
    assert read_slice(constant, 1).pixels.max() == 0


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (
            np.zeros((3, 3, 2), np.int16),
            {},
            "has 2 slices: choose one of 0 to 1, or all, by config",
        ),
        (np.zeros((3, 3, 2), np.int16), {"page": 2}, "has 2 slices, and no slice 2"),
        (np.zeros((3, 3, 2, 2), np.int16), {}, "has 4 axes"),
        (np.zeros((3, 3, 1), np.complex64), {}, "values that are no real numbers"),
        (np.full((3, 3, 1), np.nan, np.float32), {}, "a slice without any number"),
        (np.zeros((3, 3, 1), np.int16), {"window": "full"}, "has no window 'full'"),
    ],
)
def test_what_has_no_picture_is_refused_in_a_line(tmp_path, values, options, words):
    path = written(tmp_path / "a.nii", values)
    with pytest.raises(UserError) as told:
        read_slice(path, 1, **options)
    assert str(told.value).startswith(f"{path} ") and words in str(told.value)
    assert "\n" not in str(told.value)


def test_broken_and_absent_volumes_are_named(tmp_path):
    path = written(tmp_path / "a.nii", np.zeros((9, 9, 2), np.int16))
    assert num_slices(path) == 2
    path.write_bytes(path.read_bytes()[:400])
    for name, words in (("a.nii", "cannot be read as a NIfTI volume"), ("b.nii", "does not exist")):
        with pytest.raises(UserError, match=words):
            read_slice(tmp_path / name, 1, page=1)
    (tmp_path / "c.nii").write_bytes(b"none")
    assert num_slices(tmp_path / "c.nii") == 1
    with pytest.raises(UserError, match="c.nii cannot be read as a NIfTI volume"):
        read_slice(tmp_path / "c.nii", 1)


def volumes(root, thick=3):
    """Writes ten volumes in two classes."""
    for number in range(10):
        path = root / "ab"[number % 2] / f"{number}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        written(path, RANDOM.integers(0, 99, (16, 16, thick)).astype(np.int16))
    return root


def test_slices_of_a_volume_stay_together(tmp_path):
    settings = data_settings(
        source="folder", path=str(volumes(tmp_path / "mine")), cache_path=str(tmp_path / "cache"),
        num_folds=0,
    )  # fmt: skip
    with pytest.raises(UserError, match="10 pictures cannot be read.*3 slices: choose one"):
        data.prepare(settings)
    found = data.prepare(dataclasses.replace(settings, pages="all"))
    assert len(found.images) == 30 and found.manifest["num_groups"] == 10
    assert found.manifest["pictures"]["formats"] == {"NIfTI": 30}
    assert found.names[:2] == ("a/0.nii.gz#0", "a/0.nii.gz#1")
    middle = data.prepare(dataclasses.replace(settings, pages="1"))
    assert len(middle.images) == 10
    np.testing.assert_array_equal(middle.images[0], found.images[1])


def test_measuring_reads_volumes_as_training_does(tmp_path):
    root = volumes(tmp_path / "mine", 1)
    found = read_image_set(root, Form(image_size=16))
    first = decode_file(root / "a" / "0.nii.gz", 1, "0").pixels
    np.testing.assert_array_equal(found.read([0])[0], resize_square(first, 16, "stretch"))


def test_frames_of_a_patient_stay_together(tmp_path):
    """Twenty cines of ten patients, read frame by frame."""
    for number in range(20):
        cine = film(RANDOM.integers(0, 256, (3 * 16, 16), np.uint8), NumberOfFrames=3)
        cine.Rows, cine.PatientID = 16, str(number // 2)
        path = tmp_path / "mine" / "ab"[number % 4 > 1] / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(cine))
    settings = data_settings(
        source="folder", path=str(tmp_path / "mine"), cache_path=str(tmp_path / "cache"),
        num_folds=0,
    )  # fmt: skip
    with pytest.raises(UserError, match="20 pictures cannot be read.*3 frames: choose one"):
        data.prepare(settings)
    every = data.prepare(dataclasses.replace(settings, pages="all"))
    assert len(every.images) == 60 and every.manifest["num_groups"] == 10
    first = data.prepare(dataclasses.replace(settings, pages="0"))
    np.testing.assert_array_equal(first.images, every.images[::3])
