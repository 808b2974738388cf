"""Runs: what they write, how they stop, resume, diverge and roll back."""

import json
import os
import signal
import threading

import numpy as np
import pytest
from PIL import Image
from support.settings_for_tests import host_copy, largest_difference, make_run

from gaug_jax.files import read_json_lines
from gaug_jax.training.interrupts import Interrupted
from gaug_jax.training.loop import TrainingDiverged


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 12 steps that nothing disturbed."""
    path = tmp_path_factory.mktemp("whole")
    run = make_run(path, model__labels="conditional")
    return path, host_copy(run.train())


def test_what_a_run_writes(whole):
    path, _ = whole
    rows = read_json_lines(path / "metrics.jsonl")
    assert [row["step"] for row in rows] == [4, 8, 12]
    names = {"step", "epoch", "d_loss", "g_loss", "d_real", "d_fake", "images_per_second"}
    assert set(rows[0]) == names
    # Eight images a step out of thirty.
    assert rows[-1]["epoch"] == pytest.approx(12 * 8 / 30)
    assert rows[-1]["images_per_second"] > 0
    grids = sorted(p.name for p in (path / "samples").glob("*.png"))
    assert grids == ["step_00000000.png", "step_00000008.png", "step_00000012.png"]
    # Three rows of ten 8x8 images, and some border.
    width, height = Image.open(path / "samples" / grids[0]).size
    assert width >= 80 and 24 <= height < width / 2
    assert Image.open(path / "samples" / "progress.gif").n_frames == 3
    assert sorted(p.name for p in (path / "checkpoints").iterdir()) == [
        "00000005", "00000010", "00000012", "finished",
    ]  # fmt: skip
    metadata = json.loads((path / "checkpoints/00000012/metadata.json").read_text())
    assert metadata["class_names"] == ["a", "b", "c"]


def test_tensorboard_reads_the_events(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole[0] / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert "samples" in str(tags)
    assert "d_loss" in str(tags)
    assert "config" in str(tags)


def test_a_finished_run_says_so_and_does_nothing(whole, capsys):
    path, state = whole
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*") if p.is_file()}
    again = host_copy(make_run(path, model__labels="conditional").train())
    assert largest_difference(again, state) == 0.0
    assert "finished at step 12" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*") if p.is_file()} == before


def test_a_longer_run_goes_on_from_a_finished_one(whole, tmp_path):
    make_run(tmp_path, 6, model__labels="conditional").train()
    longer = make_run(tmp_path, 12, model__labels="conditional")
    assert longer.step == 6
    assert largest_difference(host_copy(longer.train()), whole[1]) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"model__family": "style", "model__discriminator": "style", "objective__preset": "style",
         "objective__path_length": 2.0},
        {"model__family": "diffusion", "objective__preset": "denoising",
         "augment__policy": "affine", "model__labels": "conditional"},
        {"model__discriminator": "projected", "objective__preset": "spectral_norm",
         "objective__loss": "hinge", "data__image_size": 32},
    ],
    ids=["style", "diffusion", "projected"],
)  # fmt: skip
def test_other_families_resume_bit_for_bit(tmp_path, options):
    whole = host_copy(make_run(tmp_path / "whole", 6, **options).train())
    make_run(tmp_path / "halves", 3, **options).train()
    again = make_run(tmp_path / "halves", 6, **options)
    assert again.step == 3
    assert largest_difference(host_copy(again.train()), whole) == 0.0


def test_a_run_stopped_by_a_signal_resumes_bit_for_bit(tmp_path):
    endless = 10**6
    for number in (signal.SIGTERM, signal.SIGINT):
        run = make_run(tmp_path / "stopped", endless)
        timer = threading.Timer(6.0, os.kill, (os.getpid(), number))
        timer.start()
        with pytest.raises(Interrupted, match="run the same command again") as stopped:
            run.train()
        assert stopped.value.exit_status == 128 + number
    # The stops fell at steps that no plan names; the state there is that of an undisturbed run.
    again = make_run(tmp_path / "stopped", endless)
    assert again.step == run.step
    straight = make_run(tmp_path / "straight", run.step)
    assert largest_difference(host_copy(straight.train()), host_copy(again._state)) == 0.0
    rows = read_json_lines(tmp_path / "stopped" / "metrics.jsonl")
    steps = [row["step"] for row in rows]
    assert steps == sorted(set(steps))


def test_rows_of_lost_steps_are_dropped(tmp_path):
    make_run(tmp_path, 10).train()
    (tmp_path / "checkpoints" / "finished").unlink()
    newest = tmp_path / "checkpoints" / "00000010" / "metadata.json"
    newest.write_text(newest.read_text().replace("10", "11", 1))
    resumed = make_run(tmp_path, 12)
    assert resumed.step == 5
    resumed.train()
    assert [row["step"] for row in read_json_lines(tmp_path / "metrics.jsonl")] == [4, 8, 12]


def test_a_damaged_newest_checkpoint_is_said(tmp_path, capsys):
    make_run(tmp_path, 10).train()
    victim = max((tmp_path / "checkpoints" / "00000010").rglob("*"), key=lambda p: p.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    assert make_run(tmp_path, 12).step == 5
    said = capsys.readouterr().out
    assert "step 10 is damaged" in said
    assert "5 steps are lost" in said


def test_divergence_stops_and_names_the_last_good_checkpoint(tmp_path):
    make_run(tmp_path, 5).train()
    run = make_run(tmp_path, 12, train__divergence_limit=1e-3)
    with pytest.raises(TrainingDiverged, match=r"diverged at step 6 .*step 5 in") as error:
        run.train()
    assert "\n" not in str(error.value)
    assert make_run(tmp_path, 12).step == 5


def test_rollback_gives_up_after_so_many(tmp_path):
    run = make_run(
        tmp_path,
        train__divergence_limit=1e-3,
        train__on_divergence="rollback",
        train__max_rollbacks=2,
    )
    with pytest.raises(TrainingDiverged, match="gave up after 2 rollbacks"):
        run.train()
    assert (
        read_json_lines(tmp_path / "checkpoints" / "rollbacks.jsonl")
        == [{"diverged_at": 1, "back_to": 0}] * 2
    )


def test_a_rollback_takes_another_course_from_the_checkpoint(whole, tmp_path):
    # A learning rate that makes the parameters overflow at once, then a sane one: the run goes
    # back to step 5 and on to the end with another key than the undisturbed run's.
    make_run(tmp_path, 5, model__labels="conditional").train()
    broken = make_run(
        tmp_path,
        12,
        model__labels="conditional",
        train__divergence_limit=1e-3,
        train__on_divergence="rollback",
        train__max_rollbacks=1,
    )
    with pytest.raises(TrainingDiverged, match="gave up after 1 rollbacks"):
        broken.train()
    state = host_copy(make_run(tmp_path, 12, model__labels="conditional").train())
    assert int(state.step) == 12
    difference = largest_difference(state.generator.params, whole[1].generator.params)
    assert 0 < difference < 1


def test_parameters_that_are_not_finite_are_never_saved(tmp_path):
    run = make_run(tmp_path, 6, train__learning_rate=1e38)
    with pytest.raises(TrainingDiverged):
        run.train()
    for folder in (tmp_path / "checkpoints").glob("0*"):
        assert folder.name == "00000000"


def test_the_best_checkpoint_by_the_score_is_kept(tmp_path):
    drawn = []

    def score(draw):
        images = draw(np.array([0, 1, 2, 2]))
        drawn.append(images)
        return {"kid_mean": float(len(drawn) != 2), "recall_k5": 0.5}

    run = make_run(
        tmp_path,
        12,
        score=score,
        score_every=3,
        model__labels="conditional",
        train__keep_last=1,
        train__checkpoint_every=100,
    )
    run.train()
    assert sorted(p.name for p in (tmp_path / "checkpoints").glob("0*")) == ["00000006", "00000012"]
    assert [row.get("kid_mean") for row in read_json_lines(tmp_path / "metrics.jsonl")] == [
        1.0, None, 0.0, None, 1.0, 1.0,
    ]  # fmt: skip
    assert drawn[0].shape == (4, 8, 8, 1)
    assert drawn[0].dtype == np.uint8


def test_a_run_may_be_asked_for_fewer_steps_than_it_has_made(tmp_path, capsys):
    make_run(tmp_path, 6).train()
    assert make_run(tmp_path, 4).train() is not None
    assert "finished at step 6: nothing to do" in capsys.readouterr().out
    (tmp_path / "checkpoints" / "finished").unlink()
    assert int(host_copy(make_run(tmp_path, 4).train()).step) == 6
