"""Images and features that anyone can make again: of them `parity.py` keeps what peers say."""

import numpy as np


def golden_images() -> np.ndarray:
    """Returns a few images that anyone can make: digits enlarged, and coloured noise."""
    from sklearn.datasets import load_digits

    digits = np.repeat(load_digits().images[:2, ..., None] * 15, 3, axis=3).astype(np.uint8)
    digits = digits.repeat(4, axis=1).repeat(4, axis=2)
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    return np.concatenate([digits, noise])


def golden_features(count: int, seed: int) -> np.ndarray:
    """Returns seeded features of 64 dimensions, not negative as pool3's are."""
    generator = np.random.default_rng(seed)
    return np.abs(generator.normal(0.1 * seed, 1.0, (count, 64))).astype(np.float32)
