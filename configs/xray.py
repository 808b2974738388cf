"""Chest films: the COVID-19 Image Data Collection, COVID-19 against the rest.

    python -m gaug_jax.main --config=configs/xray.py --workdir=runs/xray

Needs the collection: a download, or --config.data.path with the folder that holds metadata.csv
and images/ (and --config.data.allow_missing=True where some of its films are absent).

docs/small_data holds what this recipe was measured against: at 250 films, 32x32 and width 16,
its KID is a hundredth of that of configs/xray_paper.py. 300 epochs at this size take half an hour
or more on 2 CPU cores; configs/xray_study.py has half the width.
"""

from ml_collections import ConfigDict

from configs import recipes, xray_paper


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns a generator for each class at 64x64, trained together."""
    return recipes.use(xray_paper.get_config(), recipe)
