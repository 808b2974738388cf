"""The demo: from scikit-learn's digits to a report, in minutes on 2 CPU cores.

    python -m gaug_jax.study --config=configs/digits_study.py --workdir=runs/digits_study

Ten digits of each kind to train classifiers and their generators on; the generator that is shown
first sees the whole training part.
"""

from ml_collections import ConfigDict

from configs import digits, recipes


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns the study."""
    config = recipes.use(digits.get_config(), recipe)
    config.train.steps = 2500
    config.train.sample_every = 250
    config.train.checkpoint_every = 500
    config.train.keep_last = 5
    config.embed.num_images = 360
    config.classify.train_sizes = (100,)
    config.classify.endpoint_size = 100
    config.classify.arms = ("real", "classical", "mixup", "gan", "gan+classical", "synthetic_only")
    config.classify.ratios = (0.5, 1.0)
    config.classify.generator_seeds = (0, 1)
    config.classify.seeds = (0, 1, 2, 3)
    config.classify.candidates = ("linear", "linear_map", "cnn")
    config.classify.width = 16
    config.classify.steps = 300
    config.classify.step_widenings = 0
    config.classify.batch_size = 32
    return config
