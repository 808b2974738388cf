"""What a field of a config says of itself: the one place of its default, type and meaning."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple, get_type_hints


def field(default: Any, meaning: str, *, may_change: bool = False, before: Any = None) -> Any:
    """Returns a dataclass field of a section.

    Args:
      default: value where a config says nothing; None for one that follows something else, which
        `meaning` then says.
      meaning: one or more whole sentences for the reference of the config's fields.
      may_change: whether a work folder may be continued with another value: one that says where,
        how long or how often, but not what is computed.
      before: what a work folder's config that is older than the field stands for, where that is
        not the default.
    """
    return dataclasses.field(
        default=default, metadata={"meaning": meaning, "may_change": may_change, "before": before}
    )


class Field(NamedTuple):
    """A field of a section.

    Attributes:
      name: within its section.
      kind: type of its values, without the None of one that may be left unset.
      default: value where a config says nothing.
      meaning: in words.
      may_change: whether a work folder may be continued with another value.
      before: what an older config stands for; None for the default.
    """

    name: str
    kind: Any
    default: Any
    meaning: str
    may_change: bool
    before: Any


def fields_of(section: type) -> Iterator[Field]:
    """Yields the fields of a section in the order in which it defines them.

    Args:
      section: a dataclass whose fields are of `field`; others, such as whole sections, are
        passed over.
    """
    hints = get_type_hints(section)
    for each in dataclasses.fields(section):
        if "meaning" in each.metadata:
            kind = hints[each.name]
            given = [kind_ for kind_ in getattr(kind, "__args__", ()) if kind_ is not type(None)]
            optional = type(None) in getattr(kind, "__args__", ())
            yield Field(
                each.name, given[0] if optional else kind, each.default, **dict(each.metadata)
            )


def deciding(section: Any) -> Any:
    """Returns a section with the defaults of all fields that may change, so of what is computed."""
    free = {each.name: each.default for each in fields_of(type(section)) if each.may_change}
    return dataclasses.replace(section, **free)
