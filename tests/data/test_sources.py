import numpy as np
import pytest
from support.made_data import (
    data_settings,
    make_characters,
    make_films,
    make_folder,
    random_picture,
    save,
)

from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError


def _read(**fields):
    return read_source(data_settings(**fields))


def test_unknown_source_is_named_with_the_closest():
    with pytest.raises(UserError, match=r"'digit' is not known \(did you mean 'digits'\?\).*npz"):
        _read(source="digit")


def test_digits_are_those_of_scikit_learn():
    data = _read(source="digits")
    assert len(data.records) == 1797
    # The first digit of scikit-learn's set, its first row: 0 0 5 13 9 1 0 0 of 16.
    np.testing.assert_array_equal(data.records[0].picture[0, :, 0], [0, 0, 80, 207, 143, 16, 0, 0])
    assert data.records[0].label == "0"
    assert max(record.picture.max() for record in data.records) == 255
    assert all(record.group is None for record in data.records)


def test_folder_is_read_in_order(tmp_path):
    make_folder(tmp_path, ("b", "a"), images=2)
    save(tmp_path / "a" / "z.JPG", random_picture(5))
    data = _read(source="folder", path=str(tmp_path))
    assert [record.name for record in data.records] == [
        "a/00.png",
        "a/01.png",
        "a/z.JPG",
        "b/00.png",
        "b/01.png",
    ]
    assert [record.label for record in data.records] == ["a"] * 3 + ["b"] * 2
    assert data.notes == () and data.reading == "read as class/<picture>: 2 classes: a, b"


def test_class_folders_may_lie_in_one_folder_as_archives_have_them(tmp_path):
    make_folder(tmp_path / "my images", images=2)
    save(tmp_path / "__MACOSX" / "my images" / "cat" / "._00.png", random_picture(0))
    (tmp_path / ".DS_Store").write_text("")
    data = _read(source="folder", path=str(tmp_path))
    names = ["cat/00.png", "cat/01.png", "dog/00.png", "dog/01.png"]
    assert [record.name for record in data.records] == names
    assert data.notes == ()


def test_folder_reports_what_it_does_not_read(tmp_path):
    make_folder(tmp_path, images=2)
    save(tmp_path / "loose.png", random_picture(0))
    save(tmp_path / "cat" / "deeper" / "x.png", random_picture(0))
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    (tmp_path / "dog" / ".hidden").write_text("")
    data = _read(source="folder", path=str(tmp_path))
    assert len(data.records) == 4
    assert data.notes == (
        "pictures not read, which lie elsewhere: cat/deeper/ 1, beside the folders 1",
        "not read, of other kinds (.txt 1): dog/notes.txt",
    )


def test_folder_groups_come_from_the_pattern(tmp_path):
    for name in ("p1_a", "p1_b", "p2_a", "odd"):
        save(tmp_path / "cat" / f"{name}.png", random_picture(len(name)))
    data = _read(source="folder", path=str(tmp_path), group=r"(?P<group>p\d+)_")
    groups = {record.name: record.group for record in data.records}
    assert groups == {
        "cat/odd.png": None,
        "cat/p1_a.png": "p1",
        "cat/p1_b.png": "p1",
        "cat/p2_a.png": "p2",
    }
    assert "matches nothing in 1 names" in data.notes[0]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [(r"(?P<who>p\d+)", "has no named group"), ("(", "is not a regular expression")],
)
def test_bad_group_pattern_is_refused(tmp_path, pattern, message):
    make_folder(tmp_path, images=1)
    with pytest.raises(UserError, match=rf"config\.data\.group=.* {message}"):
        _read(source="folder", path=str(tmp_path), group=pattern)


def test_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no pictures"):
        _read(source="folder", path=str(tmp_path))
    (tmp_path / "readme.txt").write_text("")
    with pytest.raises(UserError, match=r"holds no pictures.*\.jpg.*found not read.*readme\.txt"):
        _read(source="folder", path=str(tmp_path))
    with pytest.raises(UserError, match="does not exist"):
        _read(source="folder", path=str(tmp_path / "none"))
    with pytest.raises(UserError, match="is not a folder"):
        _read(source="folder", path=str(tmp_path / "readme.txt"))
    with pytest.raises(UserError, match="path is not set"):
        _read(source="folder")


def test_frontal_films_are_read_with_patients_and_licences(tmp_path):
    make_films(tmp_path)
    data = _read(source="covid_chestxray", path=str(tmp_path))
    assert data.missing == ("film5.png",)
    assert len(data.records) == 23
    by_name = {record.name: record for record in data.records}
    assert not {"lateral.png", "scan.png"} & set(by_name)
    # Patients 0, 1 and 2 of four have a finding that names COVID-19, in three spellings.
    labels = {record.group: record.label for record in data.records}
    assert [labels[str(patient)] for patient in range(4)] == ["COVID-19"] * 3 + ["other"]
    assert by_name["film3.png"].group == "1"
    assert by_name["film3.png"].licence == "CC BY"
    assert by_name["film2.png"].licence is None
    assert by_name["film3.png"].metadata["view"] == "PA"
    assert by_name["film3.png"].metadata["sex"] == "F"


def test_findings_are_another_label_set(tmp_path):
    make_films(tmp_path)
    data = _read(source="covid_chestxray", path=str(tmp_path), label="finding")
    assert {record.label for record in data.records} == {"COVID-19", "COVID-19, ARDS", "SARS"}
    with pytest.raises(UserError, match=r"data\.label='age' .* 'covid', 'finding'"):
        _read(source="covid_chestxray", path=str(tmp_path), label="age")


def test_film_under_two_patients_is_a_record_for_each(tmp_path):
    make_films(tmp_path)
    with open(tmp_path / "metadata.csv", "a") as file:
        file.write("77,F,COVID-19,PA,X-ray,film0.png,,\n")
    data = _read(source="covid_chestxray", path=str(tmp_path))
    groups = {record.name: record.group for record in data.records if "film0" in record.name}
    assert groups == {"film0.png": "0", "film0.png#2": "77"}


def test_films_without_table_columns_or_pictures_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"metadata\.csv does not exist"):
        _read(source="covid_chestxray", path=str(tmp_path))
    (tmp_path / "metadata.csv").write_text("patientid,view\n1,PA\n")
    with pytest.raises(UserError, match="has no column modality, finding, filename"):
        _read(source="covid_chestxray", path=str(tmp_path))
    table = "patientid,modality,view,finding,filename\n1,X-ray,PA,SARS,a.png\n"
    (tmp_path / "metadata.csv").write_text(table)
    with pytest.raises(UserError, match="holds none of the 1 films"):
        _read(source="covid_chestxray", path=str(tmp_path))


def test_characters_carry_forms_and_writers(tmp_path):
    make_characters(tmp_path)
    data = _read(source="banglalekha_isolated", path=str(tmp_path))
    assert [record.label for record in data.records] == ["1"] * 6 + ["2"] * 6 + ["10"] * 6
    record = data.records[9]
    assert record.name == "2/01_0002_1_21_0916_1001_2.png"
    assert record.group == "1001"
    assert record.metadata == {
        "district": "01",
        "institution": "0002",
        "gender": "1",
        "age": "21",
        "date": "0916",
        "form": "1001",
    }
    assert data.notes == ()


def test_names_that_do_not_match_have_no_group(tmp_path):
    make_characters(tmp_path, forms=2)
    save(tmp_path / "Images" / "1" / "scan.png", random_picture(1))
    # The name says character 2, the folder 1: it cannot be trusted.
    save(tmp_path / "Images" / "1" / "01_0002_1_21_0916_1001_2.png", random_picture(2))
    (tmp_path / "Images" / "99").mkdir()
    (tmp_path / "Images" / "2" / "Thumbs.db").write_text("")
    data = _read(source="banglalekha_isolated", path=str(tmp_path))
    unknown = [record.name for record in data.records if record.group is None]
    assert unknown == ["1/01_0002_1_21_0916_1001_2.png", "1/scan.png"]
    assert "cannot be read from 2 of 8 names" in data.notes[0]
    assert data.notes[1].endswith("99, 2/Thumbs.db")


def test_filename_pattern_can_be_given(tmp_path):
    save(tmp_path / "Images" / "3" / "writer-8_f12.png", random_picture(1))
    fields = {"source": "banglalekha_isolated", "path": str(tmp_path)}
    data = _read(**fields, filename_pattern=r"writer-(?P<age>\d+)_f(?P<form>\d+)")
    assert (data.records[0].group, data.records[0].metadata["age"]) == ("12", "8")
    with pytest.raises(UserError, match=r"write \(\?P<form>\.\.\.\) in it"):
        _read(**fields, filename_pattern=r"f(\d+)")


def test_characters_elsewhere_are_refused(tmp_path):
    with pytest.raises(UserError, match="has no folder Images"):
        _read(source="banglalekha_isolated", path=str(tmp_path))
    (tmp_path / "Images" / "1").mkdir(parents=True)
    with pytest.raises(UserError, match="holds no pictures"):
        _read(source="banglalekha_isolated", path=str(tmp_path))


def _numerals(count, seed):
    images = random_picture(seed, (count, 32, 32, 3))
    return {"images": images, "labels": np.arange(count) % 10}


def test_numerals_keep_the_publishers_parts(tmp_path):
    np.savez(tmp_path / "training-images.npz", **_numerals(20, 0))
    with pytest.raises(UserError, match=r"testing-images\.npz does not exist"):
        _read(source="cmaterdb", path=str(tmp_path))
    np.savez(tmp_path / "testing-images.npz", **_numerals(10, 1))
    data = _read(source="cmaterdb", path=str(tmp_path))
    assert [record.part for record in data.records] == ["train"] * 20 + ["test"] * 10
    assert (data.records[23].name, data.records[23].label) == ("test/0003", "3")
    np.testing.assert_array_equal(data.records[23].picture, _numerals(10, 1)["images"][3])


def _npz(tmp_path, **arrays):
    path = tmp_path / "images.npz"
    np.savez(path, **arrays)
    return str(path)


def test_npz_of_images_labels_and_groups(tmp_path):
    path = _npz(
        tmp_path,
        images=random_picture(0, (4, 8, 9)),
        labels=np.array(["x", "y", "x", "y"]),
        groups=np.array([[7], [7], [8], [9]]),
        sites=np.array([1, 2, 1, 2]),
    )
    data = _read(source="npz", path=path)
    assert [record.label for record in data.records] == ["x", "y", "x", "y"]
    assert [record.group for record in data.records] == ["7", "7", "8", "9"]
    assert data.records[0].picture.shape == (8, 9, 1)
    assert all(record.part is None for record in data.records)
    data = _read(source="npz", path=path, group="sites")
    assert [record.group for record in data.records] == ["1", "2", "1", "2"]
    with pytest.raises(UserError, match=r"data\.group='wards': .* has no array 'wards'"):
        _read(source="npz", path=path, group="wards")


def test_npz_of_medmnist(tmp_path):
    arrays = {}
    for prefix, count in (("train", 3), ("val", 2), ("test", 1)):
        arrays[f"{prefix}_images"] = random_picture(count, (count, 28, 28))
        arrays[f"{prefix}_labels"] = np.arange(count)[:, None]
    data = _read(source="npz", path=_npz(tmp_path, **arrays))
    assert [record.part for record in data.records] == ["train"] * 3 + ["validation"] * 2 + ["test"]
    assert [record.label for record in data.records] == ["0", "1", "2", "0", "1", "0"]


IMAGES = np.zeros((3, 8, 8), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES.astype(np.float32), "labels": [0, 1, 2]}, "values of dtype float32"),
        ({"images": np.full((3, 8, 8), np.nan), "labels": [0, 1, 2]}, "has NaN"),
        ({"images": IMAGES[..., None, None], "labels": [0, 1, 2]}, r"shape \(3, 8, 8, 1, 1\)"),
        ({"images": np.zeros((3, 8, 8, 2), np.uint8), "labels": [0, 1, 2]}, "shape"),
        ({"images": IMAGES[:0], "labels": []}, r"shape \(0, 8, 8, 1\)"),
        ({"images": IMAGES, "labels": [0, 1]}, "one for each of 3 images"),
        ({"images": IMAGES, "labels": [0.5, 1, 2]}, "labels has dtype float64"),
        ({"images": IMAGES}, "has no array 'labels'"),
        ({"pictures": IMAGES}, "has no array 'images' or 'train_images', only pictures"),
        ({"images": IMAGES, "labels": np.array([0, "a", None], object)}, "Python objects"),
    ],
)
def test_unusable_npz_is_refused(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        _read(source="npz", path=_npz(tmp_path, **arrays))


def test_damaged_npz_is_refused(tmp_path):
    path = _npz(tmp_path, images=IMAGES, labels=[0, 1, 2])
    content = (tmp_path / "images.npz").read_bytes()
    (tmp_path / "images.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"images\.npz cannot be read as \.npz"):
        _read(source="npz", path=path)
    np.save(tmp_path / "one.npy", IMAGES)
    with pytest.raises(UserError, match=r"one\.npy is no \.npz file"):
        _read(source="npz", path=str(tmp_path / "one.npy"))
    with pytest.raises(UserError, match="does not exist"):
        _read(source="npz", path=str(tmp_path / "none.npz"))


def test_a_group_pattern_that_matches_no_name_is_refused(tmp_path):
    save(tmp_path / "a" / "p1_x.png", random_picture(0))
    save(tmp_path / "b" / "p2_y.png", random_picture(1))
    with pytest.raises(UserError, match=r"config\.data\.group=.* matches none of 2 names"):
        _read(source="folder", path=str(tmp_path), group=r"(?P<group>q\d+)_")
