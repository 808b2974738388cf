"""The downstream study on handwritten Bangla numerals, sized for 2 CPU cores.

    python -m gaug_jax.classify --config=configs/bangla_numerals_study.py \\
        --config.data.path=cmaterdb --workdir=runs/bangla_numerals_study

At the pictures' own 32x32, 10 to 100 numerals of each kind, the publisher's test part. The
generator is one for all numerals, with differentiable augmentation and a larger learning rate than
the presets': with 20 a class a classifier of 5,000 real numerals found the wanted numeral in 79% of
its images, where 2e-4 gave 31%. Chosen without the test part, on training images that 20 a class
leave unused: 8,000 steps instead of 3,000 took the arm gan from 81.9% to 84.2% (real 81.7%), while
gan+classical came no further than classical (95.4% and 95.4% after 1,500 steps). The endpoint is at
10 a class, since an earlier trial had seen a gain there.

Measured (`auto` took linear_map; 58 minutes with other work beside it): at 10 a class real has
92.5%, classical 94.2%, gan+classical 93.6%; gan+classical minus the best arm without a GAN +0.0
points (-1.9 to +2.0), not told apart (docs/results.md).
"""

from ml_collections import ConfigDict

from configs import bangla_numerals


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns the study."""
    config = bangla_numerals.get_config(recipe)
    config.data.image_size = 32
    config.data.num_folds = 5
    config.data.train_size_per_class = True
    config.model.width = 32
    config.train.steps = 5000
    config.train.ema_half_life = 20_000
    config.train.sample_every = 2500
    config.train.checkpoint_every = 2500
    config.classify.train_sizes = (10, 20, 50, 100)
    config.classify.endpoint_size = 10
    config.classify.ratios = (0.5, 1.0)
    config.classify.filters = ("none", "agreement")
    config.classify.generator_seeds = (0, 1)
    config.classify.width = 16
    config.classify.batch_size = 32
    config.classify.paper = (
        ("real", "accuracy", 0.892),
        ("classical", "accuracy", 0.918),
        ("gan", "accuracy", 0.947),
    )
    return config
