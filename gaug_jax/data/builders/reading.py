"""Preparing the project's TFDS data sets, and reading them back as records."""

from pathlib import Path

from gaug_jax.data.builders.banglalekha_isolated import BanglalekhaIsolated
from gaug_jax.data.builders.covid_chestxray import CovidChestxray
from gaug_jax.data.builders.examples import record_of
from gaug_jax.data.sources import banglalekha_isolated, covid_chestxray
from gaug_jax.data.sources.record import Record
from gaug_jax.data.sources.tfds_source import data_source, download, random_access
from gaug_jax.settings import UserError


def read_covid_chestxray() -> tuple[list[Record], list[str]]:
    """Returns the films by name and the names of those that the archive lacks.

    Raises:
      UserError: the download failed.
    """
    builder = random_access(CovidChestxray)
    download(builder, builder.url)
    return _records(builder, covid_chestxray.COVID_CLASSES), list(builder.info.metadata["missing"])


def read_banglalekha_isolated() -> list[Record]:
    """Returns the characters by class and file name.

    Raises:
      UserError: the archive has to be fetched by hand first.
    """
    source = banglalekha_isolated
    builder = random_access(BanglalekhaIsolated)
    manual = Path(builder.data_dir_root) / "downloads" / "manual"
    if not builder.is_prepared() and not (manual / source.ARCHIVE).is_file():
        raise UserError(
            f"{source.NAME} is downloaded by hand: fetch {source.ARCHIVE} from {source.HOMEPAGE}, "
            "unpack it and set --config.data.path to the folder that holds Images/, or put it "
            f"into {manual}"
        )
    download(builder, None)
    records = _records(builder, source.CLASSES)
    return sorted(records, key=lambda record: (int(record.label), record.name))


def _records(builder: object, classes: tuple[str, ...]) -> list[Record]:
    """Returns the records of the only split, by name."""
    examples = data_source(builder, "train", ("image",))
    return sorted((record_of(e, classes) for e in examples), key=lambda record: record.name)
