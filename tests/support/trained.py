"""What runs of training left behind, compared."""

from pathlib import Path

import jax
import numpy as np
import pytest

from gaug_jax.files import read_json_lines
from gaug_jax.training.checkpoints import Checkpoints, _checkpointer


def arrays_of(workdir, step):
    """Returns the arrays of a checkpoint by their paths."""
    path = Checkpoints(Path(workdir) / "checkpoints").path(step)
    with _checkpointer() as checkpointer:
        state = checkpointer.restore(path / "state")
    return {jax.tree_util.keystr(k): np.asarray(v) for k, v in
            jax.tree_util.tree_flatten_with_path(state)[0]}  # fmt: skip


def assert_same_beginning(one, two):
    """Checks that two runs of a few steps, with a checkpoint of each, are the same.

    Sums over devices come in another order: the gradients of the first step are alike to a
    part in 100,000 of the largest, the losses after the last to 0.001.
    """
    first_one, first_two = (arrays_of(folder, 1) for folder in (one, two))
    assert first_one.keys() == first_two.keys()
    moments = [name for name in first_one if "'mu'" in name]
    assert len(moments) == 8
    for name in moments:
        scale = np.abs(first_one[name]).max()
        np.testing.assert_allclose(
            first_one[name], first_two[name], rtol=0, atol=1e-5 * scale + 1e-9
        )
    rows = [read_json_lines(Path(folder) / "metrics.jsonl") for folder in (one, two)]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]]
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        assert rows[0][-1][name] == pytest.approx(rows[1][-1][name], abs=1e-3)
