"""Licences of single images: which forbid what is made here, and which images are left out."""

import re

from gaug_jax.data.record import SourceData
from gaug_jax.errors import UserError

# Value of `data.licenses` for all images whose licence does not forbid derivatives.
DERIVATIVES = "derivatives"
_NO_DERIVATIVES = re.compile(r"(?i)(?<![a-z])by([-_ ]nc)?[-_ ]nd(?![a-z])|no[-_ ]?deriv")


def forbids_derivatives(licence: str | None) -> bool:
    """Says whether a licence is one of Creative Commons' that forbid derivatives (ND).

    An image without a named licence forbids nothing here: ask its publisher.
    """
    return bool(_NO_DERIVATIVES.search(licence or ""))


def allowed(data: SourceData, wanted: str | None) -> list[bool]:
    """Returns which images of a source are used.

    Args:
      data: its images.
      wanted: as of `config.data.licenses`.

    Raises:
      UserError: a name is no image's licence.
    """
    names = [name_of(record.licence, data.licence) for record in data.records]
    if wanted is None:
        return [True] * len(names)
    if wanted == DERIVATIVES:
        return [not forbids_derivatives(name) for name in names]
    given = {name.strip() for name in wanted.split(",")}
    if unknown := sorted(given - set(names)):
        known = ", ".join(repr(name) for name in sorted(set(names)))
        raise UserError(
            f"config.data.licenses names {unknown[0]!r}, which no image has: give {DERIVATIVES!r}, "
            f"or some of {known}"
        )
    return [name in given for name in names]


def name_of(licence: str | None, of_all: str | None) -> str:
    """Returns the name of an image's licence: its own, or that of the whole data set."""
    return (licence or "").strip() or of_all or "none named"
