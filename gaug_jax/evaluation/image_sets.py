"""Sets of images to be measured: arrays, `.npz` files and folders of pictures.

A folder is read by the code that training reads it by (`gaug_jax.data.layout`), and in pieces, so
that memory does not grow with the number of pictures. All pictures of a set have one size and are
all grey or all RGB: to resize or mix them in silence would change what is measured. Who wants it
gives a `Form`, and has them as training has them.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped, UInt8
from PIL import Image

from gaug_jax.data.arrays import checked_images, checked_labels, named_labels, read_arrays
from gaug_jax.data.decoding import decode_file, enough
from gaug_jax.data.dicom.opening import is_dicom
from gaug_jax.data.layout import AmbiguousLayoutError, Tree, read_tree, read_without_classes
from gaug_jax.data.nifti import is_nifti
from gaug_jax.errors import UserError
from gaug_jax.images import resize_square, to_luminance
from gaug_jax.picture_files import GREY_MODES, channels_of

_COLOUR_MODES = frozenset({"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"})
# Of every image of a generator that knows no classes.
_NO_LABEL = "-1"
_WAY_OUT = "give --image_size to have all as training has them"


class Form(NamedTuple):
    """What all images of a set are brought to; by default they are taken as they are.

    Attributes:
      image_size: height and width, as `data.image_size`; 16 bits become 8.
      resize: `stretch` or `pad`, as `data.resize`.
      channels: 1 makes RGB grey, by luminance; None leaves it.
    """

    image_size: int | None = None
    resize: str = "stretch"
    channels: int | None = None


AS_IT_IS = Form()


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
      notes: lines on what was left out or changed.
    """

    name: str
    shape: tuple[int, int, int]
    sha256: str
    classes: Shaped[np.ndarray, " images"] | None
    groups: Int[np.ndarray, " images"] | None
    read: Callable[[Sequence[int]], UInt8[np.ndarray, "some height width channels"]]
    size: int
    notes: tuple[str, ...] = ()

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


def read_image_set(path: str | Path, form: Form = AS_IT_IS) -> ImageSet:
    """Returns the set of an `.npz` file or of a folder.

    An `.npz` file has `images`, uint8 [images, height, width(, 1 or 3)], and perhaps
    `labels` (with `class_names`, numbers of these) and `groups`. Of a folder those pictures count
    that training would read, in the order of their paths; where its layout is not clear, they
    have no classes.

    Args:
      path: of the file or folder.
      form: what all are brought to.

    Raises:
      UserError: there is no such path, it has fewer than two images, or they are not of
        one size and kind.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(f"{path} does not exist: give a folder of pictures or an .npz file")
    read = _read_folder if path.is_dir() else _read_npz
    return _several(read(path, form))


def _several(images: ImageSet) -> ImageSet:
    """Returns a set that has more than one image.

    Raises:
      UserError: it has not.
    """
    if len(images) < 2:
        raise UserError(f"{images.name} has {len(images)} image: a distribution needs two or more")
    return images


def _read_npz(path: Path, form: Form) -> ImageSet:
    """Returns the set of an `.npz` file."""
    arrays = read_arrays(path)
    if "images" not in arrays:
        raise UserError(f"{path} has no array 'images': name it so")
    return set_of_arrays(str(path), arrays, form)


def set_of_arrays(path: str, arrays: Mapping[str, np.ndarray], form: Form = AS_IT_IS) -> ImageSet:
    """Returns the set of arrays that are named as those of an `.npz` file.

    Args:
      path: where they are from, or how messages call them.
      arrays: `images` and perhaps `labels`, `class_names` and `groups`, as of `read_image_set`.
      form: what all are brought to.

    Raises:
      UserError: an array is not as it must be, or there are fewer than two images.
    """
    images = checked_images(arrays["images"], f"{path}: images")
    height, width = images.shape[1:3]
    notes = _shape_notes([(height, width)] * len(images), form)
    if form.channels == 1 and images.shape[-1] == 3:
        images = np.stack([to_luminance(image) for image in images])
    if form.image_size is not None:
        resized = [resize_square(image, form.image_size, form.resize) for image in images]
        images = np.stack(resized)
    classes = groups = None
    if "labels" in arrays:
        labels = checked_labels(arrays["labels"], len(images), f"{path}: labels")
        if set(labels) != {_NO_LABEL}:
            classes = named_labels(labels, arrays, f"{path}: class_names")
    if "groups" in arrays:
        names = checked_labels(arrays["groups"], len(images), f"{path}: groups")
        groups = np.unique(names, return_inverse=True)[1]
    made = array_set(path, images, classes, groups)
    return _several(dataclasses.replace(made, notes=notes))


def _shape_notes(sizes: Sequence[tuple[int, int]], form: Form) -> tuple[str, ...]:
    """Returns a line where pictures are stretched, which nobody may have wanted.

    Args:
      sizes: height and width of each.
      form: what they are brought to.
    """
    count = sum(height != width for height, width in sizes)
    if form.image_size is None or form.resize == "pad" or not count:
        return ()
    return (
        f"{count} of {len(sizes)} pictures are not square and are stretched, as "
        "config.data.resize=stretch does: --image_resize=pad pads them with black",
    )


def _tree(folder: Path) -> tuple[Tree, tuple[str, ...]]:
    """Returns the pictures of a folder, and lines on what is left out or not known."""
    try:
        tree = read_tree(folder)
    except AmbiguousLayoutError as error:
        tree = read_without_classes(folder)
        return tree, (*tree.notes, f"classes are not known: {error}")
    return tree, tree.notes


def _read_folder(folder: Path, form: Form) -> ImageSet:
    """Returns the set of a folder; every picture's header is read, and hashed with the rest."""
    tree, notes = _tree(folder)
    paths = [each.path for each in tree.pictures]
    if not paths:
        found = f" (found {'; '.join(notes)})" if notes else ""
        raise UserError(f"{folder} holds no pictures: give a folder of PNG or JPEG files{found}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = list(pool.map(_header, paths))
    size = form.image_size
    if size is None:
        height, width, channels = _common_shape(paths, headers)
    else:
        height, width, channels = size, size, max(header.channels for header in headers)
    shape = (height, width, form.channels or channels)
    made = "" if form == AS_IT_IS else f" {shape}" + (" padded" if form.resize == "pad" else "")
    digest = hashlib.sha256(("".join(header.sha256 for header in headers) + made).encode())
    classes = [each.label for each in tree.pictures]
    least_side = enough(size) if size else None

    def picture(path: Path) -> UInt8[np.ndarray, "height width channels"]:
        image = decode_file(path, shape[2], str(path), least_side=least_side).pixels
        return resize_square(image, size, form.resize) if size else image

    def read(indices: Sequence[int]) -> UInt8[np.ndarray, "some height width channels"]:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            chosen = [paths[index] for index in indices]
            return np.stack(list(pool.map(picture, chosen)))

    return ImageSet(
        str(folder),
        shape,
        digest.hexdigest(),
        np.array(classes) if classes[0] is not None else None,
        None,
        read,
        len(paths),
        (*notes, *_shape_notes([(header.height, header.width) for header in headers], form)),
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
    if is_dicom(path) or is_nifti(path):
        return _film_header(path)
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
    return _Header(mode, *size, channels_of(mode), sha256)


def _film_header(path: Path) -> _Header:
    """Returns what DICOM or NIfTI says of itself; as any film of more than 8 bits, it has a window.

    Raises:
      UserError: it cannot be read.
    """
    facts = decode_file(path, 1, str(path)).facts
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _Header("I;16", facts.height, facts.width, facts.channels, sha256)


def _common_shape(paths: list[Path], headers: list[_Header]) -> tuple[int, int, int]:
    """Returns the shape of all pictures of a set.

    Raises:
      UserError: one has not 8 bits, or two are of different sizes or kinds.
    """
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        if header.mode not in GREY_MODES | _COLOUR_MODES:
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
