"""What `data_manifest.json` says: every image, every count, and all that was left out."""

import collections
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Int32, Shaped

from gaug_jax.data.duplicates import LEAST_CORRELATION, MOST_BITS, Duplicates
from gaug_jax.data.licences import name_of
from gaug_jax.data.load import LoadedData
from gaug_jax.data.paths import listed
from gaug_jax.data.record import Record
from gaug_jax.data.splits import PARTS, TEST, TRAIN, UNUSED, VALIDATION
from gaug_jax.settings import DataSettings

_MOST_LICENCES = 12
_NOT_READABLE = "not readable"


@dataclasses.dataclass(frozen=True)
class UsedImages:
    """The images that are used, as the manifest lists them.

    Attributes:
      records: where each came from.
      labels: class of each.
      groups: group of each, after duplicates joined them.
      parts: part of each.
      class_names: in the order of the labels.
      class_changes: sizes of the classes `dropped` and `merged`.
      duplicates: among them.
      official: whether the publisher's test part is kept.
    """

    records: list[Record]
    labels: Int32[np.ndarray, " images"]
    groups: Int32[np.ndarray, " images"]
    parts: Shaped[np.ndarray, " images"]
    class_names: tuple[str, ...]
    class_changes: dict[str, dict[str, int]]
    duplicates: Duplicates
    official: bool

    @property
    def groups_known(self) -> bool:
        """Whether the source says of every image whose it is."""
        return all(record.group is not None for record in self.records)

    def name(self, index: int) -> str:
        """Returns the name of an image."""
        return self.records[index].name

    def beside_test(self) -> Int[np.ndarray, " dropped"]:
        """Returns the images left out because they share a group with an official test image."""
        test = self.groups[self.parts == TEST]
        dropped = (self.parts == UNUSED) & np.isin(self.groups, test)
        return np.flatnonzero(dropped) if self.official else np.zeros(0, np.int64)


def make_manifest(
    settings: DataSettings,
    loaded: LoadedData,
    used: UsedImages,
) -> dict[str, Any]:
    """Returns the manifest as plain lists and dictionaries.

    Args:
      settings: of the data.
      loaded: the data set before it was split.
      used: the images that are used.
    """
    data, rows = loaded.source, _rows(used)
    return {
        "source": data.source,
        "source_version": data.version,
        "licence": data.licence,
        "options": dataclasses.asdict(settings),
        "class_names": list(used.class_names),
        "class_changes": used.class_changes,
        "counts": _counts(used),
        "num_images": len(rows),
        "num_groups": len(np.unique(used.groups)),
        "groups_known": used.groups_known,
        "num_unknown_groups": sum(record.group is None for record in used.records),
        "official_test": used.official,
        "duplicates": _duplicates(used),
        "dropped_beside_test": [used.name(index) for index in used.beside_test()],
        "missing": list(data.missing),
        "left_out_by_licence": list(loaded.left_out),
        "unreadable": dict(loaded.unreadable),
        "pictures": loaded.pictures,
        "reading": data.reading,
        "notes": [*data.notes, *_of_parts(settings, used)],
        "manifest_sha256": _content_hash(settings, used, rows),
        "rows": rows,
    }


def _of_parts(settings: DataSettings, used: UsedImages) -> list[str]:
    """Returns a line where parts that were published, but for a test part, are not kept."""
    published = sorted({record.part for record in used.records if record.part is not None})
    if not settings.official_test or not published:
        return []
    if not used.official:
        return [
            f"parts as published ({listed(published)}) are not kept, as there is no test part "
            "among them: images are divided anew"
        ]
    if VALIDATION in published and settings.num_folds:
        return [
            "the published validation part is divided anew together with the training part: "
            "--config.data.num_folds=0 keeps it"
        ]
    return []


def _rows(used: UsedImages) -> list[dict[str, Any]]:
    """Returns a row for each image."""
    columns = (used.records, used.labels, used.groups, used.parts, used.duplicates.sha256)
    return [
        {
            "name": record.name,
            "label": used.class_names[label],
            "group": int(group),
            "source_group": record.group,
            "part": str(part),
            "sha256": sha256,
            "licence": record.licence,
            "metadata": record.metadata,
        }
        for record, label, group, part, sha256 in zip(*columns, strict=True)
    ]


def _counts(used: UsedImages) -> dict[str, dict[str, int]]:
    """Returns the number of images of each part and class."""
    size = len(used.class_names)
    counts = {}
    for part in PARTS:
        numbers = np.bincount(used.labels[used.parts == part], minlength=size).tolist()
        counts[part] = dict(zip(used.class_names, numbers, strict=True))
    return counts


def _duplicates(used: UsedImages) -> dict[str, Any]:
    """Returns the pairs found, and the source's groups that they join."""
    joined: dict[int, dict[str, None]] = {}
    for group, record in zip(used.groups.tolist(), used.records, strict=True):
        if record.group is not None:
            joined.setdefault(group, {})[record.group] = None
    pairs = {"exact": used.duplicates.exact, "near": used.duplicates.near}
    return {
        "most_hash_bits": MOST_BITS,
        "least_correlation": LEAST_CORRELATION,
        **{
            kind: [[used.name(left), used.name(right)] for left, right in found.tolist()]
            for kind, found in pairs.items()
        },
        "joined_groups": [list(names) for names in joined.values() if len(names) > 1],
        "exact_in_two_classes": [
            [used.name(left), used.name(right)]
            for left, right in used.duplicates.exact.tolist()
            if used.labels[left] != used.labels[right]
        ],
    }


def _content_hash(settings: DataSettings, used: UsedImages, rows: list[dict[str, Any]]) -> str:
    """Returns the SHA-256 of what training sees: pixels and labels, in their order.

    Neither paths nor names count: the same images elsewhere have the same hash.
    """
    deciding = {
        "class_names": used.class_names,
        "image_size": settings.image_size,
        "channels": settings.channels,
        **{
            part: [[row["sha256"], row["label"]] for row in rows if row["part"] == part]
            for part in (TRAIN, VALIDATION)
        },
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def parts_sha256(manifest: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of all that a study looks at: its parts with their labels and groups.

    Args:
      manifest: `data_manifest.json`.
    """
    rows = [
        [row["part"], row["sha256"], row["label"], row["group"]]
        for row in manifest["rows"]
        if row["part"] != UNUSED
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def licence_counts(manifest: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Returns how many images have each licence, the commonest first and rare ones together."""
    names = [name_of(row["licence"], manifest["licence"]) for row in manifest["rows"]]
    ordered = collections.Counter(names).most_common()
    rest = ordered[_MOST_LICENCES:]
    if len(rest) > 1:
        ordered = ordered[:_MOST_LICENCES]
        ordered.append((f"{len(rest)} others", sum(count for _, count in rest)))
    return ordered


def report_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Returns what the user should know of the data, a line each."""
    reading = manifest.get("reading")  # Which manifests of before have not.
    lines = [*([reading] if reading else []), *manifest["notes"]]
    for what, names in (
        ("absent", manifest["missing"]),
        (_NOT_READABLE, list(manifest["unreadable"])),
        ("left out by their licences", manifest["left_out_by_licence"]),
        ("dropped from training beside official test images", manifest["dropped_beside_test"]),
    ):
        if names:
            why = manifest["unreadable"].get(names[0]) if what == _NOT_READABLE else None
            reason = f" (the first: {why})" if why else ""
            lines.append(f"{len(names)} pictures {what}: {listed(names)}{reason}")
    for change, sizes in manifest["class_changes"].items():
        if sizes:
            text = [f"{name} ({size})" for name, size in sizes.items()]
            lines.append(f"{len(sizes)} small classes {change}: {listed(text)}")
    duplicates = manifest["duplicates"]
    if duplicates["exact"] or duplicates["near"]:
        lines.append(
            f"{len(duplicates['exact'])} pairs of exact and {len(duplicates['near'])} of near "
            "duplicates: both images of a pair are in one part, and count as one where groups are "
            "not known"
        )
        if duplicates["joined_groups"]:
            lines.append(
                f"duplicates join groups {len(duplicates['joined_groups'])} times: each time they "
                "count as one"
            )
    contradictions = [" = ".join(pair) for pair in duplicates.get("exact_in_two_classes", [])]
    if contradictions:
        lines.append(
            f"{len(contradictions)} pictures are in two classes, and one of the labels is wrong: "
            f"{listed(contradictions)}"
        )
    if not manifest["groups_known"]:
        unknown, total = manifest["num_unknown_groups"], manifest["num_images"]
        lines.append(
            f"groups are not known for {unknown} of {total} images: these are split by image"
        )
    return lines
