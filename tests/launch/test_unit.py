"""What one process makes of a sweep: which runs share a unit, and the state of a unit."""

import itertools

import pytest

from launch.root import DONE, FAILED, RUNNING, WAITING, Root
from launch.sweep import SweepRun
from launch.unit import Unit, units_of

OVERRIDES = {"model.width": 4, "train.steps": 2}


def run(name, seed=0, config="a.py", command="main", evaluate=None, **overrides):
    return SweepRun(name, config, command, {**OVERRIDES, **overrides, "seed": seed}, evaluate)


def names(units):
    return [unit.name for unit in units]


def test_runs_that_differ_in_their_seeds_share_a_unit_up_to_so_many():
    runs = [run(f"r-{seed}", seed) for seed in range(5)]
    assert names(units_of(runs, 8)) == ["r-0,r-1,r-2,r-3,r-4"]
    assert names(units_of(runs, 2)) == ["r-0,r-1", "r-2,r-3", "r-4"]
    assert names(units_of(runs, 1)) == ["r-0", "r-1", "r-2", "r-3", "r-4"]


@pytest.mark.parametrize(
    "other",
    [
        run("other", 1, config="b.py"),
        run("other", 1, evaluate="pixels"),
        run("other", 1, **{"model.width": 8}),
        run("other", 1, **{"data.fold": 1}),
        run("other", 1, command="classify"),
    ],
    ids=["config", "evaluate", "value", "field", "command"],
)
def test_what_differs_in_more_is_made_apart(other):
    runs = [run("r-0", 0), other, run("r-1", 1)]
    assert names(units_of(runs, 8)) == ["r-0,r-1", "other"]


def test_a_run_without_a_seed_shares_with_those_that_have_one():
    without = SweepRun("r", "a.py", "main", dict(OVERRIDES))
    assert names(units_of([without, run("r-1", 1)], 8)) == ["r,r-1"]


def test_the_order_of_overrides_does_not_matter():
    turned = SweepRun("r-1", "a.py", "main", {"seed": 1, **dict(reversed(OVERRIDES.items()))})
    assert names(units_of([run("r-0"), turned], 8)) == ["r-0,r-1"]


@pytest.mark.parametrize("command", ["classify", "study"])
def test_only_trainings_can_be_one_program(command):
    runs = [run(f"r-{seed}", seed, command=command) for seed in range(3)]
    assert names(units_of(runs, 8)) == ["r-0", "r-1", "r-2"]


@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_every_run_is_in_one_unit(most):
    runs = [
        run(f"{width}-{seed}", seed, **{"model.width": width})
        for seed in range(3)
        for width in (4, 8, 16)
    ]
    units = units_of(runs, most)
    assert sorted(names(units_of([each for unit in units for each in unit.runs], 1))) == sorted(
        each.name for each in runs
    )
    for unit in units:
        assert 1 <= len(unit.runs) <= most
        assert len({each.overrides["model.width"] for each in unit.runs}) == 1


def test_a_units_state_is_of_those_that_are_not_done(tmp_path):
    root = Root(tmp_path)
    runs = {state: run(state) for state in (WAITING, RUNNING, FAILED, DONE)}
    for state, each in runs.items():
        root.write_record(each.name, {"state": state, "failures": 0})
    with root.held(RUNNING):
        for size in (1, 2, 3, 4):
            # In this order the first that there is counts.
            for chosen in itertools.combinations(runs, size):
                assert Unit(tuple(runs[state] for state in chosen)).state(root) == chosen[0]
