"""Several processes train one run; a killed run goes on bit for bit."""

import random
import shutil
import signal
import socket
import subprocess
import time

import numpy as np
import pytest
from support.commands import ROOT, TINY, command, environment, run, run_apart
from support.trained import arrays_of, assert_same_beginning

from gaug_jax.files import read_json_lines
from gaug_jax.training.checkpoints import Checkpoints


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def in_two_processes(module, *arguments):
    """Runs a binary in two processes of two devices; returns what each printed."""
    port = free_port()
    processes = [
        subprocess.Popen(
            command(
                module, *arguments, f"--process_id={number}",
                f"--coordinator_address=127.0.0.1:{port}", "--num_processes=2",
            ),
            cwd=ROOT, env=environment(2), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]  # fmt: skip
    printed = []
    for process in processes:
        output, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
        printed.append(output)
    return printed


@pytest.mark.parametrize(
    "resident", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["resident", "streamed"]
)
def test_two_processes_of_two_devices_are_one_of_four(tmp_path, resident):
    arguments = [*TINY, "--config.train.steps=3", "--config.train.checkpoint_every=1"]
    arguments += [] if resident else ["--config.train.resident_megabytes=0"]
    one = run("main", *arguments, f"--workdir={tmp_path / 'one'}")
    assert one.returncode == 0, one.stderr
    in_two_processes("main", *arguments, f"--workdir={tmp_path / 'two'}")
    assert_same_beginning(tmp_path / "one", tmp_path / "two")


def test_two_processes_end_together_where_the_score_no_longer_improves(tmp_path):
    arguments = [
        *TINY, "--config.train.steps=300", "--config.train.patience=1", "--config.evaluate.every=2",
        "--config.evaluate.training_features=pixels", f"--workdir={tmp_path}",
    ]  # fmt: skip
    in_two_processes("main", *arguments)
    step = read_json_lines(tmp_path / "metrics.jsonl")[-1]["step"]
    assert step < 300
    assert Checkpoints(tmp_path / "checkpoints").steps()[-1] == step
    for printed in in_two_processes("main", *arguments):
        assert f"training is finished at step {step} (kid_mean has not improved" in printed


def test_two_processes_share_an_evaluation(tmp_path):
    trained = run("main", *TINY, "--config.train.steps=2", f"--workdir={tmp_path}")
    assert trained.returncode == 0, trained.stderr
    # The part of 180 images and the 257 drawn ones do not divide by two shares of whole batches.
    arguments = [f"--workdir={tmp_path}", "--features=classifier", "--num=257"]
    in_two_processes("evaluate", *arguments)
    (together,) = read_json_lines(tmp_path / "evaluation" / "metrics.jsonl")
    (tmp_path / "evaluation" / "metrics.jsonl").unlink()
    alone = run("evaluate", *arguments)
    assert alone.returncode == 0, alone.stderr
    (row,) = read_json_lines(tmp_path / "evaluation" / "metrics.jsonl")
    assert together.keys() == row.keys()
    for name, value in row.items():
        assert together[name] == (pytest.approx(value, rel=1e-4, abs=1e-6)
                                  if isinstance(value, float) else value), name  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "steps"), [("conditional", 600), ("per_class", 200)])
def test_a_run_killed_at_twenty_random_moments_is_the_undisturbed_one(tmp_path, labels, steps):
    # Checkpoints every three steps, so that some of the kills fall into a save.
    arguments = [
        *TINY, f"--config.model.labels={labels}", f"--config.train.steps={steps}",
        "--config.train.checkpoint_every=3", "--config.train.log_every=7",
    ]  # fmt: skip
    assert run_apart("main", *arguments, f"--workdir={tmp_path / 'whole'}").returncode == 0
    chance = random.Random(0)
    kills = 0
    while kills < 20:
        # Every fourth dies while it starts, the others soon after a checkpoint of their own.
        kills += killed(arguments, tmp_path / "killed", chance, while_starting=kills % 4 == 3)
        if (tmp_path / "killed" / "checkpoints" / "finished").exists():
            assert_same(tmp_path, steps)
            shutil.rmtree(tmp_path / "killed")
    assert run_apart("main", *arguments, f"--workdir={tmp_path / 'killed'}").returncode == 0
    assert_same(tmp_path, steps)


def killed(arguments, workdir, chance, while_starting):
    """Starts a run and kills it; returns whether it was still alive then."""
    checkpoints = Checkpoints(workdir / "checkpoints")
    before = checkpoints.steps()
    process = subprocess.Popen(
        command("main", *arguments, f"--workdir={workdir}"), cwd=ROOT, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not while_starting and checkpoints.steps() == before and process.poll() is None:
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 4.0 if while_starting else 0.6))
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def assert_same(tmp_path, steps):
    whole, killed = (arrays_of(tmp_path / name, steps) for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    for name, values in whole.items():
        np.testing.assert_array_equal(values, killed[name], err_msg=name)
    logged = [row["step"] for row in read_json_lines(tmp_path / "killed" / "metrics.jsonl")]
    assert logged == sorted(set(logged))
    assert logged[-1] == steps
