"""How much generated to how many real images: the paper's ablation of ratios.

    python -m launch.run --sweep=launch/sweeps/ratios.py --root=runs/ratios
    python -m launch.collect --root=runs/ratios --figures=accuracy,macro_f1,auroc

Each run is a downstream study with one generator seed.
"""

from collections.abc import Callable
from typing import Any

STUDIES = {"xray": "configs/xray_study.py", "bangla": "configs/bangla_numerals_study.py"}


def add_studies(add: Callable[..., None], name: str, fields: dict[str, Any]) -> None:
    """Adds a study of each data set and generator seed, with the fields."""
    arms = ("real", "gan", "gan+classical")
    for data, config in STUDIES.items():
        for seed in (0, 1, 2):
            own = {"classify.arms": arms, "classify.generator_seeds": (seed,)}
            add(f"{data}-{name}-{seed}", config=config, command="classify", **fields, **own)


def sweep(add: Callable[..., None]) -> None:
    """Adds studies with all ratios in them."""
    fields = {"classify.ratios": (0.25, 0.5, 1.0, 2.0, 4.0), "classify.filters": ("none",)}
    add_studies(add, "ratios", fields)
