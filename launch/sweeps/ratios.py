"""How much generated to how many real images: the paper's ablation of ratios.

    python -m launch.run --sweep=launch/sweeps/ratios.py --root=runs/ratios
    python -m launch.collect --root=runs/ratios --figures=accuracy,macro_f1,auroc

Each run is a downstream study with one generator seed.
"""

from collections.abc import Callable

STUDIES = {"xray": "configs/xray_study.py", "bangla": "configs/bangla_numerals_study.py"}


def sweep(add: Callable[..., None]) -> None:
    """Adds a study of each data set and seed, with all ratios in it."""
    for data, config in STUDIES.items():
        for seed in (0, 1, 2):
            add(
                f"{data}-ratios-{seed}",
                config=config,
                command="classify",
                **{
                    "classify.arms": ("real", "gan", "gan+classical"),
                    "classify.ratios": (0.25, 0.5, 1.0, 2.0, 4.0),
                    "classify.filters": ("none",),
                    "classify.generator_seeds": (seed,),
                },
            )
