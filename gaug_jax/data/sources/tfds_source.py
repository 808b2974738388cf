"""Any image classification data set of TFDS: `tfds:<name>` or `tfds:<name>/<config>`."""

import difflib
import functools
from typing import Any

import numpy as np

from gaug_jax.data.paths import listed
from gaug_jax.data.record import Record, SourceData
from gaug_jax.data.tfds.access import data_source, download, random_access
from gaug_jax.errors import UserError, in_short
from gaug_jax.settings import DataSettings

_PARTS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


def read(settings: DataSettings, name: str, url: str | None = None) -> SourceData:
    """Returns every split of a data set; `train`, `validation` and `test` are its parts.

    `data.path` is TFDS's data folder, where it is not the usual one. `data.label` and
    `data.group` name features; the label's default is the data set's own.

    Args:
      settings: of the data.
      name: of the data set.
      url: what is downloaded, where that is known.

    Raises:
      UserError: the data set is not known, could not be downloaded, or is none of images
        with a class each.
    """
    builder = _builder(settings, name)
    download(builder, url)
    image, label = _features(builder, settings)
    records, skipped = [], []
    for split in sorted(builder.info.splits):
        if split not in _PARTS:
            skipped.append(split)
            continue
        for index, example in enumerate(data_source(builder, split, (image,))):
            records.append(
                Record(
                    name=f"{split}/{index:06d}",
                    picture=_picture(example[image]),
                    label=_text(example[label], builder.info.features[label]),
                    group=_group(example, settings.group, builder),
                    part=_PARTS[split] if len(builder.info.splits) > 1 else None,
                )
            )
    if not records:
        raise UserError(
            f"tfds:{name} has the splits {listed(skipped)}, none of {listed(tuple(_PARTS))}: "
            "choose another data set"
        )
    notes = (f"splits that are not read: {listed(skipped)}",) if skipped else ()
    licence = builder.info.redistribution_info.license or None
    return SourceData(
        f"tfds:{name}", str(builder.version), tuple(records), notes=notes, licence=licence
    )


def _builder(settings: DataSettings, name: str) -> Any:
    """Returns the builder of a name, to be prepared as array_record where it is not yet."""
    import tensorflow_datasets as tfds

    import gaug_jax.data.tfds.builders  # noqa: F401  (registers the project's own)

    try:
        return random_access(functools.partial(tfds.builder, name, data_dir=settings.path))
    except tfds.core.DatasetNotFoundError:
        close = difflib.get_close_matches(name, tfds.list_builders(), n=1)
        hint = f" (did you mean 'tfds:{close[0]}'?)" if close else ""
        raise UserError(
            f"config.data.source='tfds:{name}' is not known to TFDS{hint}: choose one of "
            "tfds.list_builders()"
        ) from None
    except ValueError as error:
        reason = in_short(error)
        raise UserError(f"config.data.source='tfds:{name}' cannot be had: {reason}") from None


def _features(builder: Any, settings: DataSettings) -> tuple[str, str]:
    """Returns the names of the image and label features, and checks that of the group."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    if not isinstance(features, tfds.features.FeaturesDict):
        features = {}
    images = [name for name in features if isinstance(features[name], tfds.features.Image)]
    if len(images) != 1:
        raise UserError(
            f"config.data.source={settings.source!r} has {len(images)} image features: choose a "
            "data set of one image with a class each"
        )
    keys = builder.info.supervised_keys
    label = settings.label or (keys[1] if keys and len(keys) == 2 else "label")
    for field, feature in (("label", label), ("group", settings.group)):
        if feature is not None and (feature not in features or features[feature].shape != ()):
            choices = [name for name in features if features[name].shape == ()]
            raise UserError(
                f"config.data.{field}={feature!r} is no single value of {settings.source}: choose "
                f"one of {listed(choices)}"
            )
    return images[0], label


def _picture(value: Any) -> bytes | np.ndarray:
    """Returns an encoded picture, or the array where TFDS keeps pictures raw."""
    return value if isinstance(value, np.ndarray) and value.ndim == 3 else bytes(value)


def _group(example: dict[str, Any], name: str | None, builder: Any) -> str | None:
    """Returns the group of an example, or None."""
    return _text(example[name], builder.info.features[name]) or None if name else None


def _text(value: Any, feature: Any) -> str:
    """Returns a class's name, or another single value as text."""
    if hasattr(feature, "int2str"):
        return feature.int2str(int(value))
    value = value.item() if isinstance(value, np.generic) else value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
