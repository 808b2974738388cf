"""Draft."""

from configs import base


def get_config():
    """Chest films."""
    config = base.get_config()
    config.data.source = "covid_chestxray"
    config.model.labels = "per_class"
    return config
