"""Which generated images to keep: the paper's ablation of filters.

    python -m launch.run --sweep=launch/sweeps/filters.py --root=runs/filters
    python -m launch.collect --root=runs/filters --figures=accuracy,macro_f1,auroc

Each run is a downstream study with one generator seed.
"""

from collections.abc import Callable

from launch.sweeps.ratios import add_studies


def sweep(add: Callable[..., None]) -> None:
    """Adds studies with all filters in them."""
    filters = ("none", "discriminator", "agreement", "density", "copies")
    add_studies(add, "filters", {"classify.ratios": (1.0,), "classify.filters": filters})
