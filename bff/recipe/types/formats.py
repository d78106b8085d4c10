"""The types of bodies that are no JSON."""

from __future__ import annotations

from bff.recipe.model import BodyFormat
from bff.types.model import STRING, Array, Member, Record, Type, Unknown, nullable

_CELL = nullable(STRING)
_VALUE = Unknown("nobody describes what the lines hold", "a function of yours whose hint says what it is")


def type_of_format(one: BodyFormat) -> Type:
    """The type of what a body is read as."""
    match one.name:
        case "text":
            return STRING
        case "csv":
            return Array(
                Record(tuple((name, Member(_CELL)) for name in one.header), None if one.header else _CELL)
            )
        case "ndjson":
            return Array(_VALUE)
        case "form":
            return Record((), STRING)


def may_be_nothing(one: BodyFormat | None) -> bool:
    """Whether the value of a step is null where its reply has no body; in some formats that is a value."""
    return one is None or (one.name == "csv" and not one.header)
