"""Handwritten Bangla numerals: CMATERdb 3.1.1.

    python -m gaug_jax.main --config=configs/bangla_numerals.py --workdir=runs/bangla_numerals

Needs the two .npz files: a download, or --config.data.path with a folder that holds them.

docs/small_data holds what this recipe was measured against: at 250 numerals, 32x32 and width 16,
its KID is a 36th of that of configs/bangla_paper.py. 300 epochs of all 5,400 training images at
this size take hours on 2 CPU cores: the pictures are 32x32 themselves, and there, with
--config.model.width=32 --config.train.steps=5000, four minutes gave legible numerals
(docs/results.md).
"""

from ml_collections import ConfigDict

from configs import bangla_paper, recipes


def get_config(recipe: str = "few_images") -> ConfigDict:
    """Returns one generator of all numerals at 64x64."""
    return recipes.use(bangla_paper.get_config(), recipe)
