"""Checks of a field's value: each raises one line that names the field and the way out."""

from collections.abc import Iterable
from typing import Any

from gaug_jax.errors import UserError


def one_of(field: str, value: Any, choices: Iterable[Any]) -> None:
    """Raises `UserError` unless `value` is among `choices`; names the field and them."""
    choices = list(choices)
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise UserError(f"config.{field}={value!r} is not known: choose one of {listed}")


def at_least(field: str, value: float, minimum: float) -> None:
    """Raises `UserError` unless `value >= minimum`."""
    if not value >= minimum:
        raise UserError(f"config.{field}={value!r} is too small: give {minimum} or more")


def above(field: str, value: float, minimum: float) -> None:
    """Raises `UserError` unless `value > minimum`."""
    if not value > minimum:
        raise UserError(f"config.{field}={value!r} must be above {minimum}")


def fraction(field: str, value: float) -> None:
    """Raises `UserError` unless `0 <= value < 1`."""
    if not 0 <= value < 1:
        raise UserError(f"config.{field}={value!r} is not a fraction: give 0 or more and below 1")


def not_empty(field: str, value: Any) -> None:
    """Raises `UserError` where a sequence has no entry."""
    if not len(value):
        raise UserError(f"config.{field} is empty: give one or more")


def check_image_size(size: int) -> None:
    """Raises `UserError` unless `size` is 4 * 2**n with n >= 1 (8, 16, 32, 64, ...)."""
    stages = size // 4
    if size < 8 or size % 4 or stages & (stages - 1):
        raise UserError(
            f"config.data.image_size={size} is not 4*2^n: give 8, 16, 32, 64, 128 or 256"
        )
