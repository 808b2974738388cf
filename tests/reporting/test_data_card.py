"""The card of a data set, as the report and `inspect` show it."""

import pytest

from gaug_jax.reporting.data_card import data_section
from gaug_jax.reporting.section_text import section_text


def manifest(unknown=0, **options):
    """Returns the manifest of four images of one class; two of the test part are alike."""
    parts = ("train", "validation", "test", "test")
    counts = {"test": {"cat": 2}, "train": {"cat": 1}, "unused": {"cat": 0},
              "validation": {"cat": 1}}  # fmt: skip
    rows = [
        {"part": part, "group": min(number, 2), "licence": None}
        for number, part in enumerate(parts)
    ]
    pictures = {
        "formats": {"PNG": 3, "DICOM": 1}, "heights": [20, 20, 20], "widths": [10, 30, 40],
        "num_sizes": 3, "num_coloured": 1, "num_16_bits": 2, "num_several_pages": 0,
        "values": [3, 100.5, 250],
    }  # fmt: skip
    used = {"image_size": 64, "channels": 1, "resize": "pad", "crop": 1.0, **options}
    return {
        "source": "folder", "licence": "CC0", "class_names": ["cat"], "num_images": 4,
        "num_groups": 3, "num_unknown_groups": unknown, "groups_known": not unknown,
        "counts": counts, "rows": rows, "options": used, "pictures": pictures,
    }  # fmt: skip


def test_parts_are_in_their_order_and_groups_of_each_are_counted():
    table = data_section(manifest(4), []).tables[0]
    assert list(table.header) == ["class", "train", "validation", "test"]
    assert table.rows[-2] == ["all", "1", "1", "2"]
    assert table.rows[-1] == ["images (near duplicates counted as one)", "1", "1", "1"]


def test_groups_that_are_known_in_part_are_not_called_unknown():
    partly = data_section(manifest(1), []).paragraphs[0]
    assert "4 images, of 1 of them the group (patient or writer) is not known" in partly
    assert (
        "3 groups (patients or writers), none of them in two"
        in data_section(manifest(), []).paragraphs[0]
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "64x64, grey, by pad"),
        ({"channels": 3, "crop": 0.7}, "the middle 0.7 of height and width, 64x64, RGB, by pad"),
    ],
)
def test_pictures_are_said_as_found_and_as_used(options, words):
    rows = dict(data_section(manifest(**options), []).tables[1].rows)
    assert rows["formats"] == "PNG 3, DICOM 1"
    assert rows["sizes"] == "3 different: height 20, width 10 to 40 (median 30)"
    assert rows["kinds"] == "coloured 1, of 16 bits 2, with several pages 0"
    assert rows["used as"] == words
    assert rows["values as used"] == "3 to 250 of 0 to 255, 100.5 on average"


def test_a_section_is_text_whose_numbers_stand_below_one_another():
    text = section_text(data_section(manifest(), ["a line"])).splitlines()
    assert text[1] == "a line"
    start = text.index("Images of each class and part:")
    assert text[start + 1] == "  class               train  validation  test"
    assert text[start + 2] == "  cat                     1           1     2"
