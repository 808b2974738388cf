"""All figures of one set of generated images against one of real images, as a plain row.

What cannot be computed is None, with the reason under `notes`; nothing is invented.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaug_jax.evaluation.features import Extracted, Extractor
from gaug_jax.evaluation.image_sets import ImageSet
from gaug_jax.evaluation.metrics import frechet, inception_score, kid, precision_recall, ssim

# Neighbours of precision, recall, density and coverage.
NEIGHBOURS = 5
# Figures on images, not features, are of so many pairs, or of so many images of each kind.
_MOST_PAIRS = 500
_MOST_FAKES, _MOST_REALS = 100, 1000
_DEVIATIONS = 1.96

_PRECISION_RECALL = tuple(
    f"{name}_k{NEIGHBOURS}" for name in precision_recall.PrecisionRecall._fields
)


class Sample(NamedTuple):
    """Images and what was extracted from them."""

    images: ImageSet
    extracted: Extracted


class _Row:
    """A row that is being filled; each figure draws from a random generator of its own."""

    def __init__(self, seed: int) -> None:
        self.values: dict[str, Any] = {}
        self.notes: dict[str, str] = {}
        self._seed = seed

    def fill(
        self, names: Sequence[str], function: Callable[[np.random.Generator], Sequence[float | int]]
    ) -> None:
        """Adds the figures that a function returns, or their absence."""
        rng = np.random.default_rng([self._seed, len(self.values)])
        try:
            values = [value if isinstance(value, int) else float(value) for value in function(rng)]
        except ValueError as error:
            values = [None] * len(names)
            self.notes[names[0]] = str(error)
        self.values.update(zip(names, values, strict=True))


def fidelity_row(
    real: Sample,
    fake: Sample,
    *,
    seed: int,
    perceptual_distance: Callable | None = None,
    without_perceptual_distance: str = "",
) -> dict[str, Any]:
    """Returns the figures of an evaluation's row, with `per_class`, `notes` and counts.

    Args:
      real: the real images.
      fake: the generated ones.
      seed: of every subset that is drawn.
      perceptual_distance: LPIPS of pairs, or None.
      without_perceptual_distance: why there is none.
    """
    row = _Row(seed)
    features, logits = real.extracted.features, fake.extracted.logits
    fakes, groups = fake.extracted.features, real.images.groups
    row.fill(("fid", "fid_low", "fid_high"), lambda rng: _fid(features, fakes, rng, groups))
    row.fill(
        ("fid_floor", "fid_at_floor_size"),
        lambda rng: frechet.frechet_floor(features, fakes, rng),
    )
    row.fill(("fid_infinity",), lambda rng: [frechet.frechet_infinity(features, fakes, rng)])
    row.fill(
        ("kid_mean", "kid_standard_error", "kid_low", "kid_high"),
        lambda rng: _kid(features, fakes, rng, groups),
    )
    row.fill(
        ("inception_score_mean", "inception_score_std"), lambda rng: _inception_score(logits, rng)
    )
    row.fill(
        _PRECISION_RECALL,
        lambda rng: precision_recall.precision_recall(features, fakes, NEIGHBOURS),
    )
    row.fill(
        ("frechet_coefficient",),
        lambda rng: [
            frechet.frechet_coefficient(*map(frechet.gaussian_statistics, (features, fakes)))
        ],
    )
    row.fill(("ms_ssim_diversity", "num_pairs"), lambda rng: _diversity(fake.images, rng))
    row.fill(
        ("ssim_nearest_real", "num_nearest"), lambda rng: _nearest(real.images, fake.images, rng)
    )
    row.fill(
        ("lpips_diversity",),
        lambda rng: [_lpips(fake.images, perceptual_distance, without_perceptual_distance, rng)],
    )
    row.values["per_class"] = _per_class(row, real, fake, seed)
    counts = {"num_real": len(features), "num_fake": len(fakes)}
    return {**row.values, **counts, "notes": row.notes}


def cheap_row(
    real: Float[np.ndarray, "images features"], fake: Float[np.ndarray, "fakes features"], seed: int
) -> dict[str, float | None]:
    """Returns KID, precision and recall: what training follows a generator by."""
    row = _Row(seed)
    row.fill(("kid_mean",), lambda rng: [kid.kid(real, fake, rng).mean])
    row.fill(
        _PRECISION_RECALL[:2],
        lambda rng: precision_recall.precision_recall(real, fake, NEIGHBOURS)[:2],
    )
    return row.values


def extractor_facts(extractor: Extractor) -> dict[str, Any]:
    """Returns what a row says of how its features were made."""
    return {
        "features": extractor.name,
        "resize": extractor.resize,
        "weights_sha256": extractor.weights_sha256,
        "official_weights": extractor.official,
    }


def _fid(
    real: np.ndarray, fake: np.ndarray, rng: np.random.Generator, groups: np.ndarray | None
) -> tuple[float, float, float]:
    """Returns the distance with its interval."""
    distance = frechet.frechet_distance(*map(frechet.gaussian_statistics, (real, fake)))
    reach = _DEVIATIONS * frechet.frechet_standard_error(real, fake, rng, groups)
    return distance, max(0.0, distance - reach), distance + reach


def _kid(
    real: np.ndarray, fake: np.ndarray, rng: np.random.Generator, groups: np.ndarray | None
) -> tuple[float, ...]:
    """Returns the distance with its error and interval."""
    distance = kid.kid(real, fake, rng, groups)
    return (*distance, *distance.interval(_DEVIATIONS))


def _inception_score(logits: np.ndarray | None, rng: np.random.Generator) -> tuple[float, float]:
    """Returns mean and deviation over the splits."""
    if logits is None:
        raise ValueError("these features have no logits")
    return inception_score.inception_score(logits, rng)


def _unit(images: ImageSet, indices: np.ndarray) -> Float[np.ndarray, "some height width channels"]:
    """Returns some images in [0, 1]."""
    return images.read(indices) / 255.0


def _pairs(fake: ImageSet, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns indices of pairs of one class (of any, where there are none)."""
    classes = np.zeros(len(fake), int) if fake.classes is None else fake.classes
    return tuple(ssim.random_pairs(classes, _MOST_PAIRS, rng).T)


def _diversity(fake: ImageSet, rng: np.random.Generator) -> tuple[float, int]:
    """Returns the mean MS-SSIM of pairs (1: all are alike), and how many."""
    one, other = _pairs(fake, rng)
    return ssim.multiscale_ssim(_unit(fake, one), _unit(fake, other)).mean(), len(one)


def _nearest(real: ImageSet, fake: ImageSet, rng: np.random.Generator) -> tuple[float, int]:
    """Returns the mean SSIM of generated images to their nearest real one, and of how many."""
    fakes, reals = (
        np.sort(rng.permutation(len(images))[:most])
        for images, most in ((fake, _MOST_FAKES), (real, _MOST_REALS))
    )
    return ssim.nearest_ssim(_unit(fake, fakes), _unit(real, reals)).mean(), len(fakes)


def _lpips(
    fake: ImageSet, distance: Callable | None, reason: str, rng: np.random.Generator
) -> float:
    """Returns the mean LPIPS of pairs (0: all are alike)."""
    if distance is None:
        raise ValueError(reason)
    one, other = _pairs(fake, rng)
    return distance(fake.read(one), fake.read(other)).mean()


def _per_class(row: _Row, real: Sample, fake: Sample, seed: int) -> dict[str, Any] | None:
    """Returns the figures of each class that both sides have, or None."""
    if real.images.classes is None or fake.images.classes is None:
        row.notes["per_class"] = "the classes of one side are not known"
        return None
    shared = sorted(set(real.images.classes) & set(fake.images.classes))
    if not shared:
        row.notes["per_class"] = "the two sides have no class in common"
        return None
    return {
        name: _class_row(*(_features_of(sample, name) for sample in (real, fake)), seed)
        for name in shared
    }


def _features_of(sample: Sample, name: str) -> Float[np.ndarray, "images features"]:
    """Returns the features of a class."""
    return sample.extracted.features[sample.images.classes == name]


def _class_row(real: np.ndarray, fake: np.ndarray, seed: int) -> dict[str, Any]:
    """Returns the figures of one class."""
    row = _Row(seed)
    row.fill(
        ("fid",),
        lambda rng: [frechet.frechet_distance(*map(frechet.gaussian_statistics, (real, fake)))],
    )
    row.fill(("kid_mean", "kid_standard_error"), lambda rng: kid.kid(real, fake, rng))
    row.fill(
        _PRECISION_RECALL, lambda rng: precision_recall.precision_recall(real, fake, NEIGHBOURS)
    )
    return {**row.values, "num_real": len(real), "num_fake": len(fake), "notes": row.notes}


def summary_lines(row: dict[str, Any]) -> list[str]:
    """Returns the figures for people to read, a line each."""
    lines = []
    for name, value in row.items():
        if not isinstance(value, float) or name.endswith(("_low", "_high", "_standard_error")):
            continue
        stem = name.removesuffix("_mean")
        low, high = row.get(f"{stem}_low"), row.get(f"{stem}_high")
        interval = "" if low is None else f"  (95% interval {low:.4g} to {high:.4g})"
        lines.append(f"{name:24}{value:10.4g}{interval}")
    lines += [f"{name}: {reason}" for name, reason in row["notes"].items()]
    return lines
