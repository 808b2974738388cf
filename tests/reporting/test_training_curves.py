"""The picture of a run's losses and scores."""

import numpy as np
from PIL import Image

from gaug_jax.files import append_json_line
from gaug_jax.reporting.training_curves import write_training_curves
from gaug_jax.workfolder import WorkFolder


def drawn(path, rows):
    folder = WorkFolder(path)
    for row in rows:
        append_json_line(folder.metrics, row)
    write_training_curves(folder)
    return np.asarray(Image.open(folder.training_curves).convert("L"))


def test_the_curves_show_the_rows(tmp_path):
    row = {"step": 1, "epoch": 0.5, "d_loss": 1.0, "g_loss": 2.0, "d_real": 3.0, "d_fake": -3.0}
    rows = [row, {**row, "step": 2, "epoch": 1.0, "d_loss": 5.0}]
    picture = drawn(tmp_path / "a", rows)
    assert picture.shape == (330, 990)
    assert (picture < 128).any()
    np.testing.assert_array_equal(picture, drawn(tmp_path / "b", rows))
    # Each of the four figures is in it.
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        changed = [row, {**rows[1], name: rows[1][name] + 0.5}]
        assert (picture != drawn(tmp_path / name, changed)).any()
