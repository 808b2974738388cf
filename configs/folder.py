"""A folder of your own images, `<class>/*.png` (or jpg, tif, ...).

    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine

Needs a folder for each class below my_images. Each class has a generator of its own, so that no
image is of the wrong one; with many classes, or a few images of each, one conditional generator
(--config.model.labels=conditional) learns from all of them.
"""

from ml_collections import ConfigDict

from configs import base, recipes


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns a generator for each class at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "folder"
    config.model.labels = "per_class"
    return recipes.use(config, recipe)
