"""Draft."""

from configs import base


def get_config():
    """Bangla numerals."""
    config = base.get_config()
    config.data.source = "cmaterdb"
    config.model.labels = "conditional"
    return config
