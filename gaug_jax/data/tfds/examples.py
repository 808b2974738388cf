"""Records as TFDS examples and back: what the project's data sets have in common."""

from collections.abc import Sequence
from typing import Any

import tensorflow_datasets as tfds

from gaug_jax.data.record import Record


def features(classes: Sequence[str], metadata: Sequence[str]) -> tfds.features.FeaturesDict:
    """Returns the features of a data set.

    Pictures keep the publisher's bytes. Text that is not known is empty.

    Args:
      classes: names of the labels.
      metadata: names of the fields of `Record.metadata`.
    """
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=classes),
            "name": tfds.features.Text(),
            "group": tfds.features.Text(),
            "licence": tfds.features.Text(),
            "metadata": tfds.features.FeaturesDict(
                {name: tfds.features.Text() for name in metadata}
            ),
        }
    )


def example_of(record: Record, metadata: Sequence[str]) -> dict[str, Any]:
    """Returns the example of a record whose picture is a file."""
    return {
        "image": record.picture,
        "label": record.label,
        "name": record.name,
        "group": record.group or "",
        "licence": record.licence or "",
        "metadata": {name: record.metadata.get(name, "") for name in metadata},
    }


def record_of(example: dict[str, Any], classes: Sequence[str]) -> Record:
    """Returns the record of an example whose picture was not decoded."""
    metadata = {name: value.decode() for name, value in example["metadata"].items()}
    return Record(
        name=example["name"].decode(),
        picture=bytes(example["image"]),
        label=classes[int(example["label"])],
        group=example["group"].decode() or None,
        metadata=metadata,
        licence=example["licence"].decode() or None,
    )
