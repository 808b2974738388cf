"""Augmented copies: what each depends on, and what the shares of mixed ones say."""

import numpy as np
import pytest

from gaug_jax.augmentation import MIXING, POLICIES
from gaug_jax.classifiers.copies import augmented_copies

ALONE = [name for name in POLICIES if name not in MIXING]


def blobs(count, channels=1, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 8, 8, channels), np.uint8)
    return images, random.dirichlet(np.ones(3), count)


@pytest.mark.parametrize("policy", ALONE)
def test_a_copy_depends_on_its_image_its_seed_and_its_number_alone(policy):
    # More than a batch, so that the last one is filled up.
    images, targets = blobs(70)
    copies, shares = augmented_copies(images, targets, policy, 3, 1)
    assert copies.shape == images.shape and copies.dtype == np.uint8
    np.testing.assert_allclose(shares, targets, rtol=1e-6)
    order = np.random.default_rng(1).permutation(70)
    elsewhere, shares = augmented_copies(images[order], targets[order], policy, 3, 1)
    np.testing.assert_array_equal(elsewhere, copies[order])
    np.testing.assert_allclose(shares, targets[order], rtol=1e-6)
    few, _ = augmented_copies(images[[66, 4]], targets[:2], policy, 3, 1)
    np.testing.assert_array_equal(few, copies[[66, 4]])
    twice, _ = augmented_copies(images[[4, 4]], targets[:2], policy, 3, 1)
    np.testing.assert_array_equal(twice, copies[[4, 4]])
    if policy == "none":
        np.testing.assert_array_equal(copies, images)
        return
    for seed, number in ((4, 1), (3, 0), (1, 3)):
        others, _ = augmented_copies(images, targets, policy, seed, number)
        assert (others != copies).any(axis=(1, 2, 3)).mean() > 0.8


@pytest.mark.parametrize("policy", ["classical", "cutout"])
def test_images_that_differ_are_changed_differently(policy):
    """A draw of one image is not that of the next: the same change would move all alike."""
    image = blobs(1)[0][0]
    images = np.stack([image] * 20)
    images[:, 0, 0, 0] = np.arange(20)
    copies, _ = augmented_copies(images, np.ones((20, 1)), policy, 0, 0)
    assert len(np.unique(copies[:, 1:, 1:].reshape(20, -1), axis=0)) > 12


@pytest.mark.parametrize("policy", MIXING)
@pytest.mark.parametrize("count", [40, 70])
def test_mixed_images_are_what_their_shares_say(policy, count):
    """Each image is of one value and its own class; a mixed one's values are those of its shares.

    Mixup adds images up; CutMix's share is of pixels.
    """
    values = np.arange(count) * 3
    images = np.broadcast_to(values[:, None, None, None], (count, 8, 8, 1)).astype(np.uint8)
    copies, shares = augmented_copies(images, np.eye(count), policy, 0, 1)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    assert shares.min() >= 0.0
    assert ((shares > 1e-6).sum(axis=1) == 2).mean() > 0.8  # Others are their own partners.
    # Every image has a part in the copy at its place.
    own = shares[np.arange(count), np.arange(count)]
    assert (own > 1e-3).all() and (own < 1.0 - 1e-3).mean() > 0.8
    if policy == "mixup":
        np.testing.assert_allclose(copies[..., 0].mean(axis=(1, 2)), shares @ values, atol=0.51)
        assert (copies == copies[:, :1, :1]).all()
    else:
        found = (copies.reshape(count, -1, 1) == values).mean(axis=1)
        np.testing.assert_allclose(found, shares, atol=1e-5)


@pytest.mark.parametrize("policy", MIXING)
def test_partners_are_drawn_among_all_images_and_anew_for_each_copy(policy):
    images, _ = blobs(150)
    partners = []
    for seed, number in ((0, 1), (0, 2), (5, 1)):
        _, shares = augmented_copies(images, np.eye(150), policy, seed, number)
        np.fill_diagonal(shares, 0.0)
        partners.append(shares.argmax(axis=1))
    # Within a batch of 64 in their order, none would be so far away so often.
    assert (np.abs(partners[0] - np.arange(150)) > 64).mean() > 0.2
    for other in partners[1:]:
        assert (other != partners[0]).mean() > 0.8


@pytest.mark.parametrize("policy", MIXING)
def test_the_same_seed_mixes_the_same_again(policy):
    images, targets = blobs(10)
    one, other = (augmented_copies(images, targets, policy, 2, 1) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_classical_copies_are_mirrored_every_other_time_where_that_is_asked_for():
    images, targets = blobs(60)
    plain, _ = augmented_copies(images, targets, "classical", 0, 0)
    flipped, _ = augmented_copies(images, targets, "classical", 0, 0, flip=True)
    # Sums of the mean in another order may round a pixel elsewhere.
    same = (np.abs(flipped.astype(int) - plain) <= 1).all(axis=(1, 2, 3))
    mirrored = (np.abs(flipped.astype(int) - plain[:, :, ::-1]) <= 1).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all() and 15 < mirrored.sum() < 45


def test_colour_stays_colour():
    images, targets = blobs(3, channels=3)
    copies, _ = augmented_copies(images, targets, "classical", 0, 0)
    assert copies.shape == images.shape
    alone, _ = augmented_copies(images[2:], targets[2:], "classical", 0, 0)
    np.testing.assert_array_equal(alone, copies[2:])
