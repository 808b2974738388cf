"""Preparing the project's TFDS data sets, and reading them back as records."""

from pathlib import Path

from gaug_jax.data.publishers import banglalekha_isolated, covid_chestxray
from gaug_jax.data.record import Record
from gaug_jax.data.tfds.access import data_source, download, random_access
from gaug_jax.data.tfds.banglalekha_isolated import BanglalekhaIsolated
from gaug_jax.data.tfds.covid_chestxray import CovidChestxray
from gaug_jax.data.tfds.examples import record_of
from gaug_jax.errors import UserError


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
    publisher = banglalekha_isolated
    builder = random_access(BanglalekhaIsolated)
    manual = Path(builder.data_dir_root) / "downloads" / "manual"
    if not builder.is_prepared() and not (manual / publisher.ARCHIVE).is_file():
        raise UserError(
            f"{publisher.NAME} is downloaded by hand: fetch {publisher.ARCHIVE} from "
            f"{publisher.HOMEPAGE}, unpack it and set --config.data.path to the folder that holds "
            f"Images/, or put it into {manual}"
        )
    download(builder, None)
    records = _records(builder, publisher.CLASSES)
    return sorted(records, key=lambda record: (int(record.label), record.name))


def _records(builder: object, classes: tuple[str, ...]) -> list[Record]:
    """Returns the records of the only split, by name."""
    examples = data_source(builder, "train", ("image",))
    return sorted((record_of(e, classes) for e in examples), key=lambda record: record.name)
