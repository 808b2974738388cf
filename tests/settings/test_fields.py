"""What fields say of themselves: their kinds, meanings and defaults, of made and real sections."""

import dataclasses
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import pytest

from gaug_jax.settings import SECTIONS, Settings
from gaug_jax.settings.fields import deciding, field, fields_of

NAMED = [
    (f"{name}.{each.name}", each)
    for name, section in (*SECTIONS.items(), ("settings", Settings))
    for each in fields_of(section)
]
of_every_field = pytest.mark.parametrize(
    "each", [each for _, each in NAMED], ids=[name for name, _ in NAMED]
)


@dataclasses.dataclass(frozen=True)
class Inner:
    """A section inside another."""

    depth: int = field(1, "How deep.")


@dataclasses.dataclass(frozen=True)
class Made:
    """Fields of all sorts."""

    count: int = field(3, "How many.")
    name: str | None = field(None, "Unset: the other's.", may_change=True)
    reversed: None | float = field(None, "Unset: none.")
    places: Sequence[int] = field((1, 2), "Where.", may_change=True)
    some: Sequence[str] | None = field(None, "Which. Unset: all.")
    inner: Inner = Inner()
    plain: int = 7


def fits(value: Any, kind: Any) -> bool:
    """Says whether a value is of a kind; a whole number may stand for a number with a point."""
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        return (
            isinstance(value, tuple) and len(value) == len(kinds) and all(map(fits, value, kinds))
        )
    if get_origin(kind) is Sequence:
        return isinstance(value, tuple) and all(fits(each, *get_args(kind)) for each in value)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def test_kinds_are_without_none_and_in_the_order_of_the_section():
    assert [(each.name, each.kind, each.default) for each in fields_of(Made)] == [
        ("count", int, 3), ("name", str, None), ("reversed", float, None),
        ("places", Sequence[int], (1, 2)), ("some", Sequence[str], None),
    ]  # fmt: skip
    assert [each.meaning for each in fields_of(Made)][:2] == ["How many.", "Unset: the other's."]
    assert [each.name for each in fields_of(Made) if each.may_change] == ["name", "places"]


def test_what_is_computed_is_left_as_it_is_and_the_rest_is_at_its_defaults():
    given = Made(4, "a", 0.5, (9,), ("b",), Inner(2), 8)
    assert deciding(given) == Made(4, None, 0.5, (1, 2), ("b",), Inner(2), 8)
    assert deciding(deciding(given)) == deciding(given)


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_field_of_a_section_says_what_it_is(section):
    assert [each.name for each in fields_of(section)] == [
        each.name for each in dataclasses.fields(section)
    ]
    assert section() == deciding(section())


def test_of_the_whole_config_the_seed_alone_is_in_no_section():
    assert [each.name for each in fields_of(Settings)] == ["seed"]
    names = [each.name for each in dataclasses.fields(Settings)]
    assert names == ["seed", *SECTIONS]


@of_every_field
def test_a_meaning_is_whole_sentences_on_one_line(each):
    assert each.meaning.endswith(".") and not each.meaning.endswith("..")
    assert each.meaning == " ".join(each.meaning.split())
    assert each.meaning.count("(") == each.meaning.count(")")
    assert len(each.meaning.split()) > 1 and not each.meaning[0].isspace()
    if "Unset: " in each.meaning:
        assert each.default is None


@of_every_field
def test_a_default_is_of_its_kind(each):
    assert type(None) not in get_args(each.kind) and each.kind is not type(None)
    assert each.default is None or fits(each.default, each.kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, int), (1.0, int), (1, str), ([1], Sequence[int]), ((1, "a"), Sequence[int]),
     (1, bool), ((("a", 1),), Sequence[tuple[str, str]])],
)  # fmt: skip
def test_what_is_of_another_kind_would_be_found(value, kind):
    assert not fits(value, kind)
