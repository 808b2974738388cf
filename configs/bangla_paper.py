"""Bangla numerals by the paper's plain recipe: spectral norm and gradient penalty, nothing else.

    python -m gaug_jax.main --config=configs/bangla_paper.py --workdir=runs/bangla_paper

What `configs/bangla_numerals.py` is measured against (docs/small_data).
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns one generator of all numerals at 64x64."""
    config = base.get_config()
    config.data.source = "cmaterdb"
    config.model.labels = "conditional"
    config.objective.preset = "spectral_norm_gp"
    config.train.ema_half_life = 0
    return config
