"""A study of your own images, `<class>/*.png`, sized for 2 CPU cores.

    python -m gaug_jax.study --config=configs/folder_study.py --config.data.path=my_images \\
        --workdir=runs/mine

As configs/folder.py at half the width, three generators of 1,500 steps and the arms that decide.
On a GPU, or with a night to spare, take configs/folder.py.

Measured on 244 chest films of two classes: 17 minutes.
"""

from ml_collections import ConfigDict

from configs import folder


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns the study."""
    config = folder.get_config(recipe)
    config.model.width = 32
    config.train.batch_size = 16
    config.train.steps = 1500
    config.train.sample_every = 250
    config.classify.arms = ("real", "classical", "mixup", "gan", "gan+classical", "synthetic_only")
    config.classify.ratios = (1.0,)
    config.classify.generator_seeds = (0, 1, 2)
    config.classify.width = 16
    config.classify.steps = 300
    config.classify.step_widenings = 1
    config.classify.batch_size = 32
    return config
