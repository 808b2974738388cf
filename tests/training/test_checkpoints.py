"""Checkpoints: bit-exact, verified, pruned, and safe from a full disk."""

import subprocess
import sys
import textwrap

import jax
import numpy as np
import pytest
from support.settings_for_tests import host_copy, largest_difference, small_spec

from gaug_jax.errors import UserError
from gaug_jax.gan.state import new_state
from gaug_jax.training.checkpoints import Checkpoints, DamagedCheckpoint


@pytest.fixture(scope="module")
def state():
    return host_copy(new_state(jax.random.key(0), small_spec(model__labels="conditional")))


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", keep_last=2, keep_best=1)


def save(checkpoints, step, state, **metadata):
    checkpoints.save(step, state, metadata)
    checkpoints.wait()


def test_a_state_comes_back_bit_for_bit(checkpoints, state):
    save(checkpoints, 3, state, class_names=["a"])
    template = jax.eval_shape(lambda: state)
    restored, metadata = checkpoints.read(3, template)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for before, after in zip(jax.tree.leaves(state), jax.tree.leaves(restored), strict=True):
        assert np.asarray(after).dtype == before.dtype
        np.testing.assert_array_equal(before, after)
    assert metadata == {"step": 3, "class_names": ["a"]}


def test_the_latest_and_the_best_are_kept(checkpoints, state):
    for step, score in [(1, 0.5), (2, 0.1), (3, 0.3), (4, None), (5, 0.2)]:
        save(checkpoints, step, state, **({} if score is None else {"kid_mean": score}))
    assert checkpoints.steps() == [2, 4, 5]


def test_without_scores_only_the_latest_are_kept(checkpoints, state):
    for step in range(1, 6):
        save(checkpoints, step, state)
    assert checkpoints.steps() == [4, 5]


def every_file(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_one_flipped_byte_in_any_file_is_found(checkpoints, state):
    save(checkpoints, 1, state)
    template = jax.eval_shape(lambda: state)
    for path in every_file(checkpoints.path(1)):
        whole = path.read_bytes()
        damaged = bytearray(whole)
        damaged[len(damaged) // 2] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(DamagedCheckpoint):
            checkpoints.read(1, template)
        path.unlink()
        with pytest.raises(DamagedCheckpoint):
            checkpoints.read(1, template)
        path.write_bytes(whole)
    checkpoints.read(1, template)


def test_the_one_before_a_damaged_checkpoint_is_used(checkpoints, state):
    save(checkpoints, 1, state)
    save(checkpoints, 2, state._replace(step=np.array(2, np.int32)))
    victim = max(every_file(checkpoints.path(2)), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-1])
    restored, metadata, damaged = checkpoints.read_latest(lambda: jax.eval_shape(lambda: state))
    assert (metadata["step"], damaged) == (1, [2])
    assert largest_difference(restored, state) == 0.0
    checkpoints.set_aside(damaged)
    assert checkpoints.steps() == [1]


def test_nothing_but_damaged_checkpoints_is_an_error(checkpoints, state):
    save(checkpoints, 1, state)
    (checkpoints.path(1) / "metadata.json").write_text("{}")
    with pytest.raises(UserError, match="every checkpoint .* is damaged"):
        checkpoints.read_latest(lambda: jax.eval_shape(lambda: state))


def test_no_checkpoint_is_none(checkpoints, state):
    assert checkpoints.read_latest(lambda: jax.eval_shape(lambda: state)) is None


def test_other_shapes_are_refused(checkpoints, state):
    save(checkpoints, 1, state)
    wider = small_spec(model__labels="conditional", model__width=8)
    other = jax.eval_shape(lambda: new_state(jax.random.key(0), wider))
    with pytest.raises(DamagedCheckpoint, match="other shapes"):
        checkpoints.read(1, other)


def test_a_half_written_checkpoint_is_not_seen(checkpoints, state):
    save(checkpoints, 1, state)
    (checkpoints.path(1).parent / ".00000002.tmp" / "state").mkdir(parents=True)
    assert checkpoints.steps() == [1]
    save(checkpoints, 2, state)
    assert checkpoints.steps() == [1, 2]


def test_other_files_in_the_folder_are_no_checkpoints(checkpoints, state):
    save(checkpoints, 1, state)
    folder = checkpoints.path(1).parent
    (folder / "00000007").write_text("a file")
    (folder / "12").mkdir()
    (folder / "notes").mkdir()
    assert checkpoints.steps() == [1]


def test_a_full_disk_leaves_the_older_checkpoint(tmp_path):
    # A limit on the size of files is the one full disk that needs no privileges: the write
    # itself fails in the operating system. In a process of its own, since it cannot be undone.
    script = textwrap.dedent(
        f"""
        import resource, signal, sys
        import numpy as np
        from pathlib import Path
        from gaug_jax.errors import UserError
        from gaug_jax.training.checkpoints import Checkpoints

        random = np.random.default_rng(0)
        template = {{"a": np.zeros((500, 500))}}
        state = {{"a": random.normal(size=(500, 500))}}
        checkpoints = Checkpoints(Path({str(tmp_path)!r}), keep_last=2)
        checkpoints.save(1, state, {{}})
        checkpoints.wait()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        checkpoints.save(2, state, {{}})
        try:
            checkpoints.wait()
        except UserError as error:
            print(error)
        print(checkpoints.steps())
        restored, metadata, damaged = checkpoints.read_latest(lambda: template)
        print(metadata["step"], damaged, np.array_equal(restored["a"], state["a"]))
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    lines = result.stdout.splitlines()
    assert len(lines) == 3, result.stderr
    assert "the checkpoint of step 1 is whole: free space" in lines[0]
    assert lines[1:] == ["[1]", "1 [] True"]
    assert [path.name for path in tmp_path.iterdir()] == ["00000001"]
