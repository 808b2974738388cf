"""A user's mistake, and messages of one line."""

import textwrap

_LONGEST = 300


class UserError(Exception):
    """A mistake that the user can mend: printed as one line, exit status 2."""


def in_short(message: object) -> str:
    """Returns a message of another library as one line, cut between words where it is long."""
    return textwrap.shorten(str(message), _LONGEST, placeholder=" …")
