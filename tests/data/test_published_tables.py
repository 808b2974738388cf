"""Published tables of chest films: small ones of the published shape, read from disk to records."""

import gzip

import pytest
from support.made_data import data_settings, random_picture, save
from support.made_tables import (
    make_bimcv,
    make_chexpert,
    make_covidx,
    make_mimic,
    make_nih,
    make_padchest,
    make_rsna,
    make_vindr,
    vindr_votes,
    write,
)  # fmt: skip

from gaug_jax import data
from gaug_jax.data.licences import forbids_derivatives
from gaug_jax.data.publishers.published_table import listed_names
from gaug_jax.data.sources import read_source
from gaug_jax.data.tables import read_table
from gaug_jax.errors import UserError


def settings_of(name, root, **options):
    return data_settings(**({"source": name, "path": str(root), "num_folds": 2} | options))


def read(name, root, **options):
    """Returns a source's data, its records by name, and its notes as one text."""
    found = read_source(settings_of(name, root, **options))
    return found, {record.name: record for record in found.records}, "\n".join(found.notes)


def test_nih_has_the_publishers_parts_and_patients(tmp_path):
    make_nih(tmp_path)
    found, records, notes = read("nih_chestxray14", tmp_path, label="Edema")
    first = records["00000000_000.png"]
    assert (first.label, first.group, first.part) == ("Edema", "0", "test")
    assert first.metadata == {"sex": "F", "age": "50", "view": "PA"}
    assert len(records) == 11 and "1 films left out, which are in no part's list" in notes
    assert "mined from reports" in notes and "cite Wang et al., CVPR 2017" in notes
    assert found.source == "nih_chestxray14" and found.licence.startswith("no restriction")
    prepared = data.prepare(settings_of("nih_chestxray14", tmp_path, label="Edema"))
    assert prepared.manifest["official_test"] and prepared.manifest["licence"] == found.licence
    assert any("nihcc.app.box.com" in line for line in prepared.manifest["notes"])
    # Without a finding each label is a class, and films of several are left out.
    assert {each.label for each in read("nih_chestxray14", tmp_path)[0].records} == {
        "No Finding", "Mass"
    }  # fmt: skip


def test_nih_without_the_lists_says_so(tmp_path):
    make_nih(tmp_path, lists=False)
    found, _, notes = read("nih_chestxray14", tmp_path, label="Mass")
    assert {record.part for record in found.records} == {None}
    assert "no train_val_list.txt and no test_list.txt: the publisher's parts are not" in notes


def test_chexpert_is_found_below_the_path_whatever_the_archive_is_called(tmp_path):
    make_chexpert(tmp_path / "archive" / "CheXpert-v1.0")
    found, records, notes = read("chexpert", tmp_path, label="Edema", uncertain="positive")
    assert len(records) == 7 and len({record.picture for record in found.records}) == 7
    first = records["train/patient00000/study0/view1_frontal.jpg"]
    assert (first.label, first.group, first.part) == ("Edema", "patient00000", "train")
    assert first.metadata == {"sex": "Female", "age": "61", "view": "AP", "Support Devices": ""}
    assert first.picture.parent.parent.name == "patient00000"
    assert records["train/patient00000/study1/view1_frontal.jpg"].metadata["sex"] == ""
    assert records["valid/patient00077/study1/view1_frontal.jpg"].part == "validation"
    assert "1 films left out, whose view is not frontal: Lateral 1" in notes
    assert "1 films, whose Sex is Unknown" in notes and "Edema is uncertain" in notes


def test_mimic_joins_its_packed_tables_and_keeps_no_date(tmp_path):
    make_mimic(tmp_path)
    _, records, notes = read("mimic_cxr_jpg", tmp_path, label="Pneumonia")
    first = records["files/p10/p10000030/s50414260/02aa804e-0-PA.jpg"]
    assert (first.label, first.group, first.part) == ("Pneumonia", "10000030", "train")
    assert first.metadata == {"view": "PA", "Support Devices": ""}
    assert [record.part for record in records.values()].count("validation") == 2
    assert "6 films left out, whose view is not frontal: LATERAL 6" in notes
    assert "1 films left out, whose study or part is in no table" in notes
    (tmp_path / "mimic-cxr-2.0.0-split.csv.gz").unlink()
    with pytest.raises(UserError, match=r"holds no mimic-cxr-\*-split\.csv\*, which says which pa"):
        read("mimic_cxr_jpg", tmp_path, label="Pneumonia")


def test_padchest_reads_lists_of_labels_and_drops_dates_and_reports(tmp_path):
    make_padchest(tmp_path)
    _, records, notes = read("padchest", tmp_path, label="pleural effusion")
    assert set(records) == {"0/2168_0.png", "0/2168_4.png", "1/2168_1.png", "1/2168_5.png"}
    first = records["0/2168_0.png"]
    assert (first.label, first.group, first.part) == ("pleural effusion", "p0", None)
    assert first.metadata == {
        "sex": "F", "age": "84", "view": "PA", "machine": "ImagingDynamicsCompanyLtd",
        "labelled_by": "Physician",
    }  # fmt: skip
    assert "whose view is not frontal: L 1" in notes and "16 bits" in notes
    assert "2 films left out, whose report is called exclude, suboptimal study, unchanged" in notes
    assert "2 rows left out, whose label is not known" in notes
    with pytest.raises(UserError, match="'Mass' is in no row of the table: choose one of normal, "):
        read("padchest", tmp_path, label="Mass")


def test_rsna_has_no_patients_without_the_mapping(tmp_path):
    make_rsna(tmp_path)
    _, records, notes = read("rsna_pneumonia", tmp_path)
    assert len(records) == 8 and {record.group for record in records.values()} == {None}
    first = records["stage_2_train_images/001-aa.dcm"]
    assert first.label == "Target" and records["stage_2_train_images/000-aa.dcm"].label != "Target"
    assert first.metadata["view"] == "PA" and "class" not in first.metadata
    assert "patientId is a film's number and no patient's" in notes
    classes = {record.label for record in read("rsna_pneumonia", tmp_path,
                                               label_column="class")[0].records}  # fmt: skip
    assert classes == {"Lung Opacity", "Normal"}
    normal = read("rsna_pneumonia", tmp_path, label="Normal")[0]
    assert {record.label for record in normal.records} == {"Normal", "other"}


def test_rsna_has_the_nihs_patients_by_the_mapping(tmp_path):
    make_rsna(tmp_path, mapping=True)
    _, records, notes = read("rsna_pneumonia", tmp_path)
    assert records["stage_2_train_images/003-aa.dcm"].group == "00000001"
    assert "no patient's" not in notes
    mapping = tmp_path / "pneumonia-challenge-dataset-mappings_2018.json"
    mapping.write_text('[{"img_id": 1}]')
    with pytest.raises(UserError, match="mappings_2018.json is no list of films with subset_img"):
        read("rsna_pneumonia", tmp_path)


def test_vindr_goes_by_the_majority_of_its_readers(tmp_path):
    make_vindr(tmp_path)
    _, records, notes = read("vindr_cxr", tmp_path, label="Edema")
    assert {name: record.label for name, record in records.items()} == {
        "train/aa.dicom": "Edema", "train/bb.dicom": "no Edema", "train/cc.dicom": "no Edema",
        "test/dd.dicom": "Edema",
    }  # fmt: skip
    assert records["test/dd.dicom"].part == "test" and records["test/dd.dicom"].metadata == {}
    assert "readers contradict one another on Edema in 2 of 3 films of the part train" in notes
    rows = [{"image_id": row["image_id"], "class_name": "Edema" if row["Edema"] else "No finding",
             "class_id": 0, "rad_id": row["rad_id"], "x_min": ""}
            for row in [*vindr_votes("aa", 1, 1, 0), *vindr_votes("bb", 1, 0, 0)]]  # fmt: skip
    challenge = write(tmp_path / "train.csv", [rows[0], *rows])
    _, boxes, _ = read("vindr_cxr", tmp_path, label="Edema", table=str(challenge))
    assert [boxes[f"train/{name}.dicom"].label for name in ("aa", "bb")] == ["Edema", "no Edema"]


@pytest.mark.parametrize("name", ["{}.txt", "{}_COVIDx9B.txt"])
def test_covidx_lists_say_patient_source_and_part(tmp_path, name):
    make_covidx(tmp_path, name)
    _, records, notes = read("covidx", tmp_path)
    assert len(records) == 6
    covid = records["train/COVID(1).png"]
    assert (covid.label, covid.group, covid.part) == ("positive", "COVID 1", "train")
    assert covid.metadata == {"source": "sirm"} and records["val/c.png"].part == "validation"
    assert "negative from rsna 2, cohen 1; positive from ricord 2, sirm 1" in notes
    assert "1 lines left out, which repeat another" in notes


def test_covidx_lists_of_the_first_versions_have_no_source(tmp_path):
    save(tmp_path / "train" / "a.png", random_picture(1))
    (tmp_path / "train_COVIDx2.txt").write_text("3 a.png pneumonia\n")
    assert read("covidx", tmp_path)[1]["train/a.png"].metadata == {"source": ""}
    (tmp_path / "train_COVIDx5.txt").write_text("")
    with pytest.raises(UserError, match="holds train_COVIDx2.txt and train_COVIDx5.txt: choose"):
        read("covidx", tmp_path)
    severity = tmp_path / "train_COVIDxSev.txt"
    severity.write_text("SITE2 a.png level2 ricord\n")
    with pytest.raises(UserError, match="COVIDxSev.txt, line 1, is no patient, file, class"):
        read("covidx", tmp_path, table=str(severity))
    with pytest.raises(UserError, match="is not of the part train by its name"):
        read("covidx", tmp_path, table=str(save(tmp_path / "x.png", random_picture(2))))


def test_bimcv_gives_each_film_its_sessions_labels(tmp_path):
    make_bimcv(tmp_path)
    found, records, notes = read("bimcv_covid19", tmp_path, label="COVID 19")
    name = "sub-S00/ses-E00/mod-rx/sub-S00_ses-E00_vp-ap_dx.png"
    first = records[name]
    assert (first.label, first.group, first.part) == ("COVID 19", "sub-S00", None)
    assert first.metadata == {"sex": "M", "age": "57", "view": "ap", "kind": "dx",
                              "machine": "Maker", "photometric": "MONOCHROME1"}  # fmt: skip
    assert sorted(record.label for record in records.values()) == ["COVID 19", "other"]
    assert "1 sessions have no film in mod-rx" in notes and "not frontal: ll 3" in notes
    assert "1 of 2 films are stored as MONOCHROME1" in notes
    assert "1 films left out, whose report is called" in notes
    assert forbids_derivatives(found.licence)


@pytest.mark.parametrize("text", ["['a', ' b', '']", '["a"\t "b", "a"]', "['a'\n 'b']"])
def test_lists_are_read_as_python_and_others_write_them(text):
    assert listed_names(text) == ["a", "b"] and listed_names("[]") == listed_names("") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("t.csv.gz", "file,label\na,b"), ("t.tsv.GZ", "file\tlabel\na\tb"),
     ("t.jsonl.gz", '{"file": "a", "label": "b"}')],
)  # fmt: skip
def test_packed_tables_are_read(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()))
    assert read_table(path) == [{"file": "a", "label": "b"}]
    path.write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(UserError, match="cannot be read as a table") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="of a kind that is not read"):
        read_table(save(tmp_path / "t.png", random_picture(0)).rename(tmp_path / "t.parquet.gz"))


def test_a_file_is_found_by_as_much_of_its_path_as_only_one_has(tmp_path):
    for index, folder in enumerate(("deep/one", "deep/two")):
        save(tmp_path / folder / "film.png", random_picture(index))
    table = write(tmp_path / "t.csv", [{"file": "of/two/film.png", "label": "a"}])
    options = {"source": "table", "table": str(table)}
    found = read_source(data_settings(**options)).records[0]
    assert found.picture == tmp_path / "deep/two/film.png" and found.name == "of/two/film.png"
    write(table, [{"file": "two/film.jpg", "label": "a"}])
    # A table of the user's own is not read more freely than it is written.
    with pytest.raises(UserError, match="holds none of the 1 files"):
        read_source(data_settings(**options))
