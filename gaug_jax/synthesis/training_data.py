"""What is told of the images that a generator learnt from, beside what it draws."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gaug_jax.data.licences import forbids_derivatives, name_of
from gaug_jax.data.manifest import licence_counts
from gaug_jax.data.splits import TRAIN


class TrainingData(NamedTuple):
    """What is told of the images that a generator learnt from.

    Attributes:
      source: as `data.source` calls it.
      version: of the source, where it has one.
      licences: name of each licence and how many images of the source have it, the commonest
        first; None for how many where that is not told.
      forbids_derivatives: whether the licence of a training image does.
      forbidding: names of those training images, where they are told.
      num_images: training images; None where that is not told.
      sha256: of the images, labels and parts; None where it is not told.
    """

    source: str
    version: str | None
    licences: tuple[tuple[str, int | None], ...]
    forbids_derivatives: bool
    forbidding: tuple[str, ...] = ()
    num_images: int | None = None
    sha256: str | None = None

    def in_short(self) -> "TrainingData":
        """Returns it without numbers, hashes and names of images.

        This is what travels with a generator: a hash would tell who has all images but one which
        one that is, and names of files may be those of patients.
        """
        licences = tuple((name, None) for name, _ in self.licences)
        return TrainingData(self.source, self.version, licences, self.forbids_derivatives)


def training_data(manifest: Mapping[str, Any]) -> TrainingData:
    """Returns what a manifest (`data_manifest.json`) says of the training images."""
    rows = [row for row in manifest["rows"] if row["part"] == TRAIN]
    whole = manifest["licence"]
    names = [row["name"] for row in rows if forbids_derivatives(name_of(row["licence"], whole))]
    return TrainingData(
        source=manifest["source"],
        version=manifest.get("source_version"),
        licences=tuple(licence_counts(manifest)),
        forbids_derivatives=bool(names),
        forbidding=tuple(names),
        num_images=sum(manifest["counts"]["train"].values()),
        sha256=manifest["manifest_sha256"],
    )
