"""Sets of images to be measured: arrays, `.npz` files and folders of pictures.

A folder is read in pieces, so that memory does not grow with the number of pictures.
All pictures of a set have one size and are all grey or all RGB: to resize or mix them in
silence would change what is measured. Who wants it gives `image_size`, and has them as training
has them.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped, UInt8
from PIL import Image

from gaug_jax.data.arrays import checked_images, checked_labels, read_arrays
from gaug_jax.data.paths import is_picture
from gaug_jax.errors import UserError
from gaug_jax.images import read_picture, resize_square

_GREY_MODES = frozenset({"1", "L", "LA"})
_COLOUR_MODES = frozenset({"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"})
_WAY_OUT = "give --image_size to have all as training has them"


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """Images of one size that are read when they are wanted.

    Attributes:
      name: how messages call it.
      shape: height, width and channels (1 or 3).
      sha256: of the images and their order.
      classes: name of each image's class, or None where they have none.
      groups: patient or writer of each, or None where they are not known.
      read: given indices, those images as uint8 in [0, 255].
      size: number of images.
    """

    name: str
    shape: tuple[int, int, int]
    sha256: str
    classes: Shaped[np.ndarray, " images"] | None
    groups: Int[np.ndarray, " images"] | None
    read: Callable[[Sequence[int]], UInt8[np.ndarray, "some height width channels"]]
    size: int

    def __len__(self) -> int:
        return self.size


def array_set(
    name: str,
    images: UInt8[np.ndarray, "images height width channels"],
    classes: Sequence[str] | None = None,
    groups: Int[np.ndarray, " images"] | None = None,
) -> ImageSet:
    """Returns a set of images that are in memory."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    return ImageSet(
        name,
        tuple(images.shape[1:]),
        digest.hexdigest(),
        None if classes is None else np.array(classes, str),
        groups,
        lambda indices: images[np.asarray(indices)],
        len(images),
    )


def read_image_set(path: str | Path, image_size: int | None = None) -> ImageSet:
    """Returns the set of an `.npz` file or of a folder.

    An `.npz` file has `images`, uint8 [images, height, width(, 1 or 3)], and perhaps
    `labels` and `groups`. Of a folder every picture counts, those of deeper folders too,
    in the order of their paths; where all lie in folders, the first names the class.

    Args:
      path: of the file or folder.
      image_size: height and width that all are brought to, as `data.image_size` does, 16 bits
        to 8; None to take them as they are.

    Raises:
      UserError: there is no such path, it has fewer than two images, or they are not of
        one size and kind.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(f"{path} does not exist: give a folder of pictures or an .npz file")
    read = _read_folder if path.is_dir() else _read_npz
    images = read(path, image_size)
    if len(images) < 2:
        raise UserError(f"{path} has {len(images)} image: a distribution needs two or more")
    return images


def _read_npz(path: Path, image_size: int | None) -> ImageSet:
    """Returns the set of an `.npz` file."""
    arrays = read_arrays(path)
    if "images" not in arrays:
        raise UserError(f"{path} has no array 'images': name it so")
    images = checked_images(arrays["images"], f"{path}: images")
    if image_size is not None:
        images = np.stack([resize_square(image, image_size, "stretch") for image in images])
    classes = groups = None
    if "labels" in arrays:
        classes = checked_labels(arrays["labels"], len(images), f"{path}: labels")
    if "groups" in arrays:
        names = checked_labels(arrays["groups"], len(images), f"{path}: groups")
        groups = np.unique(names, return_inverse=True)[1]
    return array_set(str(path), images, classes, groups)


def _read_folder(folder: Path, image_size: int | None) -> ImageSet:
    """Returns the set of a folder; every picture's header is read, and hashed with the rest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and is_picture(path))
    if not paths:
        raise UserError(f"{folder} holds no pictures: give a folder of PNG or JPEG files")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = list(pool.map(_header, paths))
    if image_size is None:
        shape = _common_shape(paths, headers)
    else:
        shape = (image_size, image_size, max(header.channels for header in headers))
    hashes = "".join(header.sha256 for header in headers)
    digest = hashlib.sha256((hashes + (f" {shape}" if image_size else "")).encode())
    parts = [path.relative_to(folder).parts for path in paths]
    in_classes = all(len(names) > 1 for names in parts)

    def picture(path: Path) -> UInt8[np.ndarray, "height width channels"]:
        image = read_picture(path, shape[2])
        return resize_square(image, image_size, "stretch") if image_size else image

    def read(indices: Sequence[int]) -> UInt8[np.ndarray, "some height width channels"]:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            chosen = [paths[index] for index in indices]
            return np.stack(list(pool.map(picture, chosen)))

    return ImageSet(
        str(folder),
        shape,
        digest.hexdigest(),
        np.array([names[0] for names in parts]) if in_classes else None,
        None,
        read,
        len(paths),
    )


class _Header(NamedTuple):
    """What a picture says of itself.

    Attributes:
      mode: Pillow's name of its kind.
      height: in pixels, turned as its EXIF orientation says.
      width: in pixels, turned as its EXIF orientation says.
      channels: 1 or 3.
      sha256: of its file.
    """

    mode: str
    height: int
    width: int
    channels: int
    sha256: str


def _header(path: Path) -> _Header:
    """Returns what a picture says of itself.

    Raises:
      UserError: it is no picture.
    """
    try:
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            with Image.open(file) as picture:
                mode, (width, height) = picture.mode, picture.size
                # Of some formats this decodes the picture: what is cut short shows now.
                turned = picture.getexif().get(0x0112, 1) >= 5
    except Exception as error:  # Broken bytes make decoders raise nearly anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{path} cannot be read as a picture ({reason}): replace or remove the file"
        ) from None
    size = (width, height) if turned else (height, width)
    return _Header(mode, *size, 1 if mode in _GREY_MODES or mode[0] == "I" else 3, sha256)


def _common_shape(paths: list[Path], headers: list[_Header]) -> tuple[int, int, int]:
    """Returns the shape of all pictures of a set.

    Raises:
      UserError: one has not 8 bits, or two are of different sizes or kinds.
    """
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        if header.mode not in _GREY_MODES | _COLOUR_MODES:
            raise UserError(
                f"{path} has not 8 bits a channel (mode {header.mode}), on which scores are "
                f"defined: save it with 8, or {_WAY_OUT}"
            )
        if (header.height, header.width) != (first.height, first.width):
            raise UserError(
                f"{path} is {header.width}x{header.height} and {paths[0].name} "
                f"{first.width}x{first.height}: bring all pictures of a set to one size, or "
                f"{_WAY_OUT}"
            )
        if header.channels != first.channels:
            kinds = {1: "grey", 3: "RGB"}
            raise UserError(
                f"{path} is {kinds[header.channels]} and {paths[0].name} {kinds[first.channels]}: "
                f"save all pictures of a set as one kind, or {_WAY_OUT}"
            )
    return first.height, first.width, first.channels
