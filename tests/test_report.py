"""What the report chooses to show of a work folder."""

import pytest

from gaug_jax.files import append_json_line
from gaug_jax.stages import report
from gaug_jax.workfolder import WorkFolder


def row(step, split="test", features="classifier", **others):
    return {"step": step, "reference_split": split, "features": features, **others}


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([], None),
        ([row(4, fid=1), row(2, fid=2)], 1),
        ([row(4, fid=1), row(4, "validation", fid=2)], 1),
        ([row(4, fid=1), row(4, features="pixels", fid=2)], 1),
        ([row(4, fid=1), row(4, fid=2)], 2),
        ([row(4, features="pixels", fid=3)], 3),
    ],
)
def test_the_measurement_is_of_the_last_step_the_test_part_and_the_features(tmp_path, rows, shown):
    folder = WorkFolder(tmp_path)
    for each in rows:
        append_json_line(folder.fidelity, each)
    found = report._measured(folder, "classifier")
    assert (found["fid"] if found else None) == shown


def test_sizes_and_arms_stand_in_their_order():
    sizes = {name: {"arms": {"gan": 1, "real": 2}} for name in ("0", "10", "100", "20")}
    ordered = report._in_order({"sizes": sizes})["sizes"]
    assert list(ordered) == ["10", "20", "100", "0"]
    assert list(ordered["20"]["arms"]) == ["real", "gan"]


def test_why_there_is_no_audit_is_said(tmp_path):
    (words,) = report._audited(WorkFolder(tmp_path), "there are 3 groups")
    assert "not audited (there are 3 groups)" in words and "as you would treat" in words
