"""The downstream study on chest films, sized for 2 CPU cores.

    python -m gaug_jax.classify --config=configs/xray_study.py \\
        --config.data.path=covid-chestxray-dataset --config.data.allow_missing=True \\
        --workdir=runs/xray_study

Five splits by patient, all training films of each, a generator for each class at half width. The
films' location is the shortcut that is looked at, beside a classifier that sees borders alone.

Measured with one generator a split, two classifier seeds and the arms real, classical, gan,
gan+classical and synthetic_only: 50 minutes while other work shared the machine. gan+classical
minus real, the best arm without a GAN on validation: AUROC +0.014 (-0.062 to +0.090, without the
classifiers' spread), all arms near chance (docs/results.md).
"""

from ml_collections import ConfigDict

from configs import xray


def get_config() -> ConfigDict:
    """Returns the study."""
    config = xray.get_config()
    config.data.num_folds = 5
    config.model.width = 32
    config.train.batch_size = 16
    config.train.steps = 1500
    config.train.sample_every = 1500
    config.train.checkpoint_every = 1500
    config.classify.generator_seeds = (0, 1)
    config.classify.splits = (0, 1, 2, 3, 4)
    config.classify.arms = (*config.classify.arms, "borders_only")
    config.classify.ratios = (1.0,)
    config.classify.width = 8
    config.classify.steps = 300
    config.classify.batch_size = 32
    config.classify.endpoint = "auroc"
    config.classify.positive_class = "COVID-19"
    config.classify.shortcut = "location"
    config.classify.paper = (
        ("real", "auroc", 0.86),
        ("classical", "auroc", 0.89),
        ("gan", "auroc", 0.93),
        ("real", "sensitivity_at_90_specificity", 0.78),
        ("gan", "sensitivity_at_90_specificity", 0.84),
    )
    return config
