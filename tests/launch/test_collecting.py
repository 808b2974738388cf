"""One table of a sweep's runs: its means and intervals, and which rows they are of."""

import csv
import dataclasses

import numpy as np
import pytest
import scipy.stats

from gaug_jax.errors import UserError
from gaug_jax.files import write_json, write_json_lines
from gaug_jax.workfolder import WorkFolder
from launch.collecting import collect, estimate, table
from launch.root import DONE, FAILED, Root
from launch.sweep import SweepRun


@pytest.mark.parametrize("count", [2, 3, 10, 200])
def test_mean_and_interval_are_those_of_scipy(count):
    values = np.random.default_rng(count).normal(3.0, 2.0, count)
    mean, reach = estimate(values.tolist())
    low, high = scipy.stats.t.interval(
        0.95, count - 1, loc=np.mean(values), scale=scipy.stats.sem(values)
    )
    np.testing.assert_allclose([mean - reach, mean + reach], [low, high], rtol=1e-12)


def test_one_value_has_no_interval_and_equal_ones_have_one_of_no_length():
    assert estimate([0.25]) == (0.25, None)
    assert estimate([2, 2, 2]) == (2, 0.0)


def rows_of(*values):
    return [{"kid": value} for value in values]


def test_a_table_has_a_line_for_each_group():
    # Of 1 and 3 the standard error is 1, and Student's t of one degree 12.706.
    text = table(
        {"a": rows_of(1.0, 3.0), "b gan": rows_of(0.5), "c": []}, ["kid"],
        {"a": "KID 2", "b gan": "KID 1"}, {},
    )  # fmt: skip
    assert text.splitlines() == [
        "| runs | n | kid | the paper |", "| --- | --- | --- | --- |",
        "| a | 2 | 2 ± 13 | KID 2 |", "| b gan | 1 | 0.5 | KID 1 |", "| c | 0 |  |  |",
    ]  # fmt: skip


def test_what_was_not_measured_is_not_averaged_and_is_said():
    text = table({"a": rows_of(1.0, None, 3.0, None), "b": rows_of(None)}, ["kid"], {}, {})
    assert "| a | 4 | 2 ± 13 (of 2) |  |" in text and "| b | 1 |  |  |" in text


def test_the_paper_speaks_of_an_arm_whatever_its_ratio_and_filter():
    text = table({"s gan 50 1.0 none": rows_of(1.0)}, ["kid"], {"s gan": "0.9"}, {})
    assert "| s gan 50 1.0 none | 1 | 1 | 0.9 |" in text


def test_what_is_not_done_is_named_below_the_table():
    text = table({"a": rows_of(1.0)}, ["kid"], {}, {"a-1": "failed", "b-0": "waiting"})
    assert text.endswith(
        "\n\n**2 runs are not done and not in these means:** a-1 (failed), b-0 (waiting).\n"
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root as four runs would have left it: two done, one failed, and a study of two arms."""
    root = Root(tmp_path_factory.mktemp("sweep"))
    runs = [
        SweepRun(name, "a.py", "classify" if name == "s-0" else "main", {})
        for name in ("a-0", "a-1", "a-2", "s-0")
    ]
    described = [dataclasses.asdict(run) for run in runs]
    write_json(root.sweep, {"runs": described, "paper": {"s gan": "0.9"}})
    for seed, state in enumerate((DONE, DONE, FAILED)):
        root.write_record(f"a-{seed}", {"state": state, "failures": 0})
        folder = WorkFolder(root.work_folder(f"a-{seed}"))
        folder.fidelity.parent.mkdir(parents=True)
        # The last measurement of a run counts.
        write_json_lines(folder.fidelity, [{"kid": 99.0}, {"kid": 1.0 + 2 * seed, "fid": None}])
    root.write_record("s-0", {"state": DONE, "failures": 0})
    folder = WorkFolder(root.work_folder("s-0"))
    folder.runs.parent.mkdir(parents=True)
    write_json_lines(
        folder.runs,
        [
            {"arm": arm, "train_size": 50, "ratio": 1.0, "filter": "none", "kid": value}
            for arm, value in (("real", 0.25), ("gan", 0.5), ("gan", 1.5))
        ],
    )
    return root


def test_runs_that_are_done_are_collected_by_their_names_without_the_seed(root, capsys):
    collect(str(root.path), ["kid", "fid"])
    lines = root.table.read_text().splitlines()
    assert "| a | 2 | 2 ± 13 |  |  |" in lines
    assert "| s real 50 1.0 none | 1 | 0.25 |  |  |" in lines
    assert "| s gan 50 1.0 none | 2 | 1 ± 6.4 |  | 0.9 |" in lines
    assert lines[-1].startswith("**1 runs are not done") and "a-2 (failed)" in lines[-1]
    assert root.table.read_text() in capsys.readouterr().out
    assert root.plot.stat().st_size > 1000
    with open(root.rows, newline="") as file:
        rows = [
            (row["name"], row["group"], row["state"], row["kid"]) for row in csv.DictReader(file)
        ]
    assert rows == [
        ("a-0", "a", "done", "1.0"), ("a-1", "a", "done", "3.0"), ("a-2", "a", "failed", ""),
        ("s-0", "s", "done", "0.25"), ("s-0", "s", "done", "0.5"), ("s-0", "s", "done", "1.5"),
    ]  # fmt: skip


def test_a_figure_that_no_run_has_is_refused(root, tmp_path):
    with pytest.raises(UserError, match="has any of the figures beauty yet"):
        collect(str(root.path), ["beauty"])
    with pytest.raises(UserError, match="is no folder of a sweep"):
        collect(str(tmp_path), ["kid"])


def test_a_study_that_was_measured_too_has_the_figures_of_its_arms(tmp_path, capsys):
    root = Root(tmp_path)
    run = dataclasses.asdict(SweepRun("s-0", "a.py", "study", {}))
    write_json(root.sweep, {"runs": [run], "paper": {}})
    root.write_record("s-0", {"state": DONE, "failures": 0})
    folder = WorkFolder(root.work_folder("s-0"))
    for path in (folder.fidelity, folder.runs):
        path.parent.mkdir(parents=True)
    write_json_lines(folder.fidelity, [{"kid": 1.0}])
    write_json_lines(folder.runs, [{"arm": "gan", "accuracy": 0.75}])
    collect(str(root.path), ["accuracy"])
    assert "| s gan | 1 | 0.75 |" in root.table.read_text()
