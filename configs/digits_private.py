"""Digits by a generator with a privacy guarantee: DP-SGD of the discriminator.

    python -m gaug_jax.main --config=configs/digits_private.py --workdir=runs/digits_private

Needs nothing but `pip install -e ".[private]"`. Training ends when `objective.epsilon` is spent.
"""

from ml_collections import ConfigDict

from configs import digits


def get_config() -> ConfigDict:
    """Returns a small conditional generator at 16x16, with large batches and much noise."""
    config = digits.get_config()
    config.data.image_size = 16
    config.model.width = 16
    config.objective.private = True
    config.objective.loss = "hinge"
    config.objective.noise_multiplier = 2.0
    config.objective.epsilon = 10.0
    config.train.steps = 2000
    config.train.batch_size = 128
    config.train.learning_rate = 1e-3
    config.train.beta1 = 0.0
    config.train.log_every = 50
    config.train.sample_every = 500
    config.train.checkpoint_every = 500
    config.classify.arms = ("real", "synthetic_only")
    config.classify.endpoint_arm = "synthetic_only"
    config.classify.train_sizes = (0,)
    config.classify.endpoint_size = 0
    config.classify.ratios = (1.0,)
    config.classify.generator_seeds = (0, 1)
    config.classify.seeds = (0, 1)
    config.classify.width = 16
    config.classify.steps = 300
    return config
