"""What a DICOM file says of its image, and that it does not say whose it is."""

import datetime

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support.made_dicom import encoded, film

from gaug_jax.data.dicom.facts import dicom_facts
from gaug_jax.errors import UserError

SALT = b"a secret"
# Every value that names somebody or a day; none of them, nor a part of one, may come out.
IDENTIFYING = {
    "PatientName": "Mustermann^Erika",
    "PatientID": "MRN0815471",
    "IssuerOfPatientID": "Klinikum Nord",
    "OtherPatientNames": "Gabler^Erika",
    "PatientBirthName": "Gabler",
    "PatientBirthDate": "19640812",
    "PatientAddress": "Heidestrasse 17, Koeln",
    "PatientTelephoneNumbers": "02214711",
    "PatientMotherBirthName": "Schmidt",
    "EthnicGroup": "Friesian",
    "Occupation": "Astronaut",
    "PatientComments": "sister of a nurse",
    "AdditionalPatientHistory": "fell off a horse",
    "AccessionNumber": "ACC998877",
    "StudyID": "ST4242",
    "StudyDate": "20230517",
    "SeriesDate": "20230518",
    "AcquisitionDate": "20230519",
    "ContentDate": "20230520",
    "AcquisitionDateTime": "20230521083000",
    "StudyTime": "083011",
    "InstanceCreationDate": "20230522",
    "StudyDescription": "Thorax Notaufnahme",
    "SeriesDescription": "liegend Intensiv",
    "ProtocolName": "Thorax Bett",
    "ImageComments": "Drainage of Prof Sauerbruch",
    "ReferringPhysicianName": "Sauerbruch^Ferdinand",
    "PerformingPhysicianName": "Virchow^Rudolf",
    "OperatorsName": "Curie^Marie",
    "RequestingPhysician": "Koch^Robert",
    "InstitutionName": "Charite Berlin",
    "InstitutionAddress": "Platz 1",
    "InstitutionalDepartmentName": "Radiologie",
    "StationName": "RAUM7",
    "DeviceSerialNumber": "SN556677",
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.111",
    "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.222",
    "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.333",
}
PLAIN = {
    "ImageLaterality": "L",
    "ViewPosition": "PA",
    "PatientSex": "F",
    "PatientAge": "058Y",
    "Modality": "DX",
    "BodyPartExamined": "CHEST",
    "Manufacturer": "Acme Imaging GmbH",
    "BurnedInAnnotation": "NO",
    "ImagerPixelSpacing": [0.143, 0.1395],
}


def with_tags(**tags):
    return film(np.zeros((4, 4), np.uint8), **tags)


def facts(**tags):
    return dicom_facts(with_tags(**tags), SALT)


def test_the_facts_of_a_film():
    found = facts(**IDENTIFYING, **PLAIN)
    assert {key: value for key, value in found.items() if key not in
            ("patient", "study", "institution")} == {
        "laterality": "L", "view": "PA", "sex": "F", "age": "58", "modality": "DX",
        "body_part": "CHEST", "manufacturer": "Acme Imaging GmbH", "burned_in": "NO",
        "pixel_spacing": "0.143x0.1395", "photometric": "MONOCHROME2",
    }  # fmt: skip
    for key in ("patient", "study", "institution"):
        assert len(found[key]) == 16 and int(found[key], 16) >= 0


def pieces(value):
    """Returns a value and its words of at least 4 letters, in lower case."""
    text = str(value).lower()
    return {text, *(word for word in text.replace("^", " ").replace(",", " ").split()
                    if len(word) >= 4)}  # fmt: skip


def test_nothing_of_whom_or_when_comes_out():
    dataset = with_tags(**IDENTIFYING, **{**PLAIN, "PatientAge": ""})
    private = dataset.private_block(0x0011, "ACME", create=True)
    private.add_new(1, "LO", "Mustermann at home")
    nested = Dataset()
    nested.PatientName = "Mustermann^Max"
    dataset.RequestAttributesSequence = Sequence([nested])
    for keep in (False, True):
        text = " ".join(dicom_facts(dataset, SALT, keep_institution=keep).values()).lower()
        for name, value in IDENTIFYING.items():
            if keep and name == "InstitutionName":
                continue
            for piece in pieces(value):
                assert piece not in text, f"{name}: {piece}"
    assert "58" in text


@pytest.mark.parametrize("value", ["Erika Mustermann, Koeln", "MUSTERMANN^ERIKA", "20230517", "ä"])
def test_what_is_no_code_is_not_kept(value):
    dataset = with_tags()
    for tag in ("ViewPosition", "BodyPartExamined", "PatientSex", "BurnedInAnnotation"):
        dataset.add_new(tag, "LO", value)
    assert dicom_facts(dataset, SALT) == {"photometric": "MONOCHROME2"}


def test_pseudonyms_hang_on_the_salt_and_on_whose_they_are():
    first, other = facts(PatientID="17"), facts(PatientID="18")
    assert first["patient"] != other["patient"]
    assert first == facts(PatientID=" 17 ")
    assert first["patient"] != dicom_facts(with_tags(PatientID="17"), b"another")["patient"]
    # A number is a patient's of one hospital, and not the same as a study's.
    assert first["patient"] != facts(PatientID="17", IssuerOfPatientID="North")["patient"]
    same = facts(PatientID="1.2", StudyInstanceUID="1.2", InstitutionName="1.2")
    assert len({same["patient"], same["study"], same["institution"]}) == 3
    long = bytes(range(100))
    assert dicom_facts(with_tags(PatientID="17"), long) != dicom_facts(
        with_tags(PatientID="17"), long[:64]
    )


def test_an_institution_is_kept_where_it_is_wanted():
    dataset = with_tags(InstitutionName="Charite Berlin")
    kept = dicom_facts(dataset, SALT, keep_institution=True)
    assert kept["institution"] == "Charite Berlin"
    assert dicom_facts(dataset, SALT)["institution"] != "Charite Berlin"


@pytest.mark.parametrize(
    ("tags", "age"),
    [
        ({"PatientAge": "045Y"}, "45"),
        ({"PatientAge": "018M"}, "1.5"),
        ({"PatientAge": "026W"}, "0.5"),
        ({"PatientAge": "073D"}, "0.2"),
        ({"PatientAge": "104Y", "PatientBirthDate": "20000101", "StudyDate": "20200101"}, "104"),
        ({"PatientBirthDate": "19640812", "StudyDate": "20230811"}, "58"),
        ({"PatientBirthDate": "19640812", "StudyDate": "20230812"}, "59"),
        ({"PatientBirthDate": "20000229", "AcquisitionDate": "20010228"}, "0"),
        ({"PatientAge": "old", "PatientBirthDate": "1964", "StudyDate": "20230812"}, None),
        ({"PatientBirthDate": "20240101", "StudyDate": "20230812"}, None),
        ({"StudyDate": "20230812"}, None),
    ],
)
def test_age_in_years(tags, age):
    dataset = with_tags()
    for tag, value in tags.items():
        dataset.add_new(tag, "LO", value)
    assert dicom_facts(dataset, SALT).get("age") == age


def test_completed_years_are_those_of_the_calendar():
    birth = datetime.date(1999, 12, 31)
    for days in range(0, 2000, 37):
        day = birth + datetime.timedelta(days)
        birthdays = sum(datetime.date(year, 12, 31) <= day for year in range(2000, 2010))
        tags = {"PatientBirthDate": "19991231", "StudyDate": f"{day:%Y%m%d}"}
        assert facts(**tags)["age"] == str(birthdays)


def test_the_patients_spacing_goes_before_the_detectors():
    found = facts(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0.3, 0.3])
    assert found["pixel_spacing"] == "0.2x0.2"


def test_an_older_laterality_serves_and_codes_are_in_capitals():
    dataset = with_tags(Laterality="R")
    dataset.add_new("ViewPosition", "LO", " ll ")
    found = dicom_facts(dataset, SALT)
    assert found["laterality"] == "R" and found["view"] == "LL"
    assert facts(ImageLaterality="L", Laterality="R")["laterality"] == "L"


def test_files_and_their_bytes_say_what_their_data_set_says(tmp_path):
    dataset = with_tags(**IDENTIFYING, **PLAIN)
    path = tmp_path / "film.dcm"
    path.write_bytes(encoded(dataset))
    assert dicom_facts(path, SALT) == dicom_facts(dataset, SALT)
    assert dicom_facts(path.read_bytes(), SALT) == dicom_facts(dataset, SALT)


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    path = tmp_path / "film.dcm"
    path.write_bytes(b"GIF89a" + bytes(400))
    with pytest.raises(UserError, match="film.dcm is not a DICOM file"):
        dicom_facts(path, SALT)
    with pytest.raises(UserError, match="pseudonyms need a salt"):
        dicom_facts(with_tags(), b"")
