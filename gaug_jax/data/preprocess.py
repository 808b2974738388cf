"""Records to square uint8 images of one size, kept in a cache and reused.

An entry's name is the SHA-256 of everything that decides its pixels: the source and its
version, every picture's name and identity (size and time of change of a file, SHA-256 of
bytes and arrays), and every option of the preprocessing.
"""

import concurrent.futures
import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

from gaug_jax.data.cropping import centre, mask_path, read_mask, within_mask
from gaug_jax.data.decoding import OWN, decode_file, enough
from gaug_jax.data.record import Record, SourceData
from gaug_jax.errors import UserError
from gaug_jax.files import atomic_file
from gaug_jax.images import resize_square, to_luminance
from gaug_jax.picture_files import (
    Decoded,
    PictureFacts,
    Window,
    brightest_of_16_bits,
)
from gaug_jax.progress import Progress
from gaug_jax.settings import DataSettings
from gaug_jax.user_cache import user_cache_folder

# Raise it when the same inputs would give other pixels, or an entry has other arrays.
_VERSION = 3
_CHUNK = 256
USED = "used"
_LOG = logging.getLogger(__name__)


class Preprocessed(NamedTuple):
    """The pictures of a source that could be read.

    Attributes:
      images: [0, 255].
      kept: index of each image's record.
      unreadable: name and reason of each picture that could not be read.
      facts: `PictureFacts` of each image's picture.
    """

    images: UInt8[np.ndarray, "images size size channels"]
    kept: np.ndarray
    unreadable: dict[str, str]
    facts: Int64[np.ndarray, "images facts"]


def preprocess(data: SourceData, settings: DataSettings) -> Preprocessed:
    """Returns the images of a source, from the cache where they are there.

    Raises:
      UserError: a file is gone since it was listed.
    """
    path = cache_folder(settings) / f"{cache_key(data, settings)}.npz"
    cached = _read_entry(path, len(data.records))
    if cached is not None:
        _LOG.info("reusing %d preprocessed images of %s", len(cached.images), path)
        return cached
    made = _make(data.records, settings)
    _write_entry(path, made)
    return made


def cache_folder(settings: DataSettings) -> Path:
    """Returns `data.cache_path`, or the user's cache folder."""
    if settings.cache_path:
        return Path(settings.cache_path).expanduser()
    return user_cache_folder()


def cache_key(data: SourceData, settings: DataSettings) -> str:
    """Returns the SHA-256, in hexadecimal digits, of what decides the pixels."""
    digest = hashlib.sha256()
    options = {
        "version": _VERSION,
        "source": data.source,
        "source_version": data.version,
        "image_size": settings.image_size,
        "channels": settings.channels,
        "resize": settings.resize,
    }
    for name, default in (("crop", 1.0), ("window", OWN), ("decode_whole", False)):
        if getattr(settings, name) != default:
            options[name] = getattr(settings, name)
    digest.update(json.dumps(options, sort_keys=True).encode())
    for record in data.records:
        identity = [record.name, _identity(record), *_mask_identity(record, settings)]
        identity += [record.page] if record.page is not None else []
        digest.update(json.dumps(identity).encode())
    return digest.hexdigest()


def _mask_identity(record: Record, settings: DataSettings) -> list[str]:
    """Returns what changes when a picture's mask changes; nothing without masks."""
    if settings.masks is None:
        return []
    try:
        status = mask_path(Path(settings.masks).expanduser(), record.name).stat()
    except UserError:
        return ["none"]
    return [f"{status.st_size} {status.st_mtime_ns}"]


def _identity(record: Record) -> str:
    """Returns what changes when a picture changes."""
    if isinstance(record.picture, Path):
        try:
            status = record.picture.stat()
        except OSError as error:
            raise UserError(
                f"{record.picture} cannot be read any more ({error.strerror}): restore it"
            ) from None
        return f"{status.st_size} {status.st_mtime_ns}"
    if isinstance(record.picture, bytes):
        return hashlib.sha256(record.picture).hexdigest()
    digest = hashlib.sha256(str(record.picture.shape).encode())
    digest.update(np.ascontiguousarray(record.picture))
    return digest.hexdigest()


def _make(records: Iterable[Record], settings: DataSettings) -> Preprocessed:
    """Decodes and resizes every picture, on all cores."""
    records = list(records)
    size, channels = settings.image_size, settings.channels
    images = np.empty((len(records), size, size, channels), np.uint8)
    facts = np.zeros((len(records), len(PictureFacts._fields)), np.int64)
    reasons: dict[int, str] = {}
    window, least_side = _window(records, settings), _least_side(settings)

    def make(index: int) -> None:
        try:
            decoded = _decoded(records[index], channels, window, least_side)
            images[index] = _square(records[index], decoded.pixels, settings)
            facts[index] = decoded.facts
        except UserError as error:
            reasons[index] = str(error)

    progress = Progress("reading pictures", len(records), unit="picture")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(records), _CHUNK):
            chunk = range(start, min(start + _CHUNK, len(records)))
            list(pool.map(make, chunk))
            progress.advance(len(chunk))
    progress.close()
    kept = np.array([index for index in range(len(records)) if index not in reasons], np.int64)
    if reasons:
        images, facts = images[kept], facts[kept]
    unreadable = {records[index].name: reasons[index] for index in sorted(reasons)}
    return Preprocessed(images, kept, unreadable, facts)


def _window(records: list[Record], settings: DataSettings) -> Window:
    """Returns from which values pictures of 16 bits are scaled.

    Raises nothing on a broken picture: whoever decodes it does.
    """
    if settings.window != USED:
        return settings.window
    files = [each for each in records if not isinstance(each.picture, np.ndarray)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda each: brightest_of_16_bits(each.picture, each.page), files)
        brightest = max((each for each in found if each is not None), default=0)
    return 0.0, float(2 ** max(1, brightest.bit_length()) - 1)


def _least_side(settings: DataSettings) -> int | None:
    """Returns at which size pictures may be decoded; None: whole.

    What is cut is cut of the whole: at a reduced size the cut would be at other places.
    """
    whole = settings.decode_whole or settings.masks is not None or settings.crop != 1
    return None if whole else enough(settings.image_size)


def _decoded(record: Record, channels: int, window: Window, least_side: int | None) -> Decoded:
    """Returns one record's picture as it is, and what its file says of it."""
    picture = record.picture
    if not isinstance(picture, np.ndarray):
        return decode_file(
            picture, channels, record.name, window=window, page=record.page, least_side=least_side
        )
    height, width = picture.shape[:2]
    return Decoded(
        _in_channels(picture, channels), PictureFacts(height, width, 8, 255, 1, picture.shape[-1])
    )


def _square(
    record: Record, image: UInt8[np.ndarray, "height width channels"], settings: DataSettings
) -> UInt8[np.ndarray, "size size channels"]:
    """Returns one record's picture in its final form."""
    if settings.masks is not None:
        path = mask_path(Path(settings.masks).expanduser(), record.name)
        try:
            image = within_mask(image, read_mask(path, record.name))
        except ValueError as error:
            raise UserError(f"{record.name}: {error}") from None
    image = centre(image, settings.crop)
    return resize_square(image, settings.image_size, settings.resize)


def _in_channels(image: np.ndarray, channels: int) -> UInt8[np.ndarray, "height width channels"]:
    """Returns luminance or RGB of an array, as `decode_file` does of a file."""
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    return to_luminance(image)


def _read_entry(path: Path, num_records: int) -> Preprocessed | None:
    """Returns a cache entry, or None where it is absent or damaged (its CRCs are checked)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            images, kept, facts = file["images"], file["kept"], file["facts"]
            unreadable = json.loads(file["unreadable"].tobytes())
        if len(images) == len(kept) == len(facts) == num_records - len(unreadable):
            return Preprocessed(images, kept, unreadable, facts)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        pass
    _LOG.warning("the cache entry %s is damaged and is made anew", path)
    return None


def _write_entry(path: Path, made: Preprocessed) -> None:
    """Writes a cache entry, whole or not at all; a folder that cannot be written is said."""
    unreadable = np.frombuffer(json.dumps(made.unreadable).encode(), np.uint8)
    try:
        with atomic_file(path) as file:
            np.savez(
                file, images=made.images, kept=made.kept, unreadable=unreadable, facts=made.facts
            )
    except OSError as error:
        _LOG.warning("%s could not be written (%s): images are not cached", path, error.strerror)
