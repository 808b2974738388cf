"""Handwritten Bangla numerals: CMATERdb 3.1.1.

python -m gaug_jax.main --config=configs/bangla_numerals.py --workdir=runs/bangla_numerals
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a generator for each numeral at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "cmaterdb"
    config.model.labels = "per_class"
    config.objective.preset = "spectral_norm"
    return config
