"""What is sure of a value that was told twice: once of what is expected, once of what can be there."""

from __future__ import annotations

from bff.types.model import Array, Member, Record, Type, Union, Unknown, Unverified, union_of, unverified


def verified(expected: Type, actual: Type) -> Type:
    """The expected type, in which all that the other does not agree with is marked as unverified."""
    if expected == actual or isinstance(expected, Unknown | Unverified):
        return expected
    match expected, actual:
        case Array(element=one), Array(element=other):
            return Array(verified(one, other))
        case Record(), Record():
            return _record(expected, actual)
        case Union(options=ones), Union(options=others) if list(map(type, ones)) == list(map(type, others)):
            parts = [verified(one, other) for one, other in zip(ones, others, strict=True)]
            if not any(isinstance(part, Unknown | Unverified) for part in parts):
                return union_of(*parts)
    return unverified(expected)


def _record(expected: Record, actual: Record) -> Type:
    ones, others = dict(expected.members), dict(actual.members)
    if ones.keys() != others.keys() or (expected.other is None) is not (actual.other is None):
        return unverified(expected)
    members = tuple((name, _member(one, others[name])) for name, one in ones.items())
    other = None
    if expected.other is not None and actual.other is not None:
        other = verified(expected.other, actual.other)
    return Record(members, other, expected.source)


def _member(expected: Member, actual: Member) -> Member:
    found = verified(expected.type, actual.type)
    return Member(found, expected.required and actual.required)
