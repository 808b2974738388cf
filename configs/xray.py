"""Chest films: the COVID-19 Image Data Collection, COVID-19 against the rest.

python -m gaug_jax.main --config=configs/xray.py --workdir=runs/xray
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a generator for each class at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "covid_chestxray"
    config.model.labels = "per_class"
    config.objective.preset = "spectral_norm"
    return config
