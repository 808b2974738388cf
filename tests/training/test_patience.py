"""When training ends by itself: by hand, and in small runs."""

import json
import os
import shutil
import signal

import pytest
from support.settings_for_tests import host_copy, largest_difference, make_run

from gaug_jax.files import read_json_lines
from gaug_jax.training.interrupts import Interrupted
from gaug_jax.training.loop import TrainingDiverged
from gaug_jax.training.patience import Standing, reason_to_stop, standing


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], (None, 0)),
        ([3.0], (1, 0)),
        ([3.0, 2.0, 1.0], (3, 0)),
        ([3.0, 2.0, 2.5, 2.1], (2, 2)),
        # A tie is no improvement.
        ([3.0, 2.0, 2.0], (2, 1)),
        # What could not be computed is neither better nor worse.
        ([None, None], (None, 0)),
        ([None, 2.0, None, 3.0, None], (2, 1)),
        ([float("nan"), 2.0, float("nan"), 1.0, float("inf")], (4, 0)),
        # KID is unbiased: it may be negative.
        ([0.0, -0.1, -0.2, 0.0], (3, 1)),
        # An improvement after a long time begins anew.
        ([2.0, 3.0, 3.0, 1.0, 3.0], (4, 1)),
    ],
)
def test_the_standing_of_scores(scores, expected):
    assert standing(enumerate(scores, 1)) == Standing(*expected)


def rows_of(*scores):
    """Rows of every tenth step; every second of them has no score."""
    rows = []
    for number, score in enumerate(scores, 1):
        rows.append({"step": 20 * number - 10, "d_loss": 1.0})
        rows.append({"step": 20 * number, "d_loss": 1.0, "kid_mean": score})
    return rows


def test_a_run_ends_after_so_many_scores_without_a_better_one():
    rows = rows_of(3.0, 2.0, None, 2.5, 2.0)
    assert reason_to_stop(rows, 100, 3) is None
    assert reason_to_stop(rows, 100, 2) == (
        "kid_mean has not improved for 2 evaluations, the best was at step 40"
    )
    assert reason_to_stop(rows, 100, 0) is None
    assert reason_to_stop([], 0, 1) is None


def test_rows_after_the_step_do_not_count():
    rows = rows_of(3.0, 2.0, 2.5, 2.5)
    assert reason_to_stop(rows, 80, 2)
    assert reason_to_stop(rows, 79, 2) is None


def patient_run(path, kid_mean, total_steps=20, patience=2, **overrides):
    """Returns a run that is scored every two steps, by a function of the step."""
    made = []

    def score(draw):
        return {"kid_mean": kid_mean(made[0].step)}

    overrides |= {"train__patience": patience, "evaluate__every": 2}
    made.append(make_run(path, total_steps, score, score_every=2, **overrides))
    return made[0]


# The score is best at step 4 and, as it was not computed at step 6, ends the run at step 10.
KID_MEANS = {2: 3.0, 4: 1.0, 6: None, 8: 1.0, 10: 2.0}
WHY = "kid_mean has not improved for 2 evaluations, the best was at step 4"


def finished(path):
    return json.loads((path / "checkpoints" / "finished").read_text())


def scored_steps(path):
    rows = read_json_lines(path / "metrics.jsonl")
    return [row["step"] for row in rows if "kid_mean" in row]


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A run that ended by itself at step 10 of 20, and its state."""
    path = tmp_path_factory.mktemp("patient")
    return path, host_copy(patient_run(path, KID_MEANS.get).train())


def test_training_ends_where_the_score_no_longer_improves(patient, tmp_path, capsys):
    path, state = patient
    assert int(state.step) == 10
    assert finished(path) == {"step": 10, "reason": WHY}
    assert scored_steps(path) == [2, 4, 6, 8, 10]
    # The last state has its grid and its checkpoint, and the best one is kept.
    assert (path / "samples" / "step_00000010.png").exists()
    assert {"00000004", "00000010"} <= {p.name for p in (path / "checkpoints").glob("0*")}
    # It computed what a run of so many steps computes.
    straight = make_run(tmp_path, 10).train()
    assert largest_difference(host_copy(straight), state) == 0.0
    assert finished(tmp_path) == {"step": 10, "reason": "every step was made"}


def test_a_run_that_ended_by_itself_says_so_once_and_returns_at_once(patient, tmp_path, capsys):
    shutil.copytree(patient[0], tmp_path / "W")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "W").rglob("*") if p.is_file()}
    again = patient_run(tmp_path / "W", KID_MEANS.get).train()
    assert largest_difference(host_copy(again), patient[1]) == 0.0
    said = capsys.readouterr().out
    assert f"training is finished at step 10 ({WHY}): nothing to do\n" in said
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "W").rglob("*") if p.is_file()} == before
    # Killed before it could say that it is finished: it takes no further step.
    (tmp_path / "W" / "checkpoints" / "finished").unlink()
    patient_run(tmp_path / "W", KID_MEANS.get).train()
    assert f"trained to step 10 ({WHY}): see" in capsys.readouterr().out
    assert finished(tmp_path / "W") == {"step": 10, "reason": WHY}
    assert scored_steps(tmp_path / "W") == [2, 4, 6, 8, 10]


def test_more_patience_goes_on(patient, tmp_path):
    shutil.copytree(patient[0], tmp_path / "W")
    patient_run(tmp_path / "W", lambda step: float(step), patience=3).train()
    assert finished(tmp_path / "W")["step"] == 12
    patient_run(tmp_path / "W", lambda step: float(step), 14, patience=0).train()
    assert finished(tmp_path / "W") == {"step": 14, "reason": "every step was made"}


@pytest.mark.parametrize("stopped_at", [4, 8])
def test_a_run_that_was_stopped_ends_by_itself_at_the_same_step(patient, tmp_path, stopped_at):
    def interrupted(step):
        if step == stopped_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return KID_MEANS[step]

    with pytest.raises(Interrupted):
        patient_run(tmp_path, interrupted).train()
    resumed = patient_run(tmp_path, KID_MEANS.get)
    assert resumed.step == stopped_at
    assert largest_difference(host_copy(resumed.train()), patient[1]) == 0.0
    assert finished(tmp_path) == {"step": 10, "reason": WHY}


def test_a_score_whose_checkpoint_was_lost_is_not_counted(patient, tmp_path):
    # Killed after the row of step 8 and before its checkpoint: the row is made anew.
    shutil.copytree(patient[0], tmp_path / "W")
    for lost in ("00000008", "00000010", "finished"):
        path = tmp_path / "W" / "checkpoints" / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    resumed = patient_run(tmp_path / "W", KID_MEANS.get)
    assert resumed.step == 6
    assert largest_difference(host_copy(resumed.train()), patient[1]) == 0.0
    assert finished(tmp_path / "W") == {"step": 10, "reason": WHY}


def test_scores_before_a_rollback_are_not_counted(tmp_path):
    def flat(step):
        return 1.0

    options = {"patience": 3, "train__on_divergence": "rollback", "train__max_rollbacks": 1}
    patient_run(tmp_path, flat, 6, **options).train()
    broken = patient_run(tmp_path, flat, train__divergence_limit=1e-3, **options)
    # The checkpoint of step 6 breaks meanwhile, so that the run goes back to step 4.
    (tmp_path / "checkpoints" / "00000006" / "sha256.json").write_text("{}")
    with pytest.raises(TrainingDiverged, match="gave up after 1 rollbacks"):
        broken.train()
    assert scored_steps(tmp_path) == [2, 4]
    patient_run(tmp_path, flat, **options).train()
    # One score waited at step 4, so two more; with the lost one it would have been step 6.
    assert finished(tmp_path)["step"] == 8
