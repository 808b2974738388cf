"""`python -m gaug_jax.main`: what it refuses, and how; and that it trains."""

import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from PIL import Image
from support.commands import ROOT, TINY, command, environment, refused, run, run_apart

from gaug_jax.files import read_json_lines
from gaug_jax.training.checkpoints import Checkpoints


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config=configs/nothing.py"], "configs/nothing.py"),
        (
            ["--config=configs/digits.py", "--config.train.epoch=3"],
            "error: --config.train.epoch: no such field; did you mean train.epochs?",
        ),
        (["--config=configs/digits.py", "--config.data={'path': 'x'}"], "config.data is a section"),
        (["--config=configs/digits.py", "--config.trian.epochs=3"], "did you mean train.epochs?"),
        (["--config=configs/digits.py", "--config.seed.x=3"], "--config.seed.x: no such field"),
        (["--config=README.md"], "error: --config=README.md, line "),
        (["--config=configs/recipes.py"], "configs/recipes.py is not a config: give a "),
        (
            ["--config=folder:stile"],
            "no recipe 'stile': give dcgan, few_images, projected, style, ",
        ),
        (["--config=digits:style"], "--config=digits takes no recipe: leave out ':style'"),
        (["--config=configs/digits.py", "--config.train.epochs=many"], "many"),
        (["--config=configs/digits.py", "--epochs=3"], "epochs"),
        (["--config=configs/digits.py", "extra"], "extra"),
        ([], "config"),
        ([*TINY, "--config.data.source=digit"], "config.data.source='digit'"),
        ([*TINY, "--config.objective.preset=minmax"], "config.objective.preset='minmax'"),
        ([*TINY, "--config.data.image_size=48"], "config.data.image_size=48 is not 4*2^n"),
        (
            [*TINY, "--config.data.source=folder", "--config.data.path=/no/such/folder"],
            "/no/such/folder",
        ),
        ([*TINY, "--config.data.source=folder"], "config.data.path"),
        (
            [*TINY, "--config.train.steps=3", "--config.train.growing_steps=4"],
            "config.train.growing_steps=4 at each of 1 resolutions is more than the 3 steps",
        ),
        ([*TINY, "--config.train.patience=3"], "config.train.patience=3 needs scores"),
    ],
)
def test_a_mistake_ends_with_one_line_and_no_folder(tmp_path, arguments, message):
    line = refused("main", *arguments, f"--workdir={tmp_path / 'W'}")
    assert message in line
    assert not (tmp_path / "W").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nimport no_such_module", ", line 2: ModuleNotFoundError: No module named"),
        ("def get_config():\n    return 1 / 0", ", line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", ", line 1: SystemExit"),
        ("def get_config():\n    return {'seed': 1}", " is not a config: give a Python file"),
        (
            "from configs import base\ndef get_config():\n    config = base.get_config().lock()\n"
            "    config.train.stepz = 3",
            ', line 4: AttributeError: Key "stepz" does not exist',
        ),
    ],
)
def test_a_config_that_an_error_ends(tmp_path, text, message):
    (tmp_path / "config.py").write_text(text)
    line = refused("main", f"--config={tmp_path / 'config.py'}", f"--workdir={tmp_path / 'W'}")
    assert line.startswith(f"error: --config={tmp_path / 'config.py'}{message}")
    assert "0x" not in line
    assert not (tmp_path / "W").exists()


def test_the_work_folder_is_asked_for():
    assert "workdir" in refused("main", *TINY)
    # As of a shell's variable that is not set.
    assert "is empty: give a folder" in refused("main", *TINY, "--workdir=")


def test_a_score_without_a_validation_part(tmp_path):
    line = refused(
        "main", *TINY, "--config.evaluate.every=1", "--config.data.validation_fraction=0.0",
        f"--workdir={tmp_path / 'W'}",
    )  # fmt: skip
    assert "config.evaluate.every needs a validation part" in line
    assert not (tmp_path / "W").exists()


def test_a_work_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "W").write_text("a file")
    assert "cannot be made" in refused("main", *TINY, f"--workdir={tmp_path / 'W'}")
    assert "name too long" in refused("main", *TINY, f"--workdir={tmp_path / (300 * 'x')}")


def test_a_batch_that_devices_do_not_divide(tmp_path):
    line = refused("main", *TINY, "--config.train.batch_size=6", f"--workdir={tmp_path / 'W'}")
    assert "config.train.batch_size=6 does not divide over 4 devices: give a multiple of 4" in line
    assert not (tmp_path / "W").exists()


def folder_of_pictures(path, count=12):
    """Makes two classes of small pictures."""
    random = np.random.default_rng(0)
    for index in range(count):
        folder = path / ("left" if index % 2 else "right")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (20, 16), np.uint8)).save(folder / f"{index}.jpg")
    return path


def on_folder(path):
    return [*TINY, "--config.data.source=folder", f"--config.data.path={path}"]


def test_an_empty_folder(tmp_path):
    (tmp_path / "data").mkdir()
    line = refused("main", *on_folder(tmp_path / "data"), f"--workdir={tmp_path / 'W'}")
    assert str(tmp_path / "data") in line
    assert not (tmp_path / "W").exists()


def test_a_truncated_picture_is_named_and_may_be_left_out(tmp_path):
    path = folder_of_pictures(tmp_path / "data", 40)
    victim = path / "left" / "1.jpg"
    victim.write_bytes(victim.read_bytes()[:300])
    line = refused("main", *on_folder(path), f"--workdir={tmp_path / 'W'}")
    assert "left/1.jpg" in line
    assert "--config.data.allow_missing=True" in line
    assert not (tmp_path / "W").exists()
    result = run(
        "main",
        *on_folder(path),
        "--config.data.allow_missing=True",
        "--config.train.steps=2",
        f"--workdir={tmp_path / 'W'}",
    )
    assert result.returncode == 0, result.stderr
    assert "left/1.jpg" in (tmp_path / "W" / "data_manifest.json").read_text()


def test_a_classifier_needs_two_classes(tmp_path):
    path = folder_of_pictures(tmp_path / "data", 24)
    shutil.rmtree(path / "left")
    line = refused(
        "main", *on_folder(path), "--config.objective.classifier_weight=0.1",
        f"--workdir={tmp_path / 'W'}",
    )  # fmt: skip
    assert "config.objective.classifier_weight needs two classes" in line
    assert not (tmp_path / "W").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work folder of four steps with checkpoints of steps 2 and 4."""
    folder = tmp_path_factory.mktemp("trained") / "W"
    result = run(
        "main", *TINY, "--config.train.steps=4", "--config.train.checkpoint_every=2",
        f"--workdir={folder}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder


def test_a_run_writes_what_the_contract_says(trained):
    names = {path.name for path in trained.iterdir()}
    assert {"config.json", "data_manifest.json", "checkpoints", "metrics.jsonl", "tensorboard",
            "samples"} <= names  # fmt: skip
    assert Checkpoints(trained / "checkpoints").steps() == [2, 4]
    assert read_json_lines(trained / "metrics.jsonl")[-1]["step"] == 4


def test_a_finished_run_returns_at_once(trained):
    result = run("main", *TINY, "--config.train.steps=4", f"--workdir={trained}")
    assert result.returncode == 0
    assert "finished at step 4: nothing to do" in result.stdout


@pytest.mark.slow
def test_a_run_that_ends_where_its_score_no_longer_improves(tmp_path):
    arguments = [
        *TINY, "--config.train.steps=300", "--config.train.patience=2", "--config.evaluate.every=1",
        "--config.evaluate.training_features=pixels", "--config.train.keep_last=300",
    ]  # fmt: skip
    result = run("main", *arguments, f"--workdir={tmp_path / 'W'}")
    assert result.returncode == 0, result.stderr
    scores = [row["kid_mean"] for row in read_json_lines(tmp_path / "W" / "metrics.jsonl")]
    stop, best = len(scores), scores.index(min(scores)) + 1
    assert best == stop - 2 < 298
    why = f"(kid_mean has not improved for 2 evaluations, the best was at step {best})"
    assert result.stdout.count(f"trained to step {stop} {why}: see") == 1
    again = run("main", *arguments, f"--workdir={tmp_path / 'W'}")
    assert f"training is finished at step {stop} {why}: nothing to do" in again.stdout
    # As if it had been killed long before.
    for step in range(2, stop + 1):
        shutil.rmtree(tmp_path / "W" / "checkpoints" / f"{step:08d}")
    (tmp_path / "W" / "checkpoints" / "finished").unlink()
    resumed = run("main", *arguments, f"--workdir={tmp_path / 'W'}")
    assert f"trained to step {stop} {why}: see" in resumed.stdout, resumed.stderr
    rows = read_json_lines(tmp_path / "W" / "metrics.jsonl")
    assert [row["kid_mean"] for row in rows] == scores


def test_a_work_folder_of_another_config(trained):
    line = refused(
        "main", *TINY, "--config.model.latent_dim=7", "--config.train.steps=4",
        f"--workdir={trained}",
    )  # fmt: skip
    assert "was made with config.model.latent_dim=100, not 7" in line


def test_a_work_folder_of_other_images(trained):
    line = refused(
        "main", *TINY, "--config.train.steps=4", "--config.data.train_size=100",
        f"--workdir={trained}",
    )  # fmt: skip
    assert "config.data.train_size" in line


@pytest.mark.slow
def test_a_full_disk_ends_with_one_line_and_keeps_the_older_checkpoint(tmp_path):
    # The one full disk that needs no privileges: files may not grow beyond a limit, which the
    # arrays of this width pass and nothing else does.
    arguments = [*TINY, "--config.model.width=32", f"--workdir={tmp_path / 'W'}"]
    arguments.append("--config.train.checkpoint_every=2")
    assert run("main", *arguments, "--config.train.steps=4").returncode == 0

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    result = run_apart("main", *arguments, "--config.train.steps=8", preexec_fn=limit)
    assert result.returncode == 2, result.stderr
    assert result.stderr == (
        f"error: no checkpoint could be written in {tmp_path / 'W' / 'checkpoints'} (File too "
        "large); the checkpoint of step 4 is whole: free space there and run the same command "
        "again\n"
    )
    assert "Traceback" not in result.stdout
    assert Checkpoints(tmp_path / "W" / "checkpoints").steps() == [2, 4]


@pytest.mark.parametrize(
    ("numbers", "status"),
    [([signal.SIGTERM], 143), ([signal.SIGINT], 130), ([signal.SIGINT, signal.SIGINT], 130)],
)
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, numbers, status):
    arguments = [*TINY, "--config.train.steps=100000", f"--workdir={tmp_path / 'W'}"]
    process = subprocess.Popen(
        command("main", *arguments), cwd=ROOT, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "W" / "metrics.jsonl").exists() or not read_json_lines(
        tmp_path / "W" / "metrics.jsonl"
    ):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.1)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.15)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    assert "Traceback" not in output + errors
    assert "run the same command again to go on" in errors.splitlines()[-1]
    assert len(Checkpoints(tmp_path / "W" / "checkpoints").steps()) == 1


def run_script(script):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=ROOT,
        env=environment(), check=False,
    )  # fmt: skip


def test_a_third_press_of_ctrl_c_gives_up_at_once():
    result = run_script(
        """
        import os, signal
        from gaug_jax.training.interrupts import stop_on_signal
        with stop_on_signal() as request:
            for press in range(3):
                os.kill(os.getpid(), signal.SIGINT)
                print(request.signal_number, flush=True)
        """
    )
    assert result.returncode == -signal.SIGINT
    assert result.stdout == "2\n2\n"
    assert result.stderr == (
        "stopping and saving: press Ctrl-C again to give up what is not saved yet\n"
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, -2)])
def test_a_signal_while_a_finished_binary_exits_is_quiet(number, status):
    result = run_script(
        f"""
        import atexit, os
        from gaug_jax import command_line
        atexit.register(os.kill, os.getpid(), {int(number)})
        command_line.run(command_line.Binary(lambda given: None, lambda given: print("made"), ""))
        """
    )
    assert (result.returncode, result.stdout, result.stderr) == (status, "made\n", "")


def test_help_says_how(tmp_path):
    result = run("main", "--help")
    assert result.returncode == 0 and not result.stderr
    assert "python -m gaug_jax.main --config=configs/digits.py --workdir=runs/digits" in (
        result.stdout
    )
    for flag in ("--workdir: Folder of the run: made if absent", "--config: A config file",
                 "--process_id: "):  # fmt: skip
        assert flag in result.stdout


@pytest.mark.parametrize("binary", ["audit", "embed", "evaluate", "synthesize"])
def test_help_of_what_needs_a_work_folder_does_not_promise_to_make_one(binary):
    result = run(binary, "--help")
    assert result.returncode == 0
    assert "Folder of the run: there must be one, of gaug_jax.main." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100  # Examples keep their lines.


@pytest.mark.parametrize("flag", ["--num_processes=2", "--process_id=1"])
def test_a_process_that_is_told_of_no_others(tmp_path, flag):
    line = refused("main", *TINY, flag, f"--workdir={tmp_path / 'W'}")
    assert f"{flag.split('=')[0]} has no effect without --coordinator_address" in line
    assert not (tmp_path / "W").exists()
