"""DICOM films in a folder: read like any picture, grouped by patient, and nobody named."""

import json

import numpy as np
import pytest
from support.made_data import data_settings, random_picture, save
from support.made_dicom import encoded, film

from gaug_jax import data
from gaug_jax.data.decoding import decode_file
from gaug_jax.data.dicom.pixels import read_dicom
from gaug_jax.data.preprocess import preprocess
from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError
from gaug_jax.evaluation.image_sets import Form, read_image_set

SECRETS = {
    "PatientName": "Smith^Jane", "PatientID": "MRN0012345", "PatientBirthDate": "19600229",
    "StudyDate": "20200311", "InstitutionName": "St. Elsewhere", "AccessionNumber": "ACC77",
}  # fmt: skip


def write(path, seed=0, most=4095, **tags):
    """Writes a film of 12 bits with a window of its own."""
    values = np.random.default_rng(seed).integers(0, most, (20, 24), np.uint16, endpoint=True)
    dataset = film(values, BitsStored=12, WindowCenter=2048, WindowWidth=2000, **tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(dataset))
    return path


@pytest.fixture
def folder(tmp_path):
    """Ten films of each class, two of a patient; one is a PNG, and one has no suffix."""
    for index in range(20):
        secrets = SECRETS | {"PatientID": f"MRN{index // 4:07d}"}
        view = "PA" if index % 3 else "AP"
        name = f"{index:02d}" + (".dcm" if index else "")
        write(tmp_path / "mine" / "ab"[index % 2] / name, index, ViewPosition=view, **secrets)
    save(tmp_path / "mine" / "a" / "other.png", random_picture(77))
    return tmp_path / "mine"


def settings_of(folder, **options):
    return data_settings(source="folder", path=str(folder), num_folds=2, **options)


def test_films_are_pictures_with_their_patients_as_groups(folder):
    source = read_source(settings_of(folder))
    assert len(source.records) == 21
    groups = {record.name: record.group for record in source.records}
    assert groups["a/other.png"] is None and len(set(groups.values()) - {None}) == 5
    assert groups["a/00"] == groups["b/01.dcm"] == groups["a/02.dcm"] == "patient 1"
    views = {record.metadata.get("view") for record in source.records}
    assert views == {"PA", "AP", None}
    (line,) = source.notes
    assert (
        line.startswith("0 of 20 DICOM films say that text is burned into") and "20 do not" in line
    )


def test_nothing_names_a_person(folder):
    prepared = data.prepare(settings_of(folder))
    text = json.dumps(prepared.manifest)
    for secret in (*SECRETS.values(), "MRN", "Smith", "1960", "2020"):
        assert secret not in text
    assert '"institution": "institution 1"' in text and '"patient 2"' in text
    # The same folder is numbered alike.
    assert json.dumps(data.prepare(settings_of(folder)).manifest) == text


def test_pixels_are_those_of_the_window_that_is_chosen(folder):
    for window, of_dicom in (("own", "dicom"), ("full", "full"), ("used", "used"),
                             ("percentiles", "percentiles")):  # fmt: skip
        settings = settings_of(folder, window=window, image_size=8)
        source = read_source(settings)
        made = preprocess(source, settings)
        place = [record.name for record in source.records].index("b/03.dcm")
        path = folder / "b" / "03.dcm"
        small = read_image_set_of(read_dicom(path, 1, of_dicom), 8)
        np.testing.assert_array_equal(made.images[place], small)
        assert (made.facts[place][:2] == (20, 24)).all()


def read_image_set_of(image, size):
    """Returns a picture as training has it."""
    from gaug_jax.images import resize_square

    return resize_square(image, size, "stretch")


def test_measuring_reads_the_same_films(folder):
    settings = settings_of(folder, image_size=8)
    images = read_image_set(folder, Form(8))
    assert images.classes.tolist() == ["a"] * 11 + ["b"] * 10
    made = preprocess(read_source(settings), settings)
    np.testing.assert_array_equal(images.read(range(21)), made.images)
    with pytest.raises(UserError, match="has not 8 bits a channel"):
        read_image_set(folder)


def test_a_flag_of_burned_in_text_is_counted(tmp_path):
    for index, flag in enumerate(("YES", "NO", "NO")):
        write(tmp_path / "a" / f"{index}.dcm", index, BurnedInAnnotation=flag)
    (line,) = read_source(settings_of(tmp_path)).notes
    assert line.startswith("1 of 3 DICOM films say that text is burned into their pixels, and 0 do")
    (tmp_path / "a" / "0.dcm").unlink()
    assert read_source(settings_of(tmp_path)).notes == ()


def test_patterns_and_folders_of_groups_win(tmp_path):
    for index in range(4):
        write(tmp_path / "a" / f"p{index}" / "0.dcm", index, PatientID="one")
        write(tmp_path / "b" / f"q{index}" / "0.dcm", index + 9, PatientID="one")
    found = read_source(settings_of(tmp_path))
    assert {record.group for record in found.records} == {
        f"{letter}{index}" for letter in "pq" for index in range(4)
    }


def test_a_broken_film_is_named_and_a_frame_is_a_page(tmp_path):
    path = write(tmp_path / "a" / "0.dcm")
    write(tmp_path / "a" / "1.dcm", 1)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"1 pictures cannot be read: a/0\.dcm"):
        data.prepare(settings_of(tmp_path))
    frames = np.random.default_rng(0).integers(0, 255, (3, 8, 8), np.uint8)
    dataset = film(frames[0], NumberOfFrames=3)
    dataset.PixelData = frames.tobytes()
    content = encoded(dataset)
    with pytest.raises(UserError, match="has 3 frames"):
        decode_file(content, 1, "a film")
    full = decode_file(content, 1, "a film", window="full", page=2).pixels
    np.testing.assert_array_equal(full[..., 0], frames[2])
