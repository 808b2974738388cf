"""The card of a data set: its classes, parts, groups, pictures and licences, as a section."""

from collections.abc import Mapping, Sequence
from typing import Any

from gaug_jax.data.manifest import licence_counts
from gaug_jax.data.splits import PARTS
from gaug_jax.reporting.page import Section, Table
from gaug_jax.reporting.verdict import tested_units


def data_section(manifest: Mapping[str, Any], lines: Sequence[str]) -> Section:
    """Returns the data card.

    Args:
      manifest: `data_manifest.json`.
      lines: what the user should know of the data.
    """
    groups = (
        f"{manifest['num_groups']} groups (patients or writers), none of them in two parts"
        if manifest["groups_known"]
        else f"of {manifest['num_unknown_groups']} of them the group (patient or writer) is not "
        "known: one may be in two parts"
    )
    shown = [[name, str(count)] for name, count in licence_counts(manifest)]
    return Section(
        "data",
        "The data",
        paragraphs=[f"{manifest['source']}: {manifest['num_images']} images, {groups}.", *lines],
        tables=[
            _parts(manifest),
            Table("Pictures as they were found", ["what", "which"], _pictures(manifest)),
            Table("Licences", ["licence", "images"], shown),
        ],
    )


def _parts(manifest: Mapping[str, Any]) -> Table:
    """Returns the numbers of images and of groups of each part."""
    counts = manifest["counts"]
    parts = [part for part in PARTS if any(counts[part].values())]
    rows = [
        [name, *(str(counts[part][name]) for part in parts)] for name in manifest["class_names"]
    ]
    rows.append(["all", *(str(sum(counts[part].values())) for part in parts)])
    groups_of = {part: {row["group"] for row in manifest["rows"] if row["part"] == part}
                 for part in parts}  # fmt: skip
    rows.append([tested_units(manifest), *(str(len(groups_of[part])) for part in parts)])
    return Table("Images of each class and part", ["class", *parts], rows)


def _pictures(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Returns formats, sizes, kinds and grey levels, and what became of them."""
    found, options = manifest["pictures"], manifest["options"]
    kinds = {"coloured": found["num_coloured"], "of 16 bits": found["num_16_bits"],
             "with several pages": found["num_several_pages"]}  # fmt: skip
    least, mean, greatest = found["values"]
    size = options["image_size"]
    used = f"{size}x{size}, " + ("grey" if options["channels"] == 1 else "RGB")
    if options["crop"] != 1:
        used = f"the middle {options['crop']:g} of height and width, {used}"
    return [
        ["formats", ", ".join(f"{name} {count}" for name, count in found["formats"].items())],
        ["sizes", f"{found['num_sizes']} different: {_range('height', found['heights'])}, "
                  f"{_range('width', found['widths'])}"],
        ["kinds", ", ".join(f"{name} {count}" for name, count in kinds.items())],
        ["used as", f"{used}, by {options['resize']}"],
        ["values as used", f"{least} to {greatest} of 0 to 255, {mean:g} on average"],
    ]  # fmt: skip


def _range(name: str, values: Sequence[int]) -> str:
    """Returns the least, the median and the greatest of a side in words."""
    least, median, greatest = values
    return f"{name} {least}" + (f" to {greatest} (median {median})" if least != greatest else "")
