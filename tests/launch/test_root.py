"""The root of a sweep: names of files, states of runs, and who holds them; nothing is started."""

import json

import pytest

from gaug_jax.errors import UserError
from launch import root as root_module
from launch.root import DONE, FAILED, RUNNING, WAITING, Root


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path / "R")


def test_a_run_has_places_of_its_own(root):
    assert root.work_folder("a-0") == root.path / "runs" / "a-0"
    assert root.log("a-0") == root.path / "logs" / "a-0.log"
    assert root.record("a-0") == root.path / "records" / "a-0.json"
    assert root.record("a.b-0.5") != root.record("a.b-0.6")


def test_a_root_that_is_not_there_has_waiting_runs_and_is_not_made(root):
    assert root.state("a") == WAITING
    assert root.read_record("a") == {"state": WAITING, "failures": 0}
    assert not root.path.exists()


@pytest.mark.parametrize("state", [DONE, FAILED])
def test_what_has_ended_is_as_its_record_says_whoever_holds_it(root, state):
    root.write_record("a", {"state": state, "failures": 2})
    assert root.state("a") == state and root.read_record("a")["failures"] == 2
    with root.held("a"):
        assert root.state("a") == state
    assert root.state("b") == WAITING


@pytest.mark.parametrize("state", [RUNNING, WAITING])
def test_a_run_is_running_as_long_as_it_is_held(root, state):
    root.write_record("a", {"state": state, "failures": 0})
    with root.held("a"):
        assert root.state("a") == RUNNING
    # Its maker has died, or has stopped.
    assert root.state("a") == WAITING


def test_a_run_is_held_by_one_alone(root):
    with root.held("a") as first, root.held("b") as other, root.held("a") as second:
        assert isinstance(first, int) and isinstance(other, int) and first != other
        assert second is None
    with root.held("a") as again:
        assert again is not None


def test_a_run_whose_holder_fails_is_let_go_of(root):
    with pytest.raises(ZeroDivisionError), root.held("a"):
        raise ZeroDivisionError
    with root.held("a") as lock:
        assert lock is not None


def test_two_runs_whose_names_differ_behind_a_point_do_not_share_a_lock(root):
    with root.held("ratio-0.5") as one, root.held("ratio-0.25") as other:
        assert one is not None and other is not None


def test_who_wants_to_make_a_run_waits_for_one_who_only_looks(root, monkeypatch):
    looking = root.held("a")
    looking.__enter__()
    waited = []

    def look_away(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            looking.__exit__(None, None, None)

    monkeypatch.setattr(root_module.time, "sleep", look_away)
    with root.held("a", tries=3) as lock:
        assert lock is None and len(waited) == 2
    with root.held("a", tries=3) as lock:
        assert lock is not None and len(waited) == 3


def test_a_record_is_written_whole_and_read_back(root):
    record = {"state": FAILED, "failures": 1, "status": 2, "seconds": 0.25}
    root.write_record("a", record)
    assert root.read_record("a") == json.loads(root.record("a").read_text()) == record
    assert [path.name for path in root.record("a").parent.iterdir()] == ["a.json"]


def test_a_damaged_record_is_named(root):
    root.write_record("a", {"state": DONE, "failures": 0})
    root.record("a").write_text("{")
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        root.state("a")


def test_describing_makes_the_root_and_lets_go_of_it(root):
    for _ in range(2):
        with root.describing():
            assert root.path.is_dir()


def test_a_root_that_is_a_file_cannot_be_described(root):
    root.path.write_text("")
    with pytest.raises(UserError, match=r"--root=.* cannot be made"), root.describing():
        pass
