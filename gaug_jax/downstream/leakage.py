"""What must not happen between the parts, looked for before anything is trained."""

from typing import Any

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from gaug_jax.data.duplicates import find_duplicates
from gaug_jax.data.splits import TEST, TRAIN, UNUSED, VALIDATION
from gaug_jax.errors import UserError

Parts = Shaped[np.ndarray, " images"]


def check_groups(groups: Int[np.ndarray, " images"], parts: Parts) -> None:
    """Raises `UserError` where a patient or writer is in two of the three parts."""
    seen = {name: set(groups[parts == name].tolist()) for name in (TRAIN, VALIDATION, TEST)}
    for one, other in ((TRAIN, TEST), (TRAIN, VALIDATION), (VALIDATION, TEST)):
        shared = seen[one] & seen[other]
        if shared:
            raise UserError(
                f"leak: group {min(shared)} is in the {one} and in the {other} part "
                f"({len(shared)} such groups): split by group"
            )


def check_duplicates(
    images: UInt8[np.ndarray, "images height width channels"], names: tuple[str, ...], parts: Parts
) -> None:
    """Raises `UserError` where an image and its exact or near duplicate are in two parts."""
    used = np.flatnonzero(parts != UNUSED)
    found = find_duplicates(images[used])
    for one, other in np.concatenate([found.exact, found.near]).tolist():
        one, other = used[one], used[other]
        if parts[one] != parts[other]:
            raise UserError(
                f"leak: {names[one]} ({parts[one]}) and {names[other]} ({parts[other]}) are "
                "duplicates: keep them in one part"
            )


def check_generator(seen: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    """Raises `UserError` unless a generator saw exactly the images of the real arm.

    Args:
      seen: the manifest of the generator's work folder.
      wanted: that of the split and training size.
      where: the work folder, for the message.
    """
    if seen["manifest_sha256"] != wanted["manifest_sha256"]:
        counts = [sum(each["counts"][TRAIN].values()) for each in (seen, wanted)]
        raise UserError(
            f"leak: the generator in {where} was trained on other images than the real arm "
            f"({counts[0]} of them, not these {counts[1]}): remove that folder"
        )
