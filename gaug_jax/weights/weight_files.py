"""Public weight files: where they are found, how they are fetched, and whether they are right.

A file is looked for at the path given, then where the environment variable says, then
in the caches of this project and of PyTorch; else it is downloaded from its
publisher's release page. Its SHA-256 must be the public one.
"""

import contextlib
import dataclasses
import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from gaug_jax.errors import UserError
from gaug_jax.progress import Progress
from gaug_jax.user_cache import user_cache_folder
from gaug_jax.weights.torch_file import read_tensors

_CHUNK = 1 << 20
_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class WeightFile:
    """A file that its publisher offers.

    Attributes:
      names: under which it is published.
      urls: where.
      sha256: of its bytes.
      num_bytes: its size.
      flag: that names a path to it.
      variable: of the environment, that does so too.
      instead: what can be done without it, as the end of a message.
    """

    names: tuple[str, ...]
    urls: tuple[str, ...]
    sha256: str
    num_bytes: int
    flag: str
    variable: str
    instead: str = ""


INCEPTION = WeightFile(
    names=(
        "pt_inception-2015-12-05-6726825d.pth",
        "weights-inception-2015-12-05-6726825d.pth",
    ),
    urls=(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        "pt_inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
    ),
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    num_bytes=95_628_359,
    flag="--inception_weights",
    variable="GAUG_INCEPTION_WEIGHTS",
    instead="; or measure a work folder with --features=classifier, which needs no download",
)
ALEXNET = WeightFile(
    names=("alexnet-owt-7be5be79.pth",),
    urls=("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",),
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    num_bytes=244_408_911,
    flag="--lpips_weights",
    variable="GAUG_LPIPS_WEIGHTS",
)
LPIPS_LINEAR = WeightFile(
    names=("lpips_v0.1_alex.pth", "alex.pth"),
    urls=(
        "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/"
        "v0.1/alex.pth",
    ),
    sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    num_bytes=6_009,
    flag="--lpips_weights",
    variable="GAUG_LPIPS_WEIGHTS",
)


class Weights(NamedTuple):
    """What a file held.

    Attributes:
      tensors: by name.
      sha256: of the file.
      official: whether it is the published file.
    """

    tensors: dict[str, Shaped[np.ndarray, "..."]]
    sha256: str
    official: bool


def read_weights(
    file: WeightFile,
    path: str | None = None,
    *,
    allow_unofficial: bool = False,
    download: bool = True,
) -> Weights:
    """Returns the tensors of a public weight file.

    Args:
      file: which.
      path: the file, or a folder with it; None looks for it.
      allow_unofficial: take a file with another hash, and say so in the result.
      download: fetch it where it is not found.

    Raises:
      UserError: it is not found and cannot be fetched, it is not the public file, or it
        cannot be read.
    """
    found = _given(file, path) or _cached(file)
    if found is None:
        if not download:
            raise UserError(_how_to_get(file, "it is not on this machine"))
        found = _download(file)
    sha256 = _sha256(found)
    if sha256 != file.sha256 and not allow_unofficial:
        raise UserError(
            f"{found} is not the public {file.names[0]} (its SHA-256 begins {sha256[:8]}, not "
            f"{file.sha256[:8]}): fetch it again, or give --allow_unofficial_weights"
        )
    return Weights(read_tensors(found), sha256, sha256 == file.sha256)


def is_on_this_machine(file: WeightFile, path: str | None = None) -> bool:
    """Says whether a weight file need not be downloaded.

    Args:
      file: which.
      path: the file, or a folder with it; None looks for it.

    Raises:
      UserError: the path given, or that of the environment, does not hold it.
    """
    return (_given(file, path) or _cached(file)) is not None


def _given(file: WeightFile, path: str | None) -> Path | None:
    """Returns the file that the user named, or None where none was named."""
    name = file.flag
    if path is None:
        path, name = os.environ.get(file.variable), file.variable
    if not path:
        return None
    given = Path(path).expanduser()
    if given.is_dir():
        for known in file.names:
            if (given / known).is_file():
                return given / known
        raise UserError(f"{name}={path} holds no {file.names[0]}: put it there")
    if not given.is_file():
        raise UserError(f"{name}={path} does not exist: give the path of {file.names[0]}")
    return given


def _cached(file: WeightFile) -> Path | None:
    """Returns the file in a cache; one that is cut short does not count."""
    torch = Path(os.environ.get("TORCH_HOME") or "~/.cache/torch").expanduser()
    for folder in (_cache_folder(), torch / "hub" / "checkpoints"):
        for name in file.names:
            with contextlib.suppress(OSError):
                if (folder / name).stat().st_size == file.num_bytes:
                    return folder / name
    return None


def _cache_folder() -> Path:
    return user_cache_folder() / "weights"


def _how_to_get(file: WeightFile, reason: str) -> str:
    """Returns the line that says which file to put where."""
    return (
        f"{file.names[0]} is needed and {reason}: download it from {file.urls[0]} and give "
        f"{file.flag}=PATH, or put it into {_cache_folder()}{file.instead}"
    )


def _download(file: WeightFile) -> Path:
    """Fetches a file into the cache, going on where an earlier attempt was cut.

    Raises:
      UserError: no address answers, or what came is not the file.
    """
    folder = _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    part, reason = folder / f".{file.names[0]}.part", "it cannot be downloaded"
    for url in file.urls:
        try:
            _fetch(url, part, file)
        except (urllib.error.URLError, OSError, ValueError) as error:
            reason = f"it cannot be downloaded ({getattr(error, 'reason', None) or error})"
            continue
        if _sha256(part) == file.sha256:
            path = folder / file.names[0]
            os.replace(part, path)
            return path
        part.unlink()
        reason = "what was downloaded is not the public file"
    raise UserError(_how_to_get(file, " ".join(reason.split())))


def _fetch(url: str, part: Path, file: WeightFile) -> None:
    """Adds to `part` what it lacks.

    Raises:
      OSError: the connection failed or ended early; what came is kept.
    """
    start = part.stat().st_size if part.exists() else 0
    if start >= file.num_bytes:
        return
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        resumed = start and answer.status == 206
        done = start if resumed else 0
        progress = Progress(f"downloading {file.names[0]}", file.num_bytes, done, unit="byte")
        with open(part, "ab" if resumed else "wb") as output:
            while chunk := answer.read(_CHUNK):
                output.write(chunk)
                done += len(chunk)
                progress.advance(len(chunk))
        progress.close()
    if done < file.num_bytes:
        raise OSError(f"the connection ended after {done:,} of {file.num_bytes:,} bytes")


def _sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
