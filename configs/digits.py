"""Draft."""

from configs import base


def get_config():
    """The demo."""
    config = base.get_config()
    config.data.image_size = 32
    config.model.width = 32
    config.model.labels = "conditional"
    config.train.epochs = 60
    return config
