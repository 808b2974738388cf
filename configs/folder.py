"""A folder of your own images, `<class>/*.png` (or jpg, tif, ...).

    python -m gaug_jax.main --config=configs/folder.py --config.data.path=my_images \\
        --workdir=runs/mine
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a conditional generator at 64x64."""
    config = base.get_config()
    config.data.source = "folder"
    config.model.labels = "conditional"
    config.objective.preset = "spectral_norm"
    return config
