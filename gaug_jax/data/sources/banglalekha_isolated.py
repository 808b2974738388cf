"""BanglaLekha-Isolated, from a copy on disk or through TFDS."""

from gaug_jax.data.paths import existing_folder, listed
from gaug_jax.data.publishers import banglalekha_isolated as publisher
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings


def read(settings: DataSettings) -> SourceData:
    """Returns the characters of `data.path`, or of the archive that TFDS was given.

    Raises:
      UserError: the layout is another one, `data.filename_pattern` is no pattern with a
        group `form`, or without `data.path` the archive has to be fetched by hand.
    """
    if settings.path is not None:
        pattern = settings.filename_pattern or publisher.FILENAME_PATTERN
        records, stray = publisher.characters(existing_folder(settings.path), pattern)
    elif settings.filename_pattern is not None:
        raise UserError(
            "config.data.filename_pattern needs config.data.path: without it names are read by "
            "the publisher's scheme"
        )
    else:
        from gaug_jax.data.tfds import reading

        records, stray = reading.read_banglalekha_isolated(), []
    notes = _notes(records, stray)
    return SourceData(
        publisher.NAME, publisher.VERSION, tuple(records), notes=notes, licence=publisher.LICENCE
    )


def _notes(records: list[Record], stray: list[str]) -> tuple[str, ...]:
    """Returns lines on names that do not say whose they are and on other files."""
    notes = []
    unmatched = [record.name for record in records if record.group is None]
    if unmatched:
        notes.append(
            f"the form cannot be read from {len(unmatched)} of {len(records)} names, their groups "
            f"are not known (config.data.filename_pattern): {listed(unmatched, 5)}"
        )
    if stray:
        notes.append(f"{len(stray)} not read, no picture of Images/1 .. 84: {listed(stray)}")
    return tuple(notes)
