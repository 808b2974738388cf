"""Tables of labels: kinds of files, kinds of labels, and pictures by what a table says of them."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from support.made_data import data_settings, random_picture, save
from support.made_dicom import encoded, film

from gaug_jax import data
from gaug_jax.data.findings import classes_of_flags, classes_of_names
from gaug_jax.data.sources import read_source
from gaug_jax.data.tables import read_table
from gaug_jax.errors import UserError

ROWS = [
    {"file": "a.png", "label": "Mass|Effusion", "age": "61"},
    {"file": "b.png", "label": "", "age": ""},
]


def written(path, rows=ROWS):
    """Writes rows as the suffix of a path says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(rows[0])
    if path.suffix in (".csv", ".tsv"):
        separator = "," if path.suffix == ".csv" else "\t"
        lines = [separator.join(names)]
        lines += [separator.join(str(row[name]) for name in names) for row in rows]
        path.write_text("\n".join(lines))
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "ndjson", "parquet"])
def test_every_kind_has_the_same_rows(tmp_path, suffix):
    assert read_table(written(tmp_path / f"t.{suffix}")) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_spreadsheets_texts_are_read(tmp_path, encoding):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "t.tsv").write_text(f"{mark}file\tlabel\na\tÖdem\n", encoding)
    assert read_table(tmp_path / "t.tsv") == [{"file": "a", "label": "Ödem"}]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_numbers_lists_and_absent_values_are_text(tmp_path, suffix):
    rows = [{"file": "a", "n": 3.0, "x": 0.5, "of": ["A", "B"], "none": None},
            {"file": "b", "n": float("nan"), "x": -1.0, "of": [], "none": None}]  # fmt: skip
    assert read_table(written(tmp_path / f"t.{suffix}", rows)) == [
        {"file": "a", "n": "3", "x": "0.5", "of": "A|B", "none": ""},
        {"file": "b", "n": "", "x": "-1", "of": "", "none": ""},
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"", "of a kind that is not read: save it as .csv, .jsonl"),
        ("t.csv", b"file,label\n", "has no row"),
        ("t.csv", b"file,file\na,b\n", "has the column 'file' twice"),
        ("t.csv", b'file,label\n"a,b', "cannot be read as a table"),
        ("t.jsonl", b"[1]\n", "line 1, is no object"),
        ("t.csv", b"file;label\na;b\n", "has ';' between its columns, .* save it with ','"),
        ("t.tsv", b"file,label\na,b\n", "has ',' between its columns"),
        ("t.csv", "file,label\na,b".encode("utf-16")[:-1], "cannot be read as a table"),
        ("t.jsonl", b'{"file": "a"}\n{no\n', "line 2, is no JSON"),
        ("t.parquet", b"no parquet", "cannot be read as a table"),
    ],
)
def test_what_is_no_table_is_refused_in_a_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="does not exist"):
        read_table(tmp_path / "gone.csv")


def test_each_name_is_a_class_and_rows_of_several_are_left_out():
    found = classes_of_names(["A", "B", "A|B", "", "Unknown", "a;b"], None)
    assert found.labels == ["A", "B", None, None, None, None]
    assert found.notes == (
        "2 rows left out, whose label is not known",
        "2 rows left out, which have several labels: --config.data.label names the one of interest",
    )


def test_a_finding_of_interest_is_one_class_and_the_others_the_other():
    found = classes_of_names(["A", "B", "A | B", "", "C;A"], "A")
    assert found.labels == ["A", "other", "A", None, "A"]
    assert found.notes == ("1 rows left out, whose label is not known",)
    with pytest.raises(UserError, match="'X' is in no row of the table: choose one of A, B"):
        classes_of_names(["A", "B"], "X")
    with pytest.raises(UserError, match="no row of the table has a class"):
        classes_of_names(["", "todo"], None)


FLAGS = ["1", "1.0", "0", "-1", "", "0.0", "True", "no"]


@pytest.mark.parametrize(
    ("uncertain", "unmentioned", "fourth", "fifth"),
    [
        ("leave_out", "leave_out", None, None),
        ("positive", "leave_out", "Edema", None),
        ("negative", "negative", "no Edema", "no Edema"),
    ],
)
def test_flags_of_a_finding_have_rules_for_what_is_not_sure(uncertain, unmentioned, fourth, fifth):
    found = classes_of_flags(FLAGS, "Edema", uncertain, unmentioned)
    yes, no = "Edema", "no Edema"
    assert found.labels == [yes, yes, no, fourth, fifth, no, yes, no]
    said = (
        "left out" if fourth is None else "taken as positive" if fourth == yes else "taken as neg"
    )
    assert found.notes[0].startswith(f"1 rows {said}") and "uncertain" in found.notes[0]
    assert "1 rows" in found.notes[1] and "not mentioned" in found.notes[1]


def test_words_in_a_column_of_flags_are_refused():
    with pytest.raises(UserError, match="'Edema' holds 'maybe': 1, 0, -1 or nothing is read"):
        classes_of_flags(["1", "maybe"], "Edema", "leave_out", "leave_out")


def films(root, count=20):
    """Writes pictures, half of them in a folder of their own."""
    for index in range(count):
        folder = root / "more" if index % 2 else root
        save(folder / f"{index:02d}.png", random_picture(index))
    return [f"{index:02d}.png" for index in range(count)]


def settings_of(table, **options):
    defaults = {"source": "table", "table": str(table), "num_folds": 2, "resize": "pad"}
    return data_settings(**(defaults | options))


def test_pictures_have_the_label_patient_part_and_metadata_of_their_row(tmp_path):
    names = films(tmp_path / "films")
    rows = [{"Image Index": name, "Finding Labels": "ab"[index // 2 % 2],
             "Patient ID": f"p{index // 4}", "split": "test" if index < 8 else "train",
             "sex": "FM"[index % 2]} for index, name in enumerate(names)]  # fmt: skip
    table = written(tmp_path / "labels.csv", rows)
    source = read_source(settings_of(table, path=str(tmp_path / "films")))
    assert source.reading == (
        "columns file=Image Index, label=Finding Labels, group=Patient ID, part=split; "
        "2 classes: a, b; 5 groups; parts as published: test, train"
    )
    first = source.records[1]
    assert (first.name, first.label, first.group, first.part) == ("01.png", "a", "p0", "test")
    assert first.metadata == {"sex": "M"} and first.picture == tmp_path / "films/more/01.png"
    prepared = data.prepare(settings_of(table, path=str(tmp_path / "films")))
    assert (prepared.parts[:8] == "test").all() and prepared.groups_known
    # Files lie beside the table where no folder is given.
    table = written(tmp_path / "films" / "labels.jsonl", rows)
    assert len(read_source(settings_of(table)).records) == 20


def test_paths_as_windows_writes_them_are_found(tmp_path):
    names = films(tmp_path / "films", 2)
    rows = [{"file": rf"C:\data\films\{names[0]}", "label": "a"},
            {"file": rf"more\{names[1]}", "label": "b"}]  # fmt: skip
    source = read_source(settings_of(written(tmp_path / "t.tsv", rows)))
    found = [record.picture.relative_to(tmp_path).as_posix() for record in source.records]
    assert found == ["films/00.png", "films/more/01.png"]


def test_a_findings_own_column_and_columns_by_name(tmp_path):
    rows = [{"Path": name, "Edema": ["1", "0", "-1", ""][index % 4], "who": index // 2}
            for index, name in enumerate(films(tmp_path))]  # fmt: skip
    table = written(tmp_path / "t.csv", rows)
    source = read_source(settings_of(table, label="Edema", group_column="who"))
    assert {record.label for record in source.records} == {"Edema", "no Edema"}
    assert len(source.records) == 10 and len(source.notes) == 2
    assert source.records[0].group == "0" and source.records[0].metadata == {}
    uncertain = read_source(settings_of(table, label="Edema", uncertain="positive"))
    assert len(uncertain.records) == 15


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([("00.png", "a"), ("00.png", "a")], {}, "names 1 files more than once, such as 00.png:"),
        ([("00.png", "a"), ("00.png", "b")], {}, "such as 00.png with the labels a, b: leave one"),
        ([("00.png", "a")], {"label_column": "finding"}, "label_column='finding' is no column of"),
        ([("no.png", "a")], {}, "holds none of the 1 files"),
        ([("00.png", "")], {}, "no row of the table has a class"),
        ([("00.png", "a"), ("./00.png", "b")], {}, "00.png twice, as 00.png and as ./00.png: le"),
        ([("01.png", "a"), ("more/01.png", "a")], {}, "01.png twice, as 01.png and as more/01"),
        ([("twice.png", "a")], {}, "twice.png is at .* and at .*: write its folder"),
    ],
)
def test_a_table_that_does_not_fit_its_files_is_refused(tmp_path, rows, options, message):
    films(tmp_path)
    for folder in ("x", "y"):
        save(tmp_path / folder / "twice.png", random_picture(7))
    table = written(tmp_path / "t.csv", [{"file": name, "label": label} for name, label in rows])
    with pytest.raises(UserError, match=message) as caught:
        read_source(settings_of(table, **options))
    assert "\n" not in str(caught.value)


def test_absent_files_are_named_and_may_be_left_out(tmp_path):
    rows = [{"file": name, "label": "ab"[index % 2]}
            for index, name in enumerate([*films(tmp_path), "gone.png"])]  # fmt: skip
    table = written(tmp_path / "t.csv", rows)
    with pytest.raises(UserError, match=r"1 pictures are absent: gone\.png"):
        data.prepare(settings_of(table))
    prepared = data.prepare(settings_of(table, allow_missing=True))
    assert len(prepared.images) == 20 and prepared.manifest["missing"] == ["gone.png"]


def test_columns_without_usual_names_are_asked_for(tmp_path):
    films(tmp_path)
    table = written(tmp_path / "t.csv", [{"x": "00.png", "y": "a"}])
    with pytest.raises(UserError, match="no column that is called like a file, only x, y: name it"):
        read_source(settings_of(table))
    with pytest.raises(UserError, match="called like a label"):
        read_source(settings_of(table, file_column="x"))
    assert len(read_source(settings_of(table, file_column="x", label_column="y")).records) == 1
    with pytest.raises(UserError, match="data.table is not set"):
        read_source(data_settings(source="table"))


def test_a_patient_in_two_published_parts_is_named(tmp_path):
    rows = [{"file": name, "label": "ab"[index % 2], "patient": f"p{index // 2}",
             "part": "val" if index == 1 else "train" if index < 12 else "test"}
            for index, name in enumerate(films(tmp_path))]  # fmt: skip
    table = written(tmp_path / "t.csv", rows)
    with pytest.raises(UserError, match="1 groups are in two published parts, such as p0 in train"):
        read_source(settings_of(table))
    prepared = data.prepare(settings_of(table, official_test=False))
    places = [prepared.names.index(name) for name in ("00.png", "01.png")]
    assert prepared.parts[places[0]] == prepared.parts[places[1]]
    rows[1]["part"] = "Holdout"
    table = written(tmp_path / "t.csv", rows)
    with pytest.raises(UserError, match="has the part 'Holdout'"):
        read_source(settings_of(table))


def test_dicom_films_of_a_table_keep_its_patients_and_add_what_they_say(tmp_path):
    rows = []
    for index in range(4):
        values = np.random.default_rng(index).integers(0, 255, (12, 12), np.uint8)
        dataset = film(values, PatientID=f"MRN{index}", ViewPosition="PA", PatientSex="F")
        (tmp_path / f"{index}.dcm").write_bytes(encoded(dataset))
        rows.append({"file": f"{index}.dcm", "label": "ab"[index % 2], "site": "x"})
    source = read_source(settings_of(written(tmp_path / "t.csv", rows)))
    assert [record.group for record in source.records] == [f"patient {n}" for n in (1, 2, 3, 4)]
    assert source.records[0].metadata["view"] == "PA"
    assert source.records[0].metadata["site"] == "x"
    rows = [row | {"patient": "one"} for row in rows]
    source = read_source(settings_of(written(tmp_path / "t.csv", rows)))
    assert {record.group for record in source.records} == {"one"}
