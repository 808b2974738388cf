"""Several processes train one run; a killed run goes on bit for bit."""

import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, TINY, command, environment, run

from gaug_jax.training.checkpoints import Checkpoints, _checkpointer
from gaug_jax.workfolder import read_json_lines


def arrays_of(workdir, step):
    """Returns the arrays of a checkpoint by their paths."""
    import jax

    path = Checkpoints(Path(workdir) / "checkpoints").path(step)
    with _checkpointer() as checkpointer:
        state = checkpointer.restore(path / "state")
    return {jax.tree_util.keystr(k): np.asarray(v) for k, v in
            jax.tree_util.tree_flatten_with_path(state)[0]}  # fmt: skip


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def in_two_processes(*arguments):
    """Trains in two processes of two devices; returns what each printed."""
    port = free_port()
    processes = [
        subprocess.Popen(
            command(
                "main", *arguments, f"--process_id={number}",
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


@pytest.mark.parametrize("resident", [True, False], ids=["resident", "streamed"])
def test_two_processes_of_two_devices_are_one_of_four(tmp_path, resident):
    arguments = [*TINY, "--config.train.steps=3", "--config.train.checkpoint_every=1"]
    arguments += [] if resident else ["--config.train.resident_megabytes=0"]
    one = run("main", *arguments, f"--workdir={tmp_path / 'one'}", num_devices=4)
    assert one.returncode == 0, one.stderr
    in_two_processes(*arguments, f"--workdir={tmp_path / 'two'}")
    first_one, first_two = (arrays_of(tmp_path / name, 1) for name in ("one", "two"))
    assert first_one.keys() == first_two.keys()
    moments = [name for name in first_one if "'mu'" in name]
    assert len(moments) == 8
    for name in moments:
        # The gradients of the first step, up to the order of sums over devices.
        scale = np.abs(first_one[name]).max()
        np.testing.assert_allclose(
            first_one[name], first_two[name], rtol=0, atol=1e-5 * scale + 1e-9
        )
    rows = [read_json_lines(tmp_path / name / "metrics.jsonl") for name in ("one", "two")]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]]
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        assert rows[0][-1][name] == pytest.approx(rows[1][-1][name], abs=1e-3)


def test_two_processes_end_together_where_the_score_no_longer_improves(tmp_path):
    arguments = [
        *TINY, "--config.train.steps=300", "--config.train.patience=1", "--config.evaluate.every=2",
        "--config.evaluate.training_features=pixels", f"--workdir={tmp_path}",
    ]  # fmt: skip
    in_two_processes(*arguments)
    step = read_json_lines(tmp_path / "metrics.jsonl")[-1]["step"]
    assert step < 300
    assert Checkpoints(tmp_path / "checkpoints").steps()[-1] == step
    for printed in in_two_processes(*arguments):
        assert f"training is finished at step {step} (kid_mean has not improved" in printed


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "steps"), [("conditional", 600), ("per_class", 200)])
def test_a_run_killed_at_twenty_random_moments_is_the_undisturbed_one(tmp_path, labels, steps):
    # Checkpoints every three steps, so that some of the kills fall into a save.
    arguments = [
        *TINY, f"--config.model.labels={labels}", f"--config.train.steps={steps}",
        "--config.train.checkpoint_every=3", "--config.train.log_every=7",
    ]  # fmt: skip
    assert run("main", *arguments, f"--workdir={tmp_path / 'whole'}").returncode == 0
    chance = random.Random(0)
    kills = 0
    while kills < 20:
        # Every fourth dies while it starts, the others soon after a checkpoint of their own.
        kills += killed(arguments, tmp_path / "killed", chance, while_starting=kills % 4 == 3)
        if (tmp_path / "killed" / "checkpoints" / "finished").exists():
            assert_same(tmp_path, steps)
            shutil.rmtree(tmp_path / "killed")
    assert run("main", *arguments, f"--workdir={tmp_path / 'killed'}").returncode == 0
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
