"""Files appear whole or not at all."""

import json

import pytest

from gaug_jax.errors import UserError
from gaug_jax.files import (
    append_json_line,
    atomic_file,
    read_json,
    read_json_lines,
    write_json,
    write_json_lines,
)
from gaug_jax.workfolder import WorkFolder


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "below" / "file"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_json_that_is_absent_or_damaged_is_the_users_to_mend(tmp_path):
    with pytest.raises(UserError, match="config.json does not exist: is this a work folder"):
        read_json(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match="config.json is damaged"):
        read_json(tmp_path / "config.json")


def test_a_line_that_was_cut_short_is_left_out(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert read_json_lines(path) == []
    for step in (1, 2):
        append_json_line(path, {"step": step})
    with open(path, "a") as file:
        file.write(json.dumps({"step": 3})[:-4])
    assert read_json_lines(path) == [{"step": 1}, {"step": 2}]
    append_json_line(path, {"step": 4})
    assert read_json_lines(path) == [{"step": 1}, {"step": 2}, {"step": 4}]
    write_json_lines(path, [{"step": 9}])
    assert read_json_lines(path) == [{"step": 9}]


def test_two_processes_do_not_share_a_work_folder(tmp_path):
    with (
        WorkFolder(tmp_path).locked(),
        pytest.raises(UserError, match="in use by another process"),
        WorkFolder(tmp_path).locked(),
    ):
        pass
    with WorkFolder(tmp_path).locked():
        pass


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    folder = WorkFolder(tmp_path)
    (folder.checkpoints / ".00000003.tmp" / "state").mkdir(parents=True)
    (folder.checkpoints / ".00000001.removed").mkdir()
    (folder.checkpoints / "00000002").mkdir()
    (tmp_path / ".config.json.77.tmp").write_text("{")
    folder.config.write_text("{}")
    with folder.locked():
        left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == [".lock", "checkpoints", "checkpoints/00000002", "config.json"]


def test_a_copy_takes_the_place_of_a_folder_that_had_not_begun_to_train(tmp_path):
    trained, empty = WorkFolder(tmp_path / "trained"), WorkFolder(tmp_path / "empty")
    write_json(trained.data_manifest, {"of": "trained"})
    with empty.locked():
        pass  # A call that ended here leaves its lock.
    empty.copy_training_of(trained)
    assert read_json(empty.data_manifest) == {"of": "trained"}
