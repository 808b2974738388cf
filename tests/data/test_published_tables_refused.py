"""What is said of a published table that is not there, of another version, or asked for wrongly."""

import csv
import gzip

import pytest
from support.made_data import data_settings, random_picture, save
from support.made_tables import MAKERS, make_chexpert, make_covidx, make_rsna, make_vindr, write

from gaug_jax import data
from gaug_jax.data.sources import SOURCES, read_source
from gaug_jax.data.sources.published import PUBLISHED
from gaug_jax.data.tables import read_table
from gaug_jax.errors import UserError

FACTS = {facts.name: facts for facts in PUBLISHED}
# A finding of each that its made table has.
FINDING = {
    "nih_chestxray14": "Mass", "chexpert": "Edema", "mimic_cxr_jpg": "Pneumonia",
    "padchest": "normal", "rsna_pneumonia": None, "vindr_cxr": "Edema", "covidx": None,
    "bimcv_covid19": "COVID 19",
}  # fmt: skip
KEPT = {
    "sex", "age", "view", "machine", "labelled_by", "Support Devices", "source", "kind",
    "photometric",
}  # fmt: skip


def settings_of(name, root, **options):
    fields = {"source": name, "path": str(root), "label": FINDING[name], "num_folds": 2}
    return data_settings(**(fields | options))


def refused(message, settings):
    """Holds that reading is refused in one line of a message."""
    with pytest.raises(UserError, match=message) as caught:
        read_source(settings)
    assert "\n" not in str(caught.value)


def without(path, column):
    """Takes a column out of a table."""
    packed = path.suffix == ".gz"
    separator = "\t" if path.suffix == ".tsv" else ","
    with (gzip.open if packed else open)(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=separator))
    write(path, [{key: row[key] for key in row if key != column} for row in rows], separator)


@pytest.mark.parametrize("name", FACTS)
def test_every_published_table_is_a_source_and_says_whose_it_is(tmp_path, name):
    MAKERS[name](tmp_path)
    found = read_source(settings_of(name, tmp_path))
    facts = FACTS[name]
    assert set(FACTS) == set(MAKERS) and name in SOURCES and found.source == name
    assert found.licence == facts.licence and facts.homepage in found.notes[0]
    assert facts.citation in found.notes[0] and set(facts.traps) <= set(found.notes)
    # `data.licenses` separates names by commas.
    assert "," not in facts.licence and not any("\n" in line for line in found.notes)


@pytest.mark.parametrize("name", sorted(set(FACTS) - {"rsna_pneumonia"}))
def test_nothing_of_a_date_or_a_report_is_kept(tmp_path, name):
    MAKERS[name](tmp_path)
    for record in read_source(settings_of(name, tmp_path)).records:
        assert set(record.metadata) <= KEPT
        said = " ".join(record.metadata.values())
        assert not any(date in said for date in ("2014", "2020", "1930", "2180", "sin "))


@pytest.mark.parametrize("name", FACTS)
def test_films_of_a_published_table_are_loaded(tmp_path, name):
    MAKERS[name](tmp_path)
    loaded = data.load(settings_of(name, tmp_path, resize="pad", allow_missing=True))
    assert loaded.images.shape[1:] == (16, 16, 1) and len(loaded.class_names) == 2


@pytest.mark.parametrize("name", FACTS)
def test_a_table_that_is_not_there_is_named_with_where_it_is_from(tmp_path, name):
    facts = FACTS[name]
    (tmp_path / "a" / "b" / "c" / "d").mkdir(parents=True)
    refused("holds no .*, up to 3 folders deep: set config.data.path to the folder of",
            settings_of(name, tmp_path))  # fmt: skip
    try:
        read_source(settings_of(name, tmp_path))
    except UserError as error:
        assert facts.tables[0] in str(error) and facts.homepage in str(error)
    refused("config.data.path is not set: source", settings_of(name, tmp_path, path=None))
    refused("data.path='.*' does not exist", settings_of(name, tmp_path / "gone"))
    gone = str(tmp_path / "gone.csv")
    refused(
        "config.data.table='.*gone.csv' does not exist", settings_of(name, tmp_path, table=gone)
    )


@pytest.mark.parametrize(
    ("name", "file", "column"),
    [
        ("nih_chestxray14", "Data_Entry_2017_v2020.csv", "Finding Labels"),
        ("chexpert", "train.csv", "Frontal/Lateral"),
        ("chexpert", "valid.csv", "Pleural Other"),
        ("mimic_cxr_jpg", "mimic-cxr-2.0.0-chexpert.csv.gz", "study_id"),
        ("mimic_cxr_jpg", "mimic-cxr-2.0.0-metadata.csv.gz", "ViewPosition"),
        ("mimic_cxr_jpg", "mimic-cxr-2.0.0-split.csv.gz", "split"),
        ("padchest", "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", "ImageDir"),
        ("rsna_pneumonia", "stage_2_train_labels.csv", "Target"),
        ("rsna_pneumonia", "stage_2_detailed_class_info.csv", "class"),
        ("vindr_cxr", "annotations/image_labels_train.csv", "No finding"),
        ("vindr_cxr", "annotations/image_labels_train.csv", "rad_id"),
        ("bimcv_covid19", "derivatives/labels/labels_covid19_posi.tsv", "ReportID"),
        ("bimcv_covid19", "participants.tsv", "gender"),
    ],
)
def test_a_column_that_another_version_lacks_is_named_with_its_file(tmp_path, name, file, column):
    MAKERS[name](tmp_path)
    without(tmp_path / file, column)
    settings = settings_of(name, tmp_path)
    refused(f"{file}.* has no column '{column}', only .*of another version", settings)


@pytest.mark.parametrize("name", ["chexpert", "mimic_cxr_jpg", "vindr_cxr"])
def test_findings_with_columns_of_their_own_are_listed(tmp_path, name):
    MAKERS[name](tmp_path)
    title = FACTS[name].title
    refused(f"config.data.label is not set: {title} has a column for each finding, choose one of .*"
            "Edema", settings_of(name, tmp_path, label=None))  # fmt: skip
    refused(f"config.data.label='Cold' is no finding of {title}: choose one of .*Edema",
            settings_of(name, tmp_path, label="Cold"))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "known"),
    [("nih_chestxray14", "Edema, Mass, No Finding"), ("padchest", "normal, pleural effusion, pneu"),
     ("rsna_pneumonia", "Lung Opacity, Normal"), ("covidx", "negative, positive"),
     ("bimcv_covid19", "COVID 19, normal, pneumonia")],
)  # fmt: skip
def test_findings_that_rows_name_are_listed(tmp_path, name, known):
    MAKERS[name](tmp_path)
    refused(f"config.data.label='Cold' is in no row of the table: choose one of {known}",
            settings_of(name, tmp_path, label="Cold"))  # fmt: skip


def test_two_tables_of_one_name_are_chosen_from(tmp_path):
    for copy in ("small", "large"):
        make_chexpert(tmp_path / copy)
    refused("holds large/train.csv and small/train.csv: choose the table of CheXpert by conf",
            settings_of("chexpert", tmp_path))  # fmt: skip
    settings = settings_of("chexpert", tmp_path, table=str(tmp_path / "small" / "train.csv"))
    refused(r"view1_frontal\.jpg is at .*large.* and at .*small.*: write its folder", settings)
    one = data_settings(source="chexpert", table=settings.table, label="Edema")
    assert len(read_source(one).records) == 5


def test_a_path_without_a_patient_is_no_path_of_chexpert(tmp_path):
    make_chexpert(tmp_path)
    rows = read_table(tmp_path / "train.csv")
    write(tmp_path / "train.csv", [row | {"Path": "a.jpg"} for row in rows])
    refused(
        "train.csv has the Path 'a.jpg', without train/patient", settings_of("chexpert", tmp_path)
    )


def test_films_that_are_not_there_are_named(tmp_path):
    make_vindr(tmp_path)
    (tmp_path / "train" / "aa.png").unlink()
    settings = settings_of("vindr_cxr", tmp_path)
    assert read_source(settings).missing == ("train/aa.dicom",)
    with pytest.raises(UserError, match=r"1 pictures are absent: train/aa\.dicom"):
        data.load(settings)
    make_rsna(tmp_path / "empty")
    for film in (tmp_path / "empty").rglob("*.dcm"):
        film.unlink()
    refused("holds none of the 8 files that .*stage_2_train_labels.csv names",
            settings_of("rsna_pneumonia", tmp_path / "empty"))  # fmt: skip


def test_a_film_that_is_not_there_is_never_another_patients(tmp_path):
    make_chexpert(tmp_path)
    gone = "train/patient00001/study1/view1_frontal.jpg"
    (tmp_path / gone).unlink()
    assert read_source(settings_of("chexpert", tmp_path)).missing == (gone,)
    make_covidx(tmp_path)
    (tmp_path / "train" / "a.png").rename(tmp_path / "train" / "a.jpg")
    assert read_source(settings_of("covidx", tmp_path)).missing == ("train/a.png",)


def test_sessions_that_are_not_there_are_named(tmp_path):
    MAKERS["bimcv_covid19"](tmp_path / "whole")
    labels = tmp_path / "whole" / "derivatives" / "labels"
    refused("holds none of 4 sessions that .* names, as sub-S00/ses-E00/mod-rx",
            settings_of("bimcv_covid19", labels))  # fmt: skip


def test_a_patient_in_two_published_parts_is_refused(tmp_path):
    make_covidx(tmp_path)
    save(tmp_path / "test" / "f.png", random_picture(5))
    with open(tmp_path / "test.txt", "a") as file:
        file.write("5 f.png negative cohen\n")
    refused("1 groups are in two published parts, such as 5 in", settings_of("covidx", tmp_path))
    assert read_source(settings_of("covidx", tmp_path, official_test=False)).records


def test_a_name_that_is_nearly_one_is_asked_about():
    refused("config.data.source='chexprt' is not known .did you mean 'chexpert'",
            data_settings(source="chexprt"))  # fmt: skip
