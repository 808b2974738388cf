"""A folder of pictures for each class: `<class>/*.png`."""

import re

from gaug_jax.data.sources.paths import compiled, existing_folder, is_picture, listed
from gaug_jax.data.sources.record import Record, SourceData
from gaug_jax.settings import DataSettings, UserError

_VERSION = "1"


def read(settings: DataSettings) -> SourceData:
    """Returns the pictures directly under each class's folder, sorted by name.

    `data.group` is a pattern searched in the path below `data.path`, written with `/`.
    Files beside the class folders, of other kinds or in deeper folders are named in the
    notes and left out.

    Raises:
      UserError: there is no path, no class folder or no picture, or `data.group` matches no name.
    """
    if settings.path is None:
        raise UserError("config.data.path is not set: source folder needs <path>/<class>/*.png")
    root = existing_folder(settings.path)
    pattern = compiled("data.group", settings.group, "group") if settings.group else None
    records, stray = [], []
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            stray.append(entry.name)
            continue
        for path in sorted(entry.iterdir()):
            name = f"{entry.name}/{path.name}"
            if path.is_file() and is_picture(path):
                match = pattern.search(name) if pattern else None
                group = match["group"] if match else None
                records.append(Record(name, path, label=entry.name, group=group))
            elif not path.name.startswith("."):
                stray.append(name + ("/" if path.is_dir() else ""))
    if not records:
        found = f" (found {listed(stray, 5)})" if stray else ""
        raise UserError(
            f"config.data.path={settings.path!r} holds no pictures: put them into a folder for "
            f"each class, <path>/<class>/*.png{found}"
        )
    return SourceData("folder", _VERSION, tuple(records), notes=_notes(stray, records, pattern))


def _notes(
    stray: list[str], records: list[Record], pattern: re.Pattern[str] | None
) -> tuple[str, ...]:
    """Returns lines on files left out and names that did not match."""
    notes = []
    if stray:
        notes.append(f"{len(stray)} not read, no picture of <class>/: {listed(stray)}")
    unmatched = [record.name for record in records if record.group is None]
    if pattern is not None and len(unmatched) == len(records):
        raise UserError(
            f"config.data.group={pattern.pattern!r} matches none of {len(records)} names "
            f"({listed(unmatched, 3)}): mend it, or leave it out where groups are not known"
        )
    if pattern is not None and unmatched:
        notes.append(
            f"config.data.group matches nothing in {len(unmatched)} names, their groups are "
            f"not known: {listed(unmatched)}"
        )
    return tuple(notes)
