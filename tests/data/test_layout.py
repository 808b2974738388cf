"""How trees of pictures are read: what is found, what is refused, and what is left out by name."""

import pytest
from support.made_data import data_settings, random_picture, save

from gaug_jax import data
from gaug_jax.data.layout import AmbiguousLayoutError, read_tree
from gaug_jax.errors import UserError


def make(root, *names):
    """Makes pictures of these names, and empty files of other kinds."""
    for seed, name in enumerate(names):
        if name.endswith("/"):
            (root / name).mkdir(parents=True)
        elif name.endswith((".png", ".jpeg")):
            save(root / name, random_picture(seed))
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"")
    return root


def each(*folders, count=2):
    """Returns names of so many pictures in each folder."""
    return [f"{folder}/{number}.png" for folder in folders for number in range(count)]


CASES = {
    "classes": (["a", "b"], "class"),
    "one class": (["xray"], "class"),
    "an archive": (["data/a", "data/b"], "*/class"),
    "an archive in an archive": (["x/data/a", "x/data/b"], "*/*/class"),
    "patients of classes": (["a/p1", "a/p2", "b/p3", "b/p4"], "class/group"),
    "numbers that begin anew in each class": (
        ["a/1", "a/2", "a/3", "a/4", "a/5", "b/1", "b/2", "b/6"], "class/group",
    ),
    "classes of patients": (
        ["p1/a", "p2/a", "p3/b", "p4/b", "p5/a", "p5/b", "p6/b"], "group/class",
    ),
    "published parts": (["train/a", "train/b", "test/a", "test/b"], "part/class"),
    "three parts, in other words": (
        ["Training/a", "Training/b", "valid/a", "valid/b", "Testing/b"], "part/class",
    ),
    "parts of one class": (["train/a", "test/a"], "part/class"),
    "parts within classes": (["a/train", "a/test", "b/train", "b/test"], "class/part"),
    "parts, classes and patients": (
        ["train/a/p1", "train/b/p2", "test/a/p3", "test/b/p4", "train/a/p5"], "part/class/group",
    ),
    "an archive of parts": (["set/train/a", "set/train/b", "set/val/a"], "*/part/class"),
    "no folder": (["."], ""),
}  # fmt: skip


@pytest.mark.parametrize(("folders", "levels"), CASES.values(), ids=CASES)
def test_the_layout_is_found(tmp_path, folders, levels):
    tree = read_tree(make(tmp_path, *each(*folders)))
    assert "/".join(tree.levels) == levels
    assert len(tree.pictures) == 2 * len(folders) and tree.notes == ()
    # Whoever writes it down is read alike.
    if levels:
        assert read_tree(tmp_path, levels) == tree


def test_folders_say_class_group_and_part(tmp_path):
    tree = read_tree(make(tmp_path, *each(*CASES["parts, classes and patients"][0], count=1)))
    said = {each.name: (each.label, each.group, each.part) for each in tree.pictures}
    assert said == {
        "train/a/p1/0.png": ("a", "p1", "train"), "train/a/p5/0.png": ("a", "p5", "train"),
        "train/b/p2/0.png": ("b", "p2", "train"), "test/a/p3/0.png": ("a", "p3", "test"),
        "test/b/p4/0.png": ("b", "p4", "test"),
    }  # fmt: skip
    assert all(each.path.is_file() for each in tree.pictures)
    assert tree.words() == (
        "read as part/class/group/<picture>: 2 classes: a, b; 5 groups by folder; "
        "parts as published: test, train"
    )


def test_names_are_below_the_folder_that_all_share(tmp_path):
    tree = read_tree(make(tmp_path, *each("my data/a", "my data/b", count=1)))
    assert [each.name for each in tree.pictures] == ["a/0.png", "b/0.png"]


@pytest.mark.parametrize(
    ("folders", "readings"),
    [
        # One class with its patients, or a folder around numbered classes.
        (["xray/patient0", "xray/patient1"], ("class/group", r"\*/class")),
        (["a/train", "b/train", "a/q", "b/q"], ("class/group", "group/class")),
        (["a/x", "b/x", "a/y", "b/y"], ("class/group", "group/class")),
        (["a/x", "b/y"], ("class/group", "group/class")),
        (["COVID/images", "COVID/masks", "Normal/images", "Normal/masks"],
         ("class/group", "group/class")),
    ],
)  # fmt: skip
def test_what_fits_two_readings_is_refused_with_both(tmp_path, folders, readings):
    with pytest.raises(AmbiguousLayoutError) as caught:
        read_tree(make(tmp_path, *each(*folders)))
    for reading in readings:
        assert f"--config.data.layout={reading}".replace("\\", "") in str(caught.value)
        assert len(read_tree(tmp_path, reading.replace("\\", "")).pictures) == 2 * len(folders)


def test_parts_without_classes_and_deep_trees_are_refused(tmp_path):
    with pytest.raises(AmbiguousLayoutError, match="folders of parts without folders of classes"):
        read_tree(make(tmp_path / "parts", *each("train", "test")))
    deep = [f"{a}/{b}/{c}" for a in "ab" for b in "cd" for c in "ef"]
    with pytest.raises(AmbiguousLayoutError, match="3 folders deep: write --config.data.layout"):
        read_tree(make(tmp_path / "deep", *each(*deep)))
    assert len(read_tree(tmp_path / "deep", "class/group/*").pictures) == 16


def test_a_folders_own_name_leaves_its_neighbours_out(tmp_path):
    make(tmp_path, *each("a/images", "b/images", "a/masks", "b/masks"))
    tree = read_tree(tmp_path, "class/images")
    assert {each.label for each in tree.pictures} == {"a", "b"} and len(tree.pictures) == 4
    assert tree.notes == ("pictures not read, which lie elsewhere: a/masks/ 2, b/masks/ 2",)


@pytest.mark.parametrize("layout", ["", "class/class", "class//group", "group/group"])
def test_what_is_no_layout_is_refused(tmp_path, layout):
    with pytest.raises(UserError, match="is no layout"):
        read_tree(make(tmp_path, *each("a")), layout)


def test_a_layout_that_fits_nothing_is_refused(tmp_path):
    with pytest.raises(UserError, match="fits none of 2 pictures, such as a/0.png"):
        read_tree(make(tmp_path, *each("a")), "class/group")


def test_pictures_of_deeper_folders_are_counted_one_by_one(tmp_path):
    make(tmp_path, *each("covid", "normal", count=3), *each("covid/batch2", count=5), "loose.png")
    tree = read_tree(tmp_path)
    assert len(tree.pictures) == 6
    assert tree.notes == (
        "pictures not read, which lie elsewhere: covid/batch2/ 5, beside the folders 1",
    )


@pytest.mark.parametrize(
    ("lost", "note"),
    [
        (["pneumonia/"], ()),
        (["pneumonia/0.jfif", "pneumonia/1.jfif"],
         ("not read, of other kinds (.jfif 2): pneumonia/0.jfif, pneumonia/1.jfif",)),
        (["pneumonia/deeper/0.png"],
         ("pictures not read, which lie elsewhere: pneumonia/deeper/ 1",)),
        (["pneumonia/empty/"], ()),
    ],
)  # fmt: skip
def test_a_class_without_a_picture_is_named(tmp_path, lost, note):
    tree = read_tree(make(tmp_path, *each("covid", "normal"), *lost))
    assert tree.notes == ("no class, as no picture of it is read: pneumonia", *note)


def test_a_part_that_lacks_a_class_is_no_lost_class(tmp_path):
    tree = read_tree(make(tmp_path, *each("train/a", "train/b", "test/a"), "test/b/"))
    assert tree.notes == ()


def test_hidden_copies_are_not_looked_at(tmp_path):
    make(tmp_path, *each("a", "b", "a/.ipynb_checkpoints", "__MACOSX/a"), "a/._0.png", ".DS_Store")
    tree = read_tree(tmp_path)
    assert len(tree.pictures) == 4 and tree.notes == ()


def test_drawn_pictures_have_their_classes_by_the_name_that_no_folder_could_have(tmp_path):
    make(tmp_path, *each("a_b", "c", count=1))
    (tmp_path / "manifest.csv").write_text(
        'file,label,score,class\na_b/0.png,0,0.5,"a/b, or so"\nc/0.png,1,0.1,c\n'
    )
    tree = read_tree(tmp_path)
    assert [each.label for each in tree.pictures] == ["a/b, or so", "c"]
    (tmp_path / "manifest.csv").write_text("file,label,score\na_b/0.png,0,0.5\n")
    assert [each.label for each in read_tree(tmp_path).pictures] == ["a_b", "c"]


def test_published_parts_stay_and_patients_of_folders_are_groups(tmp_path):
    make(tmp_path, *each("train/a/p1", "train/a/p2", "train/b/p3", "train/b/p4", "train/a/p7",
                         "train/b/p8", "test/a/p5", "test/b/p6"))  # fmt: skip
    prepared = data.prepare(data_settings(source="folder", path=str(tmp_path), num_folds=2))
    test = [name for name, part in zip(prepared.names, prepared.parts, strict=True)
            if part == "test"]  # fmt: skip
    assert test == ["test/a/p5/0.png", "test/a/p5/1.png", "test/b/p6/0.png", "test/b/p6/1.png"]
    assert prepared.groups_known and prepared.manifest["num_groups"] == 8
    assert prepared.manifest["reading"].startswith("read as part/class/group/<picture>: 2 classes")


def test_a_pattern_for_groups_wins_over_folders(tmp_path):
    make(tmp_path, *each("a/p1", "a/p2", "b/p3", "b/p4"))
    settings = data_settings(source="folder", path=str(tmp_path), group=r"(?P<group>\d)\.png")
    prepared = data.prepare(settings)
    assert {row["source_group"] for row in prepared.manifest["rows"]} == {"0", "1"}
