"""A folder of your own images, `<class>/*.png` (or jpg, tif, ...).

    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine

Needs a folder for each class below my_images. Each class has a generator of its own, since a
conditional one may ignore its labels (configs/bangla_numerals.py has figures).
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a generator for each class at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "folder"
    config.model.labels = "per_class"
    config.objective.preset = "spectral_norm"
    return config
