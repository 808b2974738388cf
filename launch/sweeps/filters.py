"""Which generated images to keep: the paper's ablation of filters.

    python -m launch.run --sweep=launch/sweeps/filters.py --root=runs/filters
    python -m launch.collect --root=runs/filters --figures=accuracy,macro_f1,auroc

Each run is a downstream study with one generator seed.
"""

from collections.abc import Callable

STUDIES = {"xray": "configs/xray_study.py", "bangla": "configs/bangla_numerals_study.py"}


def sweep(add: Callable[..., None]) -> None:
    """Adds a study of each data set and seed, with all filters in it."""
    for data, config in STUDIES.items():
        for seed in (0, 1, 2):
            add(
                f"{data}-filters-{seed}",
                config=config,
                command="classify",
                **{
                    "classify.arms": ("real", "gan", "gan+classical"),
                    "classify.ratios": (1.0,),
                    "classify.filters": (
                        "none",
                        "discriminator",
                        "agreement",
                        "density",
                        "copies",
                    ),
                    "classify.generator_seeds": (seed,),
                },
            )
