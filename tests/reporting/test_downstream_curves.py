"""The study's pictures: what is on which axis, and when there is one at all."""

import pytest

from gaug_jax.downstream.arms import ARMS
from gaug_jax.reporting import downstream_curves
from gaug_jax.reporting.downstream_curves import learning_figure, write_ratio_curve
from gaug_jax.workfolder import WorkFolder


def estimate(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.05}


def summary(*sizes):
    arms = {
        "real": {"figures": {"macro_f1": estimate(0.6)}},
        "gan": {"figures": {"macro_f1": estimate(0.8)}},
        "mixup": {"figures": {"macro_f1": None}},
    }
    return {"endpoint": "macro_f1", "sizes": {size: {"arms": arms} for size in sizes}}


def test_a_single_training_size_has_an_arm_a_row():
    (axes,) = learning_figure(summary("100")).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["real", "gan"]
    assert axes.get_xlabel() == "macro F1" and not axes.get_ylabel()
    assert axes.yaxis_inverted()  # The first arm is above.
    for row, (bar, value) in enumerate(zip(axes.containers, (0.6, 0.8), strict=True)):
        assert bar.lines[0].get_xydata().tolist() == [[value, row]]
        ends = bar.lines[2][0].get_segments()[0]
        assert ends[:, 0] == pytest.approx([value - 0.1, value + 0.05])


def test_several_training_sizes_are_on_the_x_axis():
    (axes,) = learning_figure(summary("0", "50", "100")).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["50", "100", "all"]
    assert axes.get_xlabel() == "training size" and axes.get_ylabel() == "macro F1"
    assert [bar.get_label() for bar in axes.containers] == ["real", "gan"]


def test_a_single_ratio_has_no_picture(tmp_path):
    folder = WorkFolder(tmp_path)
    folder.downstream.mkdir()
    row = {"arm": "gan", "filter": "none", "train_size": 50, "ratio": 1.0, "accuracy": 0.5}
    write_ratio_curve(folder, [row, {**row, "ratio": 2.0}], "accuracy")
    assert folder.ratio_curve.exists()
    write_ratio_curve(folder, [row, {**row, "filter": "copies"}], "accuracy")
    assert not folder.ratio_curve.exists()


def test_every_arm_of_several_ratios_is_drawn_over_them():
    wanted = {name for name, arm in ARMS.items() if arm.all_ratios}
    assert set(downstream_curves._OVER_RATIOS) == wanted
