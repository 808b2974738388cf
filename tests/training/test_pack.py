"""Runs that make their steps together are the ones that are made apart."""

import dataclasses
import functools
import threading

import jax
import numpy as np
import pytest
from support.settings_for_tests import (
    host_copy,
    largest_difference,
    small_feed,
    small_plan,
    small_settings,
    small_spec,
)

from gaug_jax.files import read_json_lines
from gaug_jax.training import parallel
from gaug_jax.training.interrupts import StopRequest
from gaug_jax.training.loop import Run
from gaug_jax.training.pack import Pack
from gaug_jax.workfolder import WorkFolder


def in_threads(work, arguments, seconds):
    """Calls `work` with each of the arguments at once, and waits for all."""
    threads = [threading.Thread(target=work, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)


def test_a_pack_makes_one_call_of_all_that_are_present():
    sizes = []

    def double(calls):
        sizes.append(len(calls))
        return [2 * value for (value,) in calls]

    pack = Pack(double, 3)
    found = {number: [] for number in range(3)}

    def work(number):
        for turn in range(number + 1):
            found[number].append(pack.call(number, 10 * number + turn))
        pack.leave()

    in_threads(work, [(number,) for number in range(3)], 20)
    assert found == {0: [0], 1: [20, 22], 2: [40, 42, 44]}
    assert sizes == [3, 2, 1]


def test_an_error_of_the_program_reaches_every_run():
    def broken(calls):
        raise ValueError("no memory")

    pack = Pack(broken, 2)
    seen = []

    def work(number):
        try:
            pack.call(number)
        except ValueError as error:
            seen.append(str(error))
        finally:
            pack.leave()

    in_threads(work, [(number,) for number in range(2)], 20)
    assert seen == ["no memory"] * 2


def run_of(path, seed, steps=None, total=3, **overrides):
    settings = small_settings(**overrides)
    spec = small_spec(settings)
    plan = small_plan(settings, spec, total)
    plan = dataclasses.replace(plan, seed=seed)
    return Run(WorkFolder(path), spec, small_feed(spec, jax.devices(), seed), plan, None, steps)


def packed(tmp_path, seeds, total, **overrides):
    spec = small_spec(small_settings(**overrides))
    program = parallel.make_run_packed_steps(spec, small_feed(spec, jax.devices()), 1e6)
    pack = Pack(program, len(seeds))
    runs = [
        run_of(
            tmp_path / f"packed-{seed}",
            seed,
            functools.partial(pack.call, number),
            total,
            **overrides,
        )
        for number, seed in enumerate(seeds)
    ]
    states = {}

    def work(seed, run):
        try:
            states[seed] = host_copy(run.train(StopRequest()))
        finally:
            pack.leave()

    in_threads(work, zip(seeds, runs, strict=True), 300)
    return states


@pytest.mark.parametrize(
    "overrides",
    [
        {"objective__preset": "minimax"},
        pytest.param({"objective__preset": "wgan_gp"}, marks=pytest.mark.slow),
        pytest.param(
            {"objective__preset": "spectral_norm", "model__labels": "per_class"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {
                "objective__preset": "spectral_norm",
                "objective__r1": 1.0,
                "augment__policy": "cutout",
            },
            marks=pytest.mark.slow,
        ),
    ],
    ids=["minimax", "wgan_gp", "per_class", "r1"],
)  # fmt: skip
def test_packed_runs_are_the_ones_apart(tmp_path, overrides):
    # One step: from the second on, the order of sums tells through Adam's normalisation.
    seeds = (0, 3)
    together = packed(tmp_path, seeds, total=1, **overrides)
    for seed in seeds:
        alone = run_of(tmp_path / f"apart-{seed}", seed, total=1, **overrides)
        expected = host_copy(alone.train())
        moments = 0
        for (path, one), other in zip(
            jax.tree_util.tree_flatten_with_path(expected)[0],
            jax.tree.leaves(together[seed]), strict=True,
        ):  # fmt: skip
            if "mu" in jax.tree_util.keystr(path):
                moments += 1
                scale = np.abs(one).max()
                np.testing.assert_allclose(other, one, rtol=0, atol=1e-5 * scale + 1e-9)
        assert moments >= 7
        rows = [
            read_json_lines(tmp_path / f"{kind}-{seed}" / "metrics.jsonl")
            for kind in ("packed", "apart")
        ]
        for name in ("d_loss", "g_loss", "d_real", "d_fake"):
            assert rows[0][-1][name] == pytest.approx(rows[1][-1][name], abs=1e-4)
    assert largest_difference(*(together[seed].generator.params for seed in seeds)) > 1e-3
