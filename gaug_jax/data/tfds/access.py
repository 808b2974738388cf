"""Data sets of TFDS on this machine: downloaded, prepared and read one example after another."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gaug_jax.errors import UserError, in_short

_SECONDS = 20


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
