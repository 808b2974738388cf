"""A sweep against a real SLURM on this host: cancelled, restarted, completed by a second launch."""

import os
import subprocess
import sys
import time

import pytest
from support.cluster import PACKAGES, available, environment, start, start_node, stop, stop_node
from support.commands import ROOT, run_apart
from support.trained import assert_same_beginning

from gaug_jax.files import read_json_lines
from launch.root import DONE, RUNNING, WAITING, Root

pytestmark = pytest.mark.slow
# Long enough that a run is still at work when its task is cancelled or warned.
STEPS = 20_000
SWEEP = f"""
FIELDS = {{
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": {STEPS},
    "train.sample_every": {STEPS}, "train.checkpoint_every": {STEPS},
}}


def sweep(add):
    for seed in range(6):
        add(f"run-{{seed}}", config="configs/digits.py", **FIELDS, seed=seed)
"""
NAMES = [f"run-{seed}" for seed in range(6)]
TASKS = 2
TOGETHER = """
def sweep(add):
    add("run-0", config="configs/digits.py", evaluate="pixels", **{fields})
"""
FIELDS = {
    "data.image_size": 8, "model.width": 4, "train.batch_size": 8, "train.steps": 3,
    "train.checkpoint_every": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if not available():
        message = f"SLURM cannot be started here: {PACKAGES} are needed, and to be root"
        if os.environ.get("GAUG_REQUIRE_SLURM"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("slurm")
    start(folder)
    yield folder
    stop(folder)


def launcher(cluster, path, root, *options):
    command = [sys.executable, "-m", "launch.run", f"--sweep={path}", f"--root={root}",
               "--executor=slurm", "--slurm=partition=test", "--slurm=time=30",
               *options]  # fmt: skip
    variables = {name: value for name, value in environment(cluster).items() if name != "XLA_FLAGS"}
    return subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def queued(cluster):
    """Returns the tasks of arrays that run, as SLURM names them."""
    found = subprocess.run(
        ["squeue", "--noheader", "--array", "--states=RUNNING", "--format=%i"],
        env=environment(cluster), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout.split()


def test_what_was_cancelled_is_completed_by_a_second_launch(cluster, tmp_path):
    path, root = tmp_path / "sweep.py", Root(tmp_path / "R")
    path.write_text(SWEEP)
    first = launcher(cluster, path, root.path)
    metrics = root.work_folder("run-0") / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.stat().st_size)
    assert root.state("run-0") == RUNNING
    (task,) = [name for name in queued(cluster) if name.endswith("_0")]
    subprocess.run(["scancel", task], env=environment(cluster), check=True)
    stop_node(cluster)
    time.sleep(2)
    start_node(cluster)
    output, errors = first.communicate(timeout=600)
    assert first.returncode == 1, output + errors
    assert "not done: run-0" in errors
    assert root.state("run-0") == WAITING
    assert "stopped and saved at step" in root.log("run-0").read_text()
    assert [root.state(name) for name in NAMES[1:]] == [DONE] * 5
    before = [root.log(name).stat().st_mtime_ns for name in NAMES[1:]]

    second = launcher(cluster, path, root.path)
    output, errors = second.communicate(timeout=300)
    assert second.returncode == 0, output + errors
    assert [root.state(name) for name in NAMES] == [DONE] * 6
    assert [root.log(name).stat().st_mtime_ns for name in NAMES[1:]] == before
    assert root.log("run-0").read_text().count(f"trained to step {STEPS}") == 1


def test_what_slurm_refuses_ends_with_one_line(cluster, tmp_path):
    path = tmp_path / "sweep.py"
    path.write_text(SWEEP)
    command = [sys.executable, "-m", "launch.run", f"--sweep={path}", f"--root={tmp_path / 'Q'}",
               "--executor=slurm", "--slurm=partition=nowhere"]  # fmt: skip
    refused = subprocess.run(
        command, cwd=ROOT, env=environment(cluster), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "--executor=slurm" in refused.stderr and "partition" in refused.stderr


def test_two_hosts_played_by_two_tasks_are_one_process_of_two_devices(cluster, tmp_path):
    path, root = tmp_path / "sweep.py", Root(tmp_path / "R")
    path.write_text(TOGETHER.format(fields=FIELDS))
    options = [f"--slurm=ntasks_per_node={TASKS}", "--slurm=cpus_per_task=1", "--retries=0"]
    process = launcher(cluster, path, root.path, *options)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, output + errors + root.log("run-0").read_text()
    alone = tmp_path / "alone"
    arguments = [f"--config.{name}={value}" for name, value in FIELDS.items()]
    for call in (
        ["main", "--config=configs/digits.py", *arguments], ["evaluate", "--features=pixels"]
    ):  # fmt: skip
        result = run_apart(*call, f"--workdir={alone}", num_devices=TASKS)
        assert result.returncode == 0, result.stderr
    together = root.work_folder("run-0")
    assert_same_beginning(together, alone)
    (row,), (expected,) = (
        read_json_lines(folder / "evaluation" / "metrics.jsonl") for folder in (together, alone)
    )
    assert row["kid_mean"] == pytest.approx(expected["kid_mean"], rel=0.01)
    assert root.log("run-0").read_text().count("2 processes make this run together") == 2


def test_a_task_that_is_warned_saves_and_is_queued_again(cluster, tmp_path):
    path, root = tmp_path / "sweep.py", Root(tmp_path / "R")
    path.write_text(SWEEP.replace("range(6)", "range(1)"))
    process = launcher(cluster, path, root.path)
    metrics = root.work_folder("run-0") / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.stat().st_size)
    (task,) = queued(cluster)
    # What SLURM sends before it preempts a task or its time is up.
    subprocess.run(["scancel", "--signal=USR2", task], env=environment(cluster), check=True)
    output, errors = process.communicate(timeout=600)
    log = root.log("run-0").read_text()
    assert process.returncode == 0, output + errors + log
    assert "stopped and saved at step" in log
    assert log.count(f"trained to step {STEPS}") == 1
