"""Chest films: the COVID-19 Image Data Collection, COVID-19 against the rest.

    python -m gaug_jax.main --config=configs/xray.py --workdir=runs/xray

Needs the collection: a download, or --config.data.path with the folder that holds metadata.csv
and images/ (and --config.data.allow_missing=True where some of its films are absent).

Measured on 2 CPU cores that other work shared: 26 minutes for the 300 epochs (1,796 steps of both
generators). The grid shows lungs, mediastinum and diaphragm, and hints of ribs.
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
