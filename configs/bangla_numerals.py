"""Handwritten Bangla numerals: CMATERdb 3.1.1.

    python -m gaug_jax.main --config=configs/bangla_numerals.py --workdir=runs/bangla_numerals

Needs the two .npz files: a download, or --config.data.path with a folder that holds them.

Measured on 2 CPU cores that other work shared, at 32x32 and width 32: with the flags of the
README (60 epochs at batch 16) 9 minutes; a nearest-neighbour classifier of the real numerals,
right on 95% of the test part, finds the wanted numeral in 92% of the images. A conditional
generator (50 epochs at batch 32, 8 minutes) reached 27%: it all but ignored its labels, which is
why each numeral has a generator of its own.
"""

from ml_collections import ConfigDict

from configs import base


def get_config() -> ConfigDict:
    """Returns a generator for each numeral at 64x64, trained together."""
    config = base.get_config()
    config.data.source = "cmaterdb"
    config.model.labels = "per_class"
    config.objective.preset = "spectral_norm"
    return config
