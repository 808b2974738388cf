"""A folder of pictures in folders of classes, and perhaps of patients or of published parts."""

import re

from gaug_jax.data.dicom.records import with_dicom_facts
from gaug_jax.data.layout import AUTO, CLASS, Placed, Tree, read_tree
from gaug_jax.data.pages import with_pages
from gaug_jax.data.paths import PICTURE_SUFFIXES, compiled, existing_folder, listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.sources import imagefolder
from gaug_jax.errors import UserError
from gaug_jax.settings import DataSettings

_VERSION = "1"


def read(settings: DataSettings) -> SourceData:
    """Returns the pictures of `data.path`, sorted by name.

    What their folders say is found, or is what `data.layout` says (`gaug_jax.data.layout`).
    A `metadata.csv` as of Hugging Face's imagefolder says labels where it has a column of them, and
    else what is kept of each picture (`gaug_jax.data.sources.imagefolder`). `data.group` is a
    pattern searched in a picture's name, `<class>/<file>` where folders are of classes alone, and
    wins over a folder's group. What is left out is named in the notes.

    Raises:
      UserError: there is no path, no class folder or no picture, the layout is not clear or fits
        nothing, or `data.group` matches no name.
    """
    if settings.path is None:
        raise UserError("config.data.path is not set: source folder needs <path>/<class>/*.png")
    root = existing_folder(settings.path)
    metadata = imagefolder.find_metadata(root)
    if metadata is not None and imagefolder.has_labels(metadata, settings):
        return imagefolder.read(root, metadata, settings)
    pattern = compiled("data.group", settings.group, "group") if settings.group else None
    known = metadata.tables if metadata else ()
    tree = _tree(settings, read_tree(root, settings.layout or AUTO, known=known))
    records = tuple(_record(each, pattern) for each in tree.pictures)
    unmatched = [record.name for record in records if pattern and record.group is None]
    if len(unmatched) == len(records):
        raise UserError(
            f"config.data.group={settings.group!r} matches none of {len(records)} names "
            f"({listed(unmatched, 3)}): mend it, or leave it out where groups are not known"
        )
    # Patients of DICOM before pages, which make a file a group where nothing else does.
    records, of_dicom = with_dicom_facts(records)
    records, of_metadata = imagefolder.with_metadata(records, root, metadata, settings)
    records = with_pages(records, settings.pages)
    notes = (*tree.notes, *_notes(unmatched), *of_dicom, *of_metadata)
    return SourceData("folder", _VERSION, records, notes=notes, reading=tree.words())


def _tree(settings: DataSettings, tree: Tree) -> Tree:
    """Returns a tree that has pictures in folders of classes.

    Raises:
      UserError: it has none.
    """
    if tree.pictures and CLASS in tree.levels:
        return tree
    found = f" (found {'; '.join(tree.notes)})" if tree.notes else ""
    if tree.pictures:
        found = f" (found {listed([each.name for each in tree.pictures], 5)} in none)"
    kinds = ", ".join(sorted(PICTURE_SUFFIXES))
    raise UserError(
        f"config.data.path={settings.path!r} holds no pictures of classes: put them into a folder "
        f"for each class, <path>/<class>/*.png, as {kinds}{found}"
    )


def _record(placed: Placed, pattern: re.Pattern[str] | None) -> Record:
    """Returns the record of a picture."""
    match = pattern.search(placed.name) if pattern else None
    group = match["group"] if match else None
    if pattern is None:
        group = placed.group
    return Record(placed.name, placed.path, label=placed.label, group=group, part=placed.part)


def _notes(unmatched: list[str]) -> tuple[str, ...]:
    """Returns a line on names that did not match."""
    if not unmatched:
        return ()
    return (
        f"config.data.group matches nothing in {len(unmatched)} names, their groups are not known: "
        f"{listed(unmatched)}",
    )
