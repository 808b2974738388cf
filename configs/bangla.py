"""Handwritten Bangla characters: the 84 classes of BanglaLekha-Isolated.

    python -m gaug_jax.main --config=configs/bangla.py \\
        --config.data.path=BanglaLekha-Isolated --workdir=runs/bangla
"""

from ml_collections import ConfigDict

from configs import bangla_numerals


def get_config() -> ConfigDict:
    """Returns the numerals' config with the 84 characters in their place."""
    config = bangla_numerals.get_config()
    config.data.source = "banglalekha_isolated"
    return config
