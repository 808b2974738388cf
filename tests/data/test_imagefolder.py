"""Folders with `metadata.csv`, as Hugging Face's imagefolder has them."""

import csv
import json

import pytest
from support.made_data import data_settings, make_folder, random_picture, save

from gaug_jax.data.sources import read_source
from gaug_jax.errors import UserError


def flat(folder, columns=("file_name", "label", "patient_id", "age"), count=6, first=0):
    """Writes pictures in one folder and a table of them."""
    rows = []
    for number in range(first, first + count):
        name = f"{number}.png"
        save(folder / name, random_picture(number))
        values = {"file_name": name, "label": "ab"[number % 2], "patient_id": f"p{number // 2}",
                  "age": str(40 + number)}  # fmt: skip
        rows.append({column: values[column] for column in columns})
    write(folder / "metadata.csv", rows)
    return rows


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def found(root, **options):
    return read_source(data_settings(source="folder", path=str(root), **options))


def test_labels_patients_and_metadata_of_a_flat_folder(tmp_path):
    flat(tmp_path / "mine")
    save(tmp_path / "mine" / "extra.png", random_picture(99))
    data = found(tmp_path / "mine")
    assert data.source == "folder"
    assert [each.label for each in data.records] == list("ababab")
    assert [each.group for each in data.records] == ["p0", "p0", "p1", "p1", "p2", "p2"]
    assert data.records[3].metadata == {"age": "43"}
    assert "1 pictures not read, which no row names: extra.png" in data.notes
    assert data.reading.startswith("labels by metadata.csv: columns file=file_name, label=label")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_parts_have_tables_of_their_own(tmp_path, kind):
    for number, part in enumerate(("train", "validation", "test")):
        rows = flat(tmp_path / part, first=10 * number)
        if kind == "jsonl":
            (tmp_path / part / "metadata.csv").unlink()
            lines = "\n".join(json.dumps(row | {"patient_id": f"{part}1"}) for row in rows)
            (tmp_path / part / "metadata.jsonl").write_text(lines)
        else:
            write(tmp_path / part / "metadata.csv",
                  [row | {"patient_id": f"{part}1"} for row in rows])  # fmt: skip
    data = found(tmp_path)
    assert [each.part for each in data.records] == ["test"] * 6 + ["train"] * 6 + ["validation"] * 6
    assert data.records[0].name == "test/20.png" and len(data.records) == 18
    assert f"test/metadata.{kind}, train/metadata.{kind}" in data.reading


def test_a_patient_in_two_parts_is_named(tmp_path):
    flat(tmp_path / "train")
    flat(tmp_path / "test", first=4)
    with pytest.raises(UserError, match="1 groups are in two published parts, such as p2"):
        found(tmp_path)
    again = found(tmp_path, official_test=False)
    assert len(again.records) == 12


def test_without_labels_the_folders_classes_stay(tmp_path):
    make_folder(tmp_path / "mine", images=3)
    names = [f"{label}/{number:02d}.png" for label in ("cat", "dog") for number in range(3)]
    write(tmp_path / "mine" / "metadata.csv",
          [{"file_name": name, "patient": f"p{place % 3}", "site": "north"}
           for place, name in enumerate(names[:5])])  # fmt: skip
    data = found(tmp_path / "mine")
    assert [each.label for each in data.records] == ["cat"] * 3 + ["dog"] * 3
    assert [each.group for each in data.records] == ["p0", "p1", "p2", "p0", "p1", None]
    assert data.records[0].metadata == {"site": "north"}
    assert data.notes == (
        "metadata.csv has no column of labels: classes are those of the folders; 1 pictures have "
        "no row",
    )


def labelled_folders(root, labels):
    make_folder(root, images=2)
    names = [f"{label}/{number:02d}.png" for label in ("cat", "dog") for number in range(2)]
    write(root / "metadata.csv",
          [{"file_name": name, "label": label}
           for name, label in zip(names, labels, strict=True)])  # fmt: skip


def test_folders_and_table_that_agree(tmp_path):
    labelled_folders(tmp_path, ["cat", "cat", "dog", "dog"])
    assert [each.label for each in found(tmp_path).records] == ["cat", "cat", "dog", "dog"]


def test_folders_and_table_that_contradict_are_two_readings(tmp_path):
    labelled_folders(tmp_path, ["cat", "dog", "dog", "dog"])
    words = "cat/01.png is cat by its folder and dog by .*metadata.csv.*label_column"
    with pytest.raises(UserError, match=words):
        found(tmp_path)
    chosen = found(tmp_path, label_column="label")
    assert [each.label for each in chosen.records] == ["cat", "dog", "dog", "dog"]


def test_a_column_of_a_finding_is_read(tmp_path):
    flat(tmp_path)
    rows = [{"file_name": f"{number}.png", "Edema": ("1", "0", "")[number % 3]}
            for number in range(6)]  # fmt: skip
    write(tmp_path / "metadata.csv", rows)
    data = found(tmp_path, label="Edema")
    assert [each.label for each in data.records] == ["Edema", "no Edema"] * 2
    assert "2 rows left out, in which Edema is not mentioned" in data.notes[0]


def test_a_table_of_another_kind_is_left_alone(tmp_path):
    make_folder(tmp_path, images=2)
    (tmp_path / "metadata.csv").write_text("who,when\nme,now\n")
    data = found(tmp_path)
    assert len(data.records) == 4 and data.notes == (
        "not read, of other kinds (.csv 1): metadata.csv",
    )


def test_bad_input_is_named(tmp_path):
    flat(tmp_path)
    with pytest.raises(UserError, match=r"data\.group is for names of files.*group_column"):
        found(tmp_path, group="(?P<group>.)")
    with pytest.raises(UserError, match="'who' is no column"):
        found(tmp_path, label_column="who")
    rows = [{"file_name": "0.png", "label": label} for label in "ab"]
    write(tmp_path / "metadata.csv", rows)
    with pytest.raises(UserError, match=r"names 1 files more than once, such as 0.png .*a, b"):
        found(tmp_path)
