"""Pictures that are the same, or nearly: pairs and the groups that they form.

Exact duplicates have the same pixels. Near duplicates have DCT hashes (Zauner,
"Implementation and benchmarking of perceptual image hash functions", 2010: the signs of
the 8x8 lowest frequencies about their median) at most four bits apart, and their
luminance correlates; the hash alone would join different pictures.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64

MOST_BITS = 4
# Chosen by looking: films correlate 0.963 or more where they are one film (cropped, captioned,
# rescaled) and 0.78 where they are not; different zeros by one hand reach 0.97 among digits.
LEAST_CORRELATION = 0.95

_HASH_SIDE = 8
_PAIRS_AT_ONCE = 2**21
_IMAGES_AT_ONCE = 4096


class Duplicates(NamedTuple):
    """What was found, with pairs as [pairs, 2] indices, the smaller first.

    Attributes:
      sha256: of each image's pixels, hexadecimal.
      exact: each image with the first one of the same pixels.
      near: pairs of first ones that nearly agree.
    """

    sha256: tuple[str, ...]
    exact: Int[np.ndarray, "pairs 2"]
    near: Int[np.ndarray, "near_pairs 2"]


def find_duplicates(
    images: UInt8[np.ndarray, "images height width channels"],
    least_correlation: float = LEAST_CORRELATION,
) -> Duplicates:
    """Returns the duplicates among images of one size (8x8 or larger).

    Memory grows with the number of images, not with its square.
    """
    sha256 = tuple(hashlib.sha256(image).hexdigest() for image in images)
    first_of: dict[str, int] = {}
    firsts = np.array([first_of.setdefault(key, i) for i, key in enumerate(sha256)], np.int64)
    copies = np.flatnonzero(firsts != np.arange(len(images)))
    exact = np.stack([firsts[copies], copies], axis=1)
    originals = np.unique(firsts)
    hashes = dct_hashes(images[originals] if len(copies) else images)
    near = [np.zeros((0, 2), np.int64)]
    for candidates in close_pairs(hashes, MOST_BITS):
        pairs = originals[candidates]
        near.append(pairs[correlations(images, pairs) >= least_correlation])
    near = np.unique(np.concatenate(near), axis=0)
    return Duplicates(sha256, exact, near)


def dct_hashes(
    images: UInt8[np.ndarray, "images height width channels"],
) -> UInt64[np.ndarray, " images"]:
    """Returns the 64-bit DCT hash of each square image's luminance."""
    side = images.shape[1]
    places = (np.arange(side) + 0.5) * np.pi / side
    basis = np.cos(np.arange(_HASH_SIDE)[:, None] * places).astype(np.float32)
    hashes = np.empty(len(images), np.uint64)
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        grey = luminance(images[start : start + _IMAGES_AT_ONCE])
        block = (basis @ grey @ basis.T).reshape(len(grey), -1)
        # Rounded, so that a frequency that is absent is not a sign of rounding errors.
        block = np.round(block, 1)
        bits = block > np.median(block[:, 1:], axis=1, keepdims=True)
        packed = np.packbits(bits, axis=1)
        hashes[start : start + len(grey)] = packed.view(">u8")[:, 0]
    return hashes


def luminance(
    images: UInt8[np.ndarray, "images height width channels"],
) -> Float[np.ndarray, "images height width"]:
    """Returns the ITU-R 601 luminance in [0, 255], float32."""
    if images.shape[-1] == 1:
        return images[..., 0].astype(np.float32)
    return images.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def close_pairs(
    hashes: UInt64[np.ndarray, " images"], most_bits: int
) -> Iterator[Int[np.ndarray, "pairs 2"]]:
    """Yields the pairs of hashes at most `most_bits` apart, some of them more than once.

    Cut into one band more than the bits that may differ, two such hashes agree in at
    least one band: only images that share a band are compared.
    """
    num_bands = most_bits + 1
    edges = np.linspace(0, 64, num_bands + 1).round().astype(int)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(band, kind="stable")
        cuts = np.flatnonzero(np.diff(band[order])) + 1
        for bucket in np.split(order, cuts):
            yield from _close_in_bucket(hashes, bucket, most_bits)


def _close_in_bucket(
    hashes: UInt64[np.ndarray, " images"], bucket: Int[np.ndarray, " members"], most_bits: int
) -> Iterator[Int[np.ndarray, "pairs 2"]]:
    """Yields the close pairs among some images, some rows of comparisons at a time."""
    bucket = np.sort(bucket)
    values = hashes[bucket]
    rows_at_once = max(1, _PAIRS_AT_ONCE // max(1, len(bucket)))
    for start in range(0, len(bucket) - 1, rows_at_once):
        rows = values[start : start + rows_at_once, None]
        distance = np.bitwise_count(rows ^ values[None, start:])
        row, column = np.nonzero(distance <= most_bits)
        later = column > row
        if later.any():
            left, right = start + row[later], start + column[later]
            yield np.stack([bucket[left], bucket[right]], axis=1)


def correlations(
    images: UInt8[np.ndarray, "images height width channels"], pairs: Int[np.ndarray, "pairs 2"]
) -> Float[np.ndarray, " pairs"]:
    """Returns Pearson's correlation of the luminance of each pair; 0 where one is constant."""
    result = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _IMAGES_AT_ONCE):
        chunk = pairs[start : start + _IMAGES_AT_ONCE]
        left, right = (_standardised(luminance(images[side])) for side in chunk.T)
        result[start : start + len(chunk)] = np.einsum("ij,ij->i", left, right)
    return result


def _standardised(
    grey: Float[np.ndarray, "images height width"],
) -> Float[np.ndarray, "images pixels"]:
    """Returns each image with mean 0 and norm 1, or all zeros where it is constant."""
    flat = grey.reshape(len(grey), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(norm > 1e-3, norm, np.inf)


def connected(count: int, *pair_lists: Int[np.ndarray, "pairs 2"]) -> Int[np.ndarray, " count"]:
    """Returns a group for each of `count` things, the same for those that pairs join.

    Groups are numbered in the order of their first members (union-find).
    """
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for pairs in pair_lists:
        for left, right in pairs.tolist():
            left, right = root(left), root(right)
            parent[max(left, right)] = min(left, right)
    roots = np.array([root(index) for index in range(count)], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int32)
