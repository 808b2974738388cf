"""Everything that the paper's two tables need: objectives, and studies of both data sets.

python -m launch.run --sweep=launch/sweeps/paper.py --root=runs/paper
python -m launch.collect --root=runs/paper
python -m launch.collect --root=runs/paper --figures=accuracy,auroc
"""

from collections.abc import Callable

from launch.sweeps import objectives

PAPER = {
    **objectives.PAPER,
    "xray-study real": "AUROC 0.86",
    "xray-study classical": "AUROC 0.89",
    "xray-study gan": "AUROC 0.93",
    "bangla-study real": "accuracy 89.2%",
    "bangla-study classical": "accuracy 91.8%",
    "bangla-study gan": "accuracy 94.7%",
}


def sweep(add: Callable[..., None]) -> None:
    """Adds the objectives, and the two studies."""
    objectives.sweep(add)
    add("xray-study", config="configs/xray_study.py", command="classify")
    add("bangla-study", config="configs/bangla_numerals_study.py", command="classify")
