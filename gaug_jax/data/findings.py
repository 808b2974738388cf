"""From what a table says of a picture to its class: several labels, uncertain and unknown ones."""

import collections
import re
from collections.abc import Sequence
from typing import NamedTuple

from gaug_jax.data.paths import listed
from gaug_jax.errors import UserError

LEAVE_OUT, POSITIVE, NEGATIVE = "leave_out", "positive", "negative"
# What stands where nobody knows: no class, and no negative.
UNKNOWN = frozenset({"", "todo", "unknown", "nan", "none", "na", "n/a", "null", "?"})
_SEPARATOR = re.compile(r"\s*[|;]\s*")
OTHER = "other"


class Classes(NamedTuple):
    """Classes of rows.

    Attributes:
      labels: of each row; None of one that is left out.
      notes: lines on what is left out.
    """

    labels: list[str | None]
    notes: tuple[str, ...]


def classes_of_names(said: Sequence[str], finding: str | None) -> Classes:
    """Returns the classes of rows that name their labels, several between `|` or `;`.

    Args:
      said: by each row.
      finding: the one of interest: rows that name it are its class, others `other`. None: each
        label is a class, and rows of several are left out.

    Raises:
      UserError: no row names the finding, or none is left.
    """
    rows = [[name for name in _SEPARATOR.split(text) if name.lower() not in UNKNOWN]
            for text in said]  # fmt: skip
    known = sorted({name for names in rows for name in names})
    if finding is not None and finding not in known:
        raise UserError(
            f"config.data.label={finding!r} is in no row of the table: choose one of "
            f"{listed(known, 12)}, or a column"
        )

    def label(names: list[str]) -> str | None:
        if not names:
            return None
        if finding is not None:
            return finding if finding in names else OTHER
        return names[0] if len(names) == 1 else None

    labels = [label(names) for names in rows]
    unknown = sum(not names for names in rows)
    several = sum(each is None for each in labels) - unknown
    notes = [f"{unknown} rows left out, whose label is not known"] if unknown else []
    if several:
        notes.append(
            f"{several} rows left out, which have several labels: --config.data.label names the "
            "one of interest"
        )
    return _checked(labels, notes)


def classes_of_flags(
    said: Sequence[str], finding: str, uncertain: str, unmentioned: str
) -> Classes:
    """Returns the classes of rows in a finding's own column: 1, 0, -1 (uncertain) or nothing.

    Args:
      said: by each row.
      finding: name of the column and of the positive class.
      uncertain: `leave_out`, `positive` or `negative`: what -1 becomes.
      unmentioned: `leave_out` or `negative`: what an empty value becomes.

    Raises:
      UserError: a value is another one, or no row is left.
    """
    classes = {POSITIVE: finding, NEGATIVE: f"no {finding}", LEAVE_OUT: None}
    kinds = [_kind(text, finding) for text in said]
    counts = collections.Counter(kinds)
    means = {"1": POSITIVE, "0": NEGATIVE, "-1": uncertain, "": unmentioned}
    labels = [classes[means[kind]] for kind in kinds]
    words = {LEAVE_OUT: "left out", POSITIVE: "taken as positive", NEGATIVE: "taken as negative"}
    notes = [
        f"{counts[kind]} rows {words[means[kind]]}, in which {finding} is {name} "
        f"(config.data.{field})"
        for kind, name, field in (("-1", "uncertain", "uncertain"),
                                  ("", "not mentioned", "unmentioned"))
        if counts[kind]
    ]  # fmt: skip
    return _checked(labels, notes)


def _kind(text: str, finding: str) -> str:
    """Returns 1, 0, -1 or nothing, of what a row says."""
    if text.lower() in UNKNOWN:
        return ""
    try:
        number = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}.get(text.lower())
        number = float(text) if number is None else number
    except ValueError:
        number = None
    if number not in (1.0, 0.0, -1.0):
        raise UserError(
            f"the column {finding!r} holds {text!r}: 1, 0, -1 or nothing is read; leave "
            "config.data.label out if its words are the classes"
        )
    return f"{number:g}" if number else "0"


def _checked(labels: list[str | None], notes: list[str]) -> Classes:
    """Returns classes of which there is one."""
    if all(label is None for label in labels):
        raise UserError(f"no row of the table has a class ({'; '.join(notes)})")
    return Classes(labels, tuple(notes))
