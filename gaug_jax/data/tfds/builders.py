"""The project's own TFDS data sets; importing this registers them.

    import gaug_jax.data.tfds.builders
    tfds.builder("covid_chestxray").download_and_prepare(file_format="array_record")

Importing TFDS takes seconds: the rest of the project imports this where it reads them.
"""

from gaug_jax.data.tfds.banglalekha_isolated import BanglalekhaIsolated
from gaug_jax.data.tfds.covid_chestxray import CovidChestxray

__all__ = ["BanglalekhaIsolated", "CovidChestxray"]
