"""Handwritten Bangla numerals: CMATERdb 3.1.1.

    python -m gaug_jax.main --config=configs/bangla_numerals.py --workdir=runs/bangla_numerals

Needs the two .npz files: a download, or --config.data.path with a folder that holds them.

docs/small_data holds what this recipe was measured against.
"""

from ml_collections import ConfigDict

from configs import bangla_paper, few_images


def get_config() -> ConfigDict:
    """Returns one generator of all numerals at 64x64."""
    return few_images.use(bangla_paper.get_config())
