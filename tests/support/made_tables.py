"""Small tables of chest films in the shapes that their publishers gave them, with pictures."""

import csv
import gzip
import json

import numpy as np

from gaug_jax.data.publishers.chexpert import FINDINGS
from support.made_data import random_picture, save
from support.made_dicom import encoded, film


def write(path, rows, separator=","):
    """Writes rows as CSV, packed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_nih(root, lists=True):
    """Makes the layout of NIH ChestX-ray14: two films of each of six patients."""
    rows = []
    for index in range(12):
        name = f"{index // 2:08d}_{index % 2:03d}.png"
        save(root / f"images_00{index % 2}" / "images" / name, random_picture(index))
        rows.append({
            "Image Index": name, "Finding Labels": ["Mass|Edema", "No Finding", "Mass"][index % 3],
            "Follow-up #": index % 2, "Patient ID": index // 2, "Patient Age": 50 + index,
            "Patient Gender": "FM"[index // 2 % 2], "View Position": ["PA", "AP"][index % 2],
            "OriginalImage[Width": 9, "Height]": 9,
        })  # fmt: skip
    write(root / "Data_Entry_2017_v2020.csv", rows)
    if lists:
        names = [row["Image Index"] for row in rows]
        (root / "test_list.txt").write_text("\n".join(names[:4]) + "\n")
        (root / "train_val_list.txt").write_text("\n".join(names[4:11]) + "\n")


def chexpert_row(path, **said):
    view = "Lateral" if "lateral" in path else "Frontal"
    row = {"Path": path, "Sex": "Female", "Age": "61", "Frontal/Lateral": view,
           "AP/PA": "" if view == "Lateral" else "AP"}  # fmt: skip
    return row | dict.fromkeys(FINDINGS, "") | said


def make_chexpert(root):
    """Makes the layout of CheXpert: four patients, a lateral film and a validation part."""
    rows = []
    for index in range(8):
        path = f"train/patient{index // 2:05d}/study{index % 2}/view1_frontal.jpg"
        save(root / path, random_picture(index))
        rows.append(chexpert_row(f"CheXpert-v1.0-small/{path}",
                                 Edema=["1.0", "0.0", "-1.0", ""][index % 4]))  # fmt: skip
    rows[1]["Sex"] = "Unknown"
    rows.append(chexpert_row("CheXpert-v1.0-small/train/patient00009/study1/view2_lateral.jpg"))
    write(root / "train.csv", rows)
    path = "valid/patient00077/study1/view1_frontal.jpg"
    save(root / path, random_picture(77))
    write(root / "valid.csv", [chexpert_row(f"CheXpert-v1.0-small/{path}", Edema="1.0")])


def make_mimic(root, part="validate"):
    """Makes the layout of MIMIC-CXR-JPG: three packed tables, two views of each of six studies."""
    studies, films, parts = [], [], []
    for index in range(6):
        subject, study, name = f"1000003{index // 2}", f"5041426{index}", f"02aa804e-{index}"
        study_row = {"subject_id": subject, "study_id": study} | dict.fromkeys(FINDINGS, "")
        studies.append(study_row | {"Pneumonia": ["1.0", "0.0"][index % 2]})
        for view in ("PA", "LATERAL"):
            dicom = f"{name}-{view}"
            films.append({
                "dicom_id": dicom, "subject_id": subject, "study_id": study,
                "ViewPosition": view, "StudyDate": "21800506", "StudyTime": "213014.53",
            })  # fmt: skip
            parts.append({"dicom_id": dicom, "study_id": study, "subject_id": subject,
                          "split": part if index > 3 else "train"})  # fmt: skip
        save(root / f"files/p10/p{subject}/s{study}/{name}-PA.jpg", random_picture(index))
    films.append(films[0] | {"dicom_id": "of-no-study", "study_id": "1"})
    write(root / "mimic-cxr-2.0.0-chexpert.csv.gz", studies)
    write(root / "mimic-cxr-2.0.0-metadata.csv.gz", films)
    write(root / "mimic-cxr-2.0.0-split.csv.gz", parts)


def make_padchest(root):
    """Makes the layout of PadChest: lists of labels, dates and reports, pictures of 16 bits."""
    labels = ["['pneumonia', ' pleural effusion']", "['normal']", "['unchanged']", "[]"]
    rows = []
    for index in range(8):
        name = f"2168_{index}.png"
        picture = random_picture(index).astype(np.uint16) * 250
        save(root / str(index % 2) / name, picture)
        rows.append({
            "": index, "ImageID": name, "ImageDir": index % 2, "StudyDate_DICOM": "20140915",
            "StudyID": f"s{index}", "PatientID": f"p{index // 2}", "PatientBirth": "1930.0",
            "PatientSex_DICOM": "F", "Projection": ["PA", "AP_horizontal"][index % 2],
            "Manufacturer_DICOM": "ImagingDynamicsCompanyLtd", "ReportID": index,
            "Report": "sin cambi, respect a previ .", "MethodLabel": "Physician",
            "Labels": labels[index % 4],
        })  # fmt: skip
    rows.append(rows[0] | {"ImageID": "2168_8.png", "Projection": "L"})
    write(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", rows)


def make_rsna(root, mapping=False):
    """Makes the layout of the RSNA challenge: a row for each box, and DICOM files."""
    boxes, classes, films = [], [], []
    for index in range(8):
        name, target = f"00{index}-aa", index % 2
        values = np.random.default_rng(index).integers(0, 255, (12, 12), np.uint8)
        # As in the challenge's files, the patient's number is the film's own.
        dataset = film(values, PatientID=name, ViewPosition="PA", PatientSex="F")
        path = root / "stage_2_train_images" / f"{name}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(dataset))
        box = {"patientId": name, "x": 1.0, "y": 2, "width": 3, "height": 4, "Target": target}
        said = {"patientId": name, "class": "Lung Opacity" if target else "Normal"}
        boxes += [box, box | {"x": 5.0}] if target else [box]
        classes += [said, said] if target else [said]
        films.append({"subset_img_id": name, "img_id": f"{index // 2:08d}_{index % 2:03d}.png"})
    write(root / "stage_2_train_labels.csv", boxes)
    write(root / "stage_2_detailed_class_info.csv", classes)
    if mapping:
        text = json.dumps(films)
        (root / "pneumonia-challenge-dataset-mappings_2018.json").write_text(text)


def vindr_votes(film_name, *readers):
    return [{"image_id": film_name, "rad_id": f"R{number}", "Edema": edema, "No finding": 1 - edema,
             "Other diseases": 0} for number, edema in enumerate(readers)]  # fmt: skip


def make_vindr(root):
    """Makes the layout of VinDr-CXR: three readers of each film, and a test part."""
    rows = [*vindr_votes("aa", 1, 1, 0), *vindr_votes("bb", 1, 0, 0), *vindr_votes("cc", 0, 0, 0)]
    write(root / "annotations" / "image_labels_train.csv", rows)
    test = {"image_id": "dd", "Edema": 1.0, "No finding": "", "Other disease": 0}
    write(root / "annotations" / "image_labels_test.csv", [test])
    for index, name in enumerate(("train/aa", "train/bb", "train/cc", "test/dd")):
        save(root / f"{name}.png", random_picture(index))  # Converted by the user.


COVIDX = {
    "train": ["5 a.png negative cohen", "COVID 1 COVID(1).png positive sirm",
              "6 b.png negative rnsa", "6 b.png negative rnsa"],
    "val": ["7 c.png positive ricord"],
    "test": ["8 d.png positive ricord", "9 e.png negative rsna"],
}  # fmt: skip


def make_covidx(root, name="{}.txt"):
    """Makes the layout of COVIDx: a list for each part, named by a pattern."""
    for part, lines in COVIDX.items():
        (root / name.format(part)).write_text("\n".join(lines) + "\n")
        for index, line in enumerate(dict.fromkeys(lines)):
            save(root / part / line.split()[-3], random_picture(10 * len(lines) + index))


def make_bimcv(root):
    """Makes the layout of BIMCV COVID-19+: labels of sessions, a JSON file beside each film."""
    labels = ["['COVID 19'\t 'pneumonia']", "['normal']", "['unchanged']", "['pneumonia']"]
    rows = []
    for index, text in enumerate(labels):
        patient, session = f"sub-S0{index // 2}", f"ses-E0{index}"
        rows.append({"": index, "PatientID": patient, "ReportID": session, "Report": "sin ,\nhall",
                     "Labels": text})  # fmt: skip
        for view in ("ap", "ll") if index < 3 else ():
            path = root / patient / session / "mod-rx" / f"{patient}_{session}_vp-{view}_dx.png"
            save(path, random_picture(index).astype(np.uint16))
            header = {"00080070": {"vr": "LO", "Value": ["Maker"]}, "00080020": {"Value": ["2020"]},
                      "00280004": {"Value": [f"MONOCHROME{1 + index % 2}"]}}  # fmt: skip
            path.with_suffix(".json").write_text(json.dumps(header))
    write(root / "derivatives" / "labels" / "labels_covid19_posi.tsv", rows, "\t")
    people = [{"participant": "sub-S00", "modality_dicom": "['DX']", "age": "[57]", "gender": "M"}]
    write(root / "participants.tsv", people, "\t")


MAKERS = {
    "nih_chestxray14": make_nih, "chexpert": make_chexpert, "mimic_cxr_jpg": make_mimic,
    "padchest": make_padchest, "rsna_pneumonia": make_rsna, "vindr_cxr": make_vindr,
    "covidx": make_covidx, "bimcv_covid19": make_bimcv,
}  # fmt: skip
