import hashlib

import numpy as np
import pytest
from support.made_data import random_picture

from gaug_jax.data import duplicates as dup


def _smooth(seed, size=32):
    """Low frequencies only, as in a film: its hash has no rounding noise."""
    coarse = np.random.default_rng(seed).normal(size=(6, 6))
    grown = np.kron(coarse, np.ones((8, 8)))[:size, :size]
    kernel = np.ones(7) / 7
    for axis in (0, 1):
        grown = np.apply_along_axis(np.convolve, axis, grown, kernel, "same")
    scaled = 128 + 60 * grown / np.abs(grown).max()
    return scaled.astype(np.uint8)[..., None]


def _pairs(found):
    return set(map(tuple, found.tolist()))


def test_planted_duplicates_are_found_and_nothing_else():
    images = np.stack([_smooth(seed) for seed in range(60)])
    images[17] = images[4]
    images[30] = images[4]
    brighter = np.clip(images[8].astype(int) * 1.1 + 7, 0, 255)
    images[50] = brighter.astype(np.uint8)
    noise = np.random.default_rng(0).integers(-2, 3, images[9].shape)
    images[40] = images[9] + noise
    found = dup.find_duplicates(images)
    assert _pairs(found.exact) == {(4, 17), (4, 30)}
    assert _pairs(found.near) == {(8, 50), (9, 40)}
    assert found.sha256[17] == hashlib.sha256(images[4].tobytes()).hexdigest()


def test_a_like_hash_is_not_enough():
    # The coarse structure agrees, and with it the hash; fine detail outweighs it.
    coarse = _smooth(1).astype(int)
    fine = [np.random.default_rng(seed).integers(-60, 61, coarse.shape) for seed in (1, 2)]
    images = np.stack([np.clip(coarse + detail, 0, 255).astype(np.uint8) for detail in fine])
    left, right = dup.dct_hashes(np.stack([_smooth(1), _smooth(1)]))
    assert left == right
    assert dup.correlations(images, np.array([[0, 1]]))[0] < 0.8
    assert not len(dup.find_duplicates(images).near)


def test_blank_images_are_exact_duplicates_only():
    images = np.zeros((5, 16, 16, 1), np.uint8)
    images[3:] = 255
    found = dup.find_duplicates(images)
    assert _pairs(found.exact) == {(0, 1), (0, 2), (3, 4)}
    assert not len(found.near)


@pytest.mark.parametrize("size", [8, 16, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_and_channel_count_is_hashed(size, channels):
    images = np.stack([random_picture(seed, (size, size, channels)) for seed in range(20)])
    images[11] = images[2]
    found = dup.find_duplicates(images)
    assert _pairs(found.exact) == {(2, 11)}
    assert not len(found.near)


def test_bands_find_every_close_pair():
    # Against all pairs compared one by one.
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 300, dtype=np.uint64)
    for index in range(0, 300, 3):
        flips = rng.choice(64, rng.integers(0, 7), replace=False)
        for bit in flips:
            hashes[index + 1] = hashes[index] if bit == flips[0] else hashes[index + 1]
        for bit in flips:
            hashes[index + 1] ^= np.uint64(1) << np.uint64(bit)
    left, right = np.triu_indices(300, 1)
    distance = np.array(
        [(int(hashes[i]) ^ int(hashes[j])).bit_count() for i, j in zip(left, right, strict=True)]
    )
    expected = {
        (i, j) for i, j, d in zip(left.tolist(), right.tolist(), distance, strict=True) if d <= 4
    }
    found = set()
    for pairs in dup.close_pairs(hashes, 4):
        found |= _pairs(pairs)
    assert len(expected) > 40
    assert found == expected


def test_hash_is_that_of_the_definition():
    # scipy's DCT-II, the 8x8 lowest frequencies, above the median of all but the first.
    from scipy.fft import dctn

    image = _smooth(3)
    block = dctn(image[..., 0].astype(float), type=2)[:8, :8].ravel() / 4
    bits = np.round(block, 1) > np.median(np.round(block, 1)[1:])
    expected = int("".join("1" if bit else "0" for bit in bits), 2)
    assert int(dup.dct_hashes(image[None])[0]) == expected


def test_correlation_is_pearsons():
    images = np.stack([random_picture(seed, (16, 16, 1)) for seed in range(2)])
    expected = np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1]
    assert dup.correlations(images, np.array([[0, 1]]))[0] == pytest.approx(expected, abs=1e-5)


def test_connected_joins_chains():
    groups = dup.connected(7, np.array([[0, 3], [3, 5]]), np.array([[2, 6]]), np.zeros((0, 2), int))
    np.testing.assert_array_equal(groups, [0, 1, 2, 0, 3, 0, 2])


def test_many_images_need_no_square_of_memory():
    hashes = np.random.default_rng(0).integers(0, 2**64, 50_000, dtype=np.uint64)
    hashes[40_000] = hashes[7]
    found = set()
    for pairs in dup.close_pairs(hashes, 4):
        found |= _pairs(pairs)
    assert found == {(7, 40_000)}
