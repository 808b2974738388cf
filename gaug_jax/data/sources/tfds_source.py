"""Any image classification data set of TFDS: `tfds:<name>` or `tfds:<name>/<config>`."""

import difflib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gaug_jax.data.sources.paths import listed
from gaug_jax.data.sources.record import Record, SourceData
from gaug_jax.settings import DataSettings, UserError, in_short

_PARTS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
_SECONDS = 20


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

    import gaug_jax.data.builders  # noqa: F401  (registers the project's own)

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


def random_access(make: Callable[..., Any]) -> Any:
    """Returns a builder that reads and writes array_record, or that of a copy in another format.

    Args:
      make: makes the builder, and takes `file_format`.
    """
    try:
        return make(file_format="array_record")
    except ValueError:
        builder = make()
        if not builder.is_prepared():
            raise
        return builder


def download(builder: Any, url: str | None) -> None:
    """Downloads and prepares a data set, unless it is there.

    Args:
      builder: of the data set.
      url: what is downloaded, where that is known: it is asked first, for TFDS tries for
        minutes where there is no network.

    Raises:
      UserError: it could not be downloaded or prepared.
    """
    if builder.is_prepared():
        return
    import requests

    try:
        if url is not None:
            requests.head(url, timeout=_SECONDS, allow_redirects=True)
        builder.download_and_prepare()
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # Any library below TFDS may raise its own.
        reason = in_short(error) or type(error).__name__
        raise UserError(
            f"{builder.name} could not be downloaded from {url or builder.info.homepage} "
            f"({type(error).__name__}: {reason}): check the network, or set config.data.path to a "
            "copy on disk"
        ) from None


def data_source(builder: Any, split: str, images: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yields the examples of a split, with the features `images` as encoded bytes."""
    import tensorflow_datasets as tfds

    decoders = {name: tfds.decode.SkipDecoding() for name in images}
    if builder.info.file_format.value == "array_record":
        source = builder.as_data_source(split, decoders=decoders)
        yield from (source[index] for index in range(len(source)))
    else:  # A copy that was prepared before, in a format without random access.
        yield from tfds.as_numpy(builder.as_dataset(split, decoders=decoders))


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
