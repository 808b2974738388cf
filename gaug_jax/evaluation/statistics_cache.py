"""Features of real images, kept between runs.

An entry's name is the SHA-256 of all that decides its content: the extractor with its
resizing and weights, the images, and the versions that compute them. An entry that is
damaged is made anew.
"""

import hashlib
import json
import logging
import zipfile
import zlib
from pathlib import Path

import jax
import numpy as np

from gaug_jax import processes
from gaug_jax.evaluation.features import Extracted, Extractor, extract_together
from gaug_jax.evaluation.image_sets import ImageSet
from gaug_jax.files import atomic_file
from gaug_jax.user_cache import user_cache_folder

# Raise it when the same key would give other features.
_VERSION = 1
_LOG = logging.getLogger(__name__)


def cached_extract(extractor: Extractor, images: ImageSet) -> Extracted:
    """Returns the features of a set, from the cache where they are there.

    Every process of a run must call it.

    Raises:
      UserError: as of `extract`.
    """
    if not extractor.cacheable:
        return extract_together(extractor, images)
    path = cache_entry(extractor, images)
    cached = _read(path, len(images))
    if processes.everyone(cached is not None):
        _LOG.info("reusing the features of %s", images.name)
        return cached
    made = extract_together(extractor, images)
    if processes.is_writer():
        _write(path, made)
    return made


def cache_entry(extractor: Extractor, images: ImageSet) -> Path:
    """Returns the path of the entry."""
    deciding = {
        "version": _VERSION,
        "images": images.sha256,
        "shape": images.shape,
        "platform": jax.default_backend(),
        "jax": jax.__version__,
        **extractor.identity,
    }
    key = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
    return user_cache_folder() / "features" / f"{key}.npz"


def _read(path: Path, count: int) -> Extracted | None:
    """Returns an entry, or None where it is absent or damaged (its CRCs are checked)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if all(array.ndim == 2 and len(array) == count for array in arrays.values()):
            return Extracted(arrays["features"], arrays.get("logits"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        pass
    _LOG.warning("the cached features %s are damaged and are made anew", path)
    return None


def _write(path: Path, made: Extracted) -> None:
    """Writes an entry, whole or not at all; a folder that cannot be written is said."""
    arrays = {"features": made.features}
    if made.logits is not None:
        arrays["logits"] = made.logits
    try:
        with atomic_file(path) as file:
            np.savez(file, **arrays)
    except OSError as error:
        _LOG.warning("%s could not be written (%s): features are not kept", path, error.strerror)
