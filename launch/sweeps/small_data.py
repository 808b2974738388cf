"""The ablation of recipes for few images, as `benchmarks.small_data` has it.

    python -m launch.run --sweep=launch/sweeps/small_data.py --root=runs/small_data
    python -m launch.collect --root=runs/small_data

Unlike there, each run is measured by a classifier of its own training part against the test part.
"""

import re
from collections.abc import Callable

from launch.recipes import RECIPES
from launch.sweeps.objectives import SMALL


def sweep(add: Callable[..., None]) -> None:
    """Adds every data set, recipe, training size and seed."""
    for data in ("xray", "bangla"):
        for recipe, changes in RECIPES.items():
            name = re.sub(r"\W+", "_", recipe).strip("_")
            for size in (100, 250, None):
                fields = SMALL if size is None else {**SMALL, "data.train_size": size}
                for seed in (0, 1, 2):
                    add(
                        f"{data}-{name}-of-{size or 'all'}-{seed}",
                        config=f"configs/{data}_paper.py",
                        evaluate="classifier",
                        **fields,
                        **changes,
                        seed=seed,
                    )
