"""GAN-based data augmentation where labelled images are scarce.

The functions of `gaug_jax.api` are here by their names (`gaug_jax.load_images`), loaded when one of
them is first used: `import gaug_jax` alone imports nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gaug_jax.api import (
        UserError,
        draw_images,
        evaluate_images,
        load_generator,
        load_images,
        run_study,
        save_generator,
        train_generator,
    )

__all__ = [
    "UserError",
    "draw_images",
    "evaluate_images",
    "load_generator",
    "load_images",
    "run_study",
    "save_generator",
    "train_generator",
]


def __getattr__(name: str) -> Any:
    """Returns a function of the API."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("gaug_jax.api"), name)


def __dir__() -> list[str]:
    """Returns the names of the API beside the module's own."""
    return sorted({*globals(), *__all__})
