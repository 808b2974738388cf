"""Chest films by the paper's plain recipe: spectral norm and gradient penalty, nothing else.

    python -m gaug_jax.main --config=configs/xray_paper.py --workdir=runs/xray_paper

What `configs/xray.py` is measured against (docs/small_data).
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a generator for each class at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "covid_chestxray"
    config.model.labels = "per_class"
    config.objective.preset = "spectral_norm_gp"
    config.train.ema_half_life = 0
    return config
