"""Handwritten Bangla characters: the 84 classes of BanglaLekha-Isolated.

    python -m gaug_jax.main --config=configs/bangla.py \\
        --config.data.path=BanglaLekha-Isolated --workdir=runs/bangla

Needs the archive from data.mendeley.com/datasets/hf6sf8zrkc, unpacked (the folder that holds
Images/). Not measured: the archive was not at hand where this was written.
"""

from ml_collections import ConfigDict

from configs import bangla_numerals


def get_config() -> ConfigDict:
    """Returns one conditional generator of the 84 characters."""
    config = bangla_numerals.get_config()
    config.data.source = "banglalekha_isolated"
    return config
