"""The runs of a study, and the rows that are theirs."""

import dataclasses

from support.settings_for_tests import study

from gaug_jax.downstream.arms import FLOOR
from gaug_jax.downstream.plan import ArmRun, planned_rows, planned_runs

STUDY = study(
    arms=("real", "gan", "pretrain"), ratios=(0.5, 1.0), filters=("none", "copies"),
    generator_seeds=(0, 1), seeds=(0, 1),
)  # fmt: skip


def row_of(run, split=0, classifier_seed=0, **more):
    return {**run._asdict(), "train_size": 50, "split": split,
            "classifier_seed": classifier_seed, **more}  # fmt: skip


def test_every_combination_is_planned_once():
    runs = list(planned_runs(STUDY))
    assert len(runs) == len(set(runs)) == 1 + len(FLOOR) + 2 * 2 * 2 + 2
    assert runs[0] == ArmRun("real", 0.0, "none", None)
    assert ArmRun("gan", 0.5, "copies", 1) in runs
    assert [run for run in runs if run.arm == "pretrain"] == [
        ArmRun("pretrain", 1.0, "none", 0), ArmRun("pretrain", 1.0, "none", 1),
    ]  # fmt: skip


def test_every_study_has_its_floor_and_begins_with_what_needs_no_generator():
    asked = dataclasses.replace(STUDY, arms=("gan", "real", "pretrain"))
    runs = list(planned_runs(asked))
    assert [run.arm for run in runs[:3]] == ["real", *FLOOR]
    assert all(run.gan_seed is not None for run in runs[3:])
    assert set(runs) == set(planned_runs(STUDY))
    named = dataclasses.replace(STUDY, arms=("pixels", *STUDY.arms))
    assert sorted(map(str, planned_runs(named))) == sorted(map(str, runs))


def test_other_regions_are_planned_for_real_images_and_the_endpoints_arm():
    asked = dataclasses.replace(STUDY, regions=("whole", "border"))
    assert set(planned_runs(asked)) - set(planned_runs(STUDY)) == {
        ArmRun("real", 0.0, "none", None, "border"),
        ArmRun("gan", 1.0, "none", 0, "border"), ArmRun("gan", 1.0, "none", 1, "border"),
    }  # fmt: skip


def test_a_row_is_of_its_run_alone():
    run = ArmRun("gan", 0.5, "copies", 1)
    assert run.is_of(row_of(run))
    assert not run.is_of(row_of(run._replace(ratio=1.0)))
    assert not run.is_of(row_of(run._replace(region="middle")))
    # A row of before there were regions.
    assert run.is_of({name: value for name, value in row_of(run).items() if name != "region"})


def test_of_two_rows_of_a_fit_the_last_counts():
    run = ArmRun("gan", 0.5, "copies", 1)
    rows = [row_of(run, accuracy=0.1), row_of(run, classifier_seed=1), row_of(run, accuracy=0.2)]
    found = planned_rows(rows, STUDY)
    assert len(found) == 2 and found[0]["accuracy"] == 0.2


def test_rows_of_what_is_no_longer_planned_are_left_out():
    runs = list(planned_runs(STUDY))
    rows = [row_of(run, split, seed) for run in runs for split in (0, 1) for seed in (0, 1)]
    assert planned_rows(rows, STUDY) == rows
    others = [
        row_of(ArmRun("gan", 2.0, "none", 0)), row_of(ArmRun("gan", 1.0, "density", 0)),
        row_of(ArmRun("gan", 1.0, "none", 7)), row_of(ArmRun("mixup", 0.0, "none", None)),
        row_of(runs[0], split=4), row_of(runs[0], classifier_seed=9),
        {**row_of(runs[0]), "train_size": 60},
    ]  # fmt: skip
    assert planned_rows(others + rows, STUDY) == rows
