"""Sweeps on this machine: what is refused, made, retried, resumed and never made twice."""

import csv
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.commands import ROOT, environment, run

from gaug_jax.files import read_json, read_json_lines
from gaug_jax.workfolder import WorkFolder
from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import read_sweep
from launch.unit import units_of

SWEEP = """
FIELDS = {{
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": {steps},
    "train.sample_every": 1000, "train.checkpoint_every": 1000,
}}


def sweep(add):
    for seed in range({count}):
        add(f"run-{{seed}}", config="configs/digits.py", evaluate={evaluate!r}, **FIELDS, seed=seed)
    {more}
"""


def sweep_file(path, count=3, steps=2, more="", evaluate=None):
    """Writes a sweep of so many tiny runs."""
    text = SWEEP.format(count=count, steps=steps, more=more, evaluate=evaluate)
    path.write_text(text)
    return path


def command(path, root, *more):
    return [sys.executable, "-m", "launch.run", f"--sweep={path}", f"--root={root}", *more]


def launch(path, root, *more):
    """Launches a sweep from this process; what it makes are processes of their own."""
    return run("run", f"--sweep={path}", f"--root={root}", *more, package="launch")


def states(root, count=3):
    return [Root(root).state(f"run-{seed}") for seed in range(count)]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('add("bad", config="configs/digits.py", **{"train.epoch": 3})',
         r"run bad: --config.train.epoch: no such field; did you mean train.epochs\?$"),
        ('add("bad", config="configs/digits.py", **{"train.epochs": "many"})', "run bad: .*epochs"),
        ('add("bad", config="configs/digits.py", **{"model.labels": "all"})',
         "run bad: config.model.labels='all'"),
        ('add("bad", config="configs/nothing.py")', "run bad: --config=configs/nothing.py does"),
        ('add("bad", config="configs/digits.py", command="train")', "run bad: command 'train'"),
        ('add("run-0", config="configs/digits.py")', "run run-0: there are two of this name"),
        ("add(", "sweep.py cannot be loaded"),
        ('add("bad")', "sweep.py: .*config"),
        ('add("bad", config="configs/digits.py", **{"data.label": None})',
         "data.label=None cannot"),
        ('add("a/b", config="configs/digits.py")', "run 'a/b': a name has"),
    ],
)  # fmt: skip
def test_a_mistake_ends_it_before_anything_starts(tmp_path, more, message):
    result = launch(sweep_file(tmp_path / "sweep.py", more=more), tmp_path / "R")
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert re.search(message, line), line
    assert not (tmp_path / "R").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--max_parallel=-1", "max_parallel"),
        ("--most_packed=3", "--most_packed has no effect without --pack: give both or neither"),
        ("--slurm=time=2:00:00", "--slurm=time=2:00:00: give a whole number of minutes"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, option, message):
    options = ["--executor=slurm", option] if "slurm" in option else [option]
    result = launch(sweep_file(tmp_path / "sweep.py"), tmp_path / "R", *options)
    assert result.returncode == 2 and message in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("x-*:train.steps=3", "--set=x-*:train.steps=3 is for no run of .* such as run-0, run-1, "),
        ("run-*:train.stepz=3", "run run-0: --config.train.stepz: no such field; did you mean "),
    ],
)
def test_a_field_that_is_set_of_no_run_is_refused(tmp_path, given, message):
    result = launch(sweep_file(tmp_path / "sweep.py"), tmp_path / "R", f"--set={given}")
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert re.search(message.replace("x-*", r"x-\*"), line), line
    assert not (tmp_path / "R").exists()


def test_a_root_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "R").write_text("")
    result = launch(sweep_file(tmp_path / "sweep.py"), tmp_path / "R")
    assert result.returncode == 2 and "--root=" in result.stderr, result.stderr


def test_a_folder_without_a_sweep_is_not_collected(tmp_path):
    result = collect(tmp_path)
    assert result.returncode == 2
    assert result.stderr == (
        f"error: --root={tmp_path} is no folder of a sweep: give one that launch.run made\n"
    )


def test_a_dry_run_says_what_would_be_run(tmp_path):
    result = launch(sweep_file(tmp_path / "sweep.py"), tmp_path / "R", "--dry_run",
                    "--set=data.train_size=50", "--set=*-2:data.path=else")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("(waiting): gaug_jax.main --config=configs/digits.py") == 3
    lines = result.stdout.splitlines()
    assert all("--config.data.train_size=50" in line for line in lines)
    assert ["--config.data.path=else" in line for line in lines] == [False, False, True]
    assert not (tmp_path / "R").exists()


def test_who_reads_less_of_the_output_sees_no_traceback(tmp_path):
    process = subprocess.Popen(
        command(sweep_file(tmp_path / "sweep.py", count=2000), tmp_path / "R", "--dry_run"),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(120) == 128 + signal.SIGPIPE


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    path = sweep_file(folder / "sweep.py", evaluate="pixels")
    result = launch(path, folder / "R", "--max_parallel=2")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_run_is_made_once_with_its_overrides(made):
    root = Root(made / "R")
    assert states(made / "R") == [DONE] * 3
    for seed in range(3):
        config = read_json(root.work_folder(f"run-{seed}") / "config.json")
        assert (config["seed"], config["model"]["width"]) == (seed, 4)
        assert root.log(f"run-{seed}").read_text().count("trained to step 2") == 1
        assert root.read_record(f"run-{seed}")["seconds"] > 0


def collect(root, *more):
    return run("collect", f"--root={root}", *more, package="launch")


def test_one_table_of_all_runs(made):
    result = collect(made / "R")
    assert result.returncode == 0, result.stderr
    root = Root(made / "R")
    with open(root.rows, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["run-0", "run-1", "run-2"]
    measured = [float(row["kid_mean"]) for row in rows]
    for seed, value in enumerate(measured):
        (line,) = read_json_lines(root.work_folder(f"run-{seed}") / "evaluation" / "metrics.jsonl")
        assert value == line["kid_mean"] and line["features"] == "pixels"
    # Student's t of three values: 4.303 standard errors.
    mean, reach = np.mean(measured), 4.302653 * np.std(measured, ddof=1) / 3**0.5
    assert f"| run | 3 | {mean:.4g} ± {reach:.2g} |" in root.table.read_text()
    assert "not done" not in root.table.read_text()
    assert root.plot.stat().st_size > 5000


def test_a_table_needs_a_sweep_and_figures(made, tmp_path):
    result = collect(tmp_path)
    assert result.returncode == 2 and "is no folder of a sweep" in result.stderr
    result = collect(made / "R", "--figures=beauty")
    assert result.returncode == 2 and "figures beauty" in result.stderr


def test_a_second_launch_makes_nothing_and_a_longer_sweep_the_rest(made):
    root = Root(made / "R")
    before = [root.log(f"run-{seed}").stat().st_mtime_ns for seed in range(3)]
    result = launch(sweep_file(made / "more.py", count=4, evaluate="pixels"), made / "R")
    assert result.returncode == 0, result.stderr
    assert [root.log(f"run-{seed}").stat().st_mtime_ns for seed in range(3)] == before
    assert states(made / "R", 4) == [DONE] * 4


def test_a_run_of_the_same_name_and_other_overrides_is_refused(made):
    result = launch(sweep_file(made / "other.py", steps=3), made / "R")
    assert result.returncode == 2
    assert "run run-0 was begun in" in result.stderr


@pytest.mark.slow
def test_a_failed_run_is_tried_again_and_then_listed(tmp_path):
    broken = '{"data.source": "folder", "data.path": "/no/such/folder"}'
    more = f'add("broken", config="configs/digits.py", **{broken})'
    path = sweep_file(tmp_path / "sweep.py", count=1, more=more, evaluate="pixels")
    result = launch(path, tmp_path / "R", "--retries=2")
    assert result.returncode == 1
    assert "broken failed" in result.stderr and "/no/such/folder" in result.stderr
    root = Root(tmp_path / "R")
    assert root.state("broken") == FAILED and root.read_record("broken")["failures"] == 3
    assert root.log("broken").read_text().count("/no/such/folder") >= 3
    assert root.state("run-0") == DONE
    assert collect(tmp_path / "R").returncode == 0
    table = root.table.read_text()
    assert "**1 runs are not done and not in these means:** broken (failed)" in table
    assert "| run | 1 |" in table and "| broken | 0 |" in table


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_two_launchers_make_no_run_twice(tmp_path):
    path = sweep_file(tmp_path / "sweep.py")
    both = [
        subprocess.Popen(command(path, tmp_path / "R", "--max_parallel=2"), cwd=ROOT,
                         env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    for seed in range(3):
        log = Root(tmp_path / "R").log(f"run-{seed}").read_text()
        assert log.count("trained to step 2") == 1 and "nothing to do" not in log


def test_a_signal_stops_and_saves_what_runs(tmp_path):
    path = sweep_file(tmp_path / "sweep.py", count=1, steps=100_000)
    process = subprocess.Popen(
        command(path, tmp_path / "R"), cwd=ROOT, env=environment(), stderr=subprocess.PIPE
    )
    root = Root(tmp_path / "R")
    wait_for((root.work_folder("run-0") / "metrics.jsonl").exists)
    assert root.state("run-0") == RUNNING
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert root.state("run-0") == WAITING
    assert "stopped and saved" in root.log("run-0").read_text()


@pytest.mark.slow
def test_a_killed_launcher_leaves_a_run_that_the_next_one_waits_for(tmp_path):
    path = sweep_file(tmp_path / "sweep.py", count=2, steps=400)
    process = subprocess.Popen(command(path, tmp_path / "R"), cwd=ROOT, env=environment())
    root = Root(tmp_path / "R")
    wait_for((root.work_folder("run-0") / "metrics.jsonl").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    result = launch(path, tmp_path / "R")
    assert result.returncode == 0, result.stderr
    for name in ("run-0", "run-1"):
        assert root.state(name) == DONE
        assert root.log(name).read_text().count("trained to step 400") == 1


@pytest.mark.parametrize(
    ("name", "count"),
    [("objectives", 24), ("ratios", 6), ("filters", 6), ("paper", 26), ("small_data", 450)],
)
def test_the_projects_own_sweeps_can_be_made(name, count):
    sweep = read_sweep(str(ROOT / "launch" / "sweeps" / f"{name}.py"))
    assert len(sweep.runs) == count
    groups = {each.name.rpartition("-")[0] for each in sweep.runs} | {"xray-study", "bangla-study"}
    assert all(label.split(" ")[0] in groups for label in sweep.paper)


@pytest.mark.slow
def test_packed_runs_have_folders_and_figures_of_their_own(made, tmp_path):
    root = Root(tmp_path / "R")
    result = launch(made / "sweep.py", root.path, "--pack")
    assert result.returncode == 0, result.stdout + result.stderr
    log = root.log("run-0").read_text()
    assert log.count("trained to step 2") == 3
    assert "trained together with run-0" in root.log("run-2").read_text()
    for seed in range(3):
        apart, packed = (
            WorkFolder(Root(folder).work_folder(f"run-{seed}"))
            for folder in (made / "R", root.path)
        )
        assert read_json(apart.config) == read_json(packed.config)
        rows = [read_json_lines(folder.metrics)[-1] for folder in (apart, packed)]
        for name in ("d_loss", "g_loss", "d_real", "d_fake"):
            assert rows[0][name] == pytest.approx(rows[1][name], abs=1e-3)
        kid = [read_json_lines(folder.fidelity)[-1]["kid_mean"] for folder in (apart, packed)]
        assert kid[0] == pytest.approx(kid[1], rel=0.01)
        assert root.read_record(f"run-{seed}")["state"] == DONE
    # All three are done: the same command without it makes nothing.
    assert launch(made / "sweep.py", root.path).returncode == 0
    assert root.log("run-0").read_text() == log


def test_units_hold_what_differs_in_the_seed_alone():
    runs = read_sweep(str(ROOT / "launch" / "sweeps" / "objectives.py")).runs
    units = units_of(runs, 8)
    assert [len(unit.runs) for unit in units] == [3] * 8
    assert units[0].name == "xray-minimax-0,xray-minimax-1,xray-minimax-2"
    assert [len(unit.runs) for unit in units_of(runs, 2)] == [2, 1] * 8
    assert [unit.runs for unit in units_of(runs, 1)] == [(run,) for run in runs]


@pytest.mark.slow
def test_a_launcher_killed_at_ten_random_moments_loses_no_run_and_makes_none_twice(tmp_path):
    path = sweep_file(tmp_path / "sweep.py", count=4, steps=400, evaluate="pixels")
    root, chance = Root(tmp_path / "R"), random.Random(0)
    for kill in range(10):
        process = subprocess.Popen(
            command(path, root.path, "--max_parallel=2"), cwd=ROOT, env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.uniform(0.0, 12.0))
        process.kill()
        process.wait()
        if kill % 2:  # And what it has started, which otherwise goes on.
            subprocess.run(["pkill", "-KILL", "-f", str(root.path)], check=False)
        for record in (root.path / "records").glob("*.json"):
            assert read_json(record)["state"] in (RUNNING, DONE)
    result = launch(path, root.path, "--max_parallel=2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert states(root.path, 4) == [DONE] * 4
    for seed in range(4):
        folder = root.work_folder(f"run-{seed}")
        steps = [row["step"] for row in read_json_lines(folder / "metrics.jsonl")]
        assert steps == sorted(set(steps)) and steps[-1] == 400
        assert len(read_json_lines(folder / "evaluation" / "metrics.jsonl")) == 1
        assert root.log(f"run-{seed}").read_text().count("trained to step 400") == 1
        assert root.read_record(f"run-{seed}")["failures"] == 0
