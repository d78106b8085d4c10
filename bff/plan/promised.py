"""What a backend promises of a reply as far as a page reads it: what its types say, and what is looked at beside.

Members that are read are held to their kind, whether they are required, and to null where that is declared; what is
read whole is held whole. Of what a text may be, only that it is one is held.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeAlias

from bff.expressions.paths import ANY, Any_, Path
from bff.plan.holding import Form, Held, HeldType
from bff.types.model import (
    NULL,
    Array,
    Literal,
    Member,
    Record,
    Scalar,
    Type,
    Union,
    Unknown,
    Unverified,
    opened,
    options,
    scalar_of,
)

_Read: TypeAlias = "dict[str | Any_ | None, _Read]"
"""What is read below a value, by key; None among the keys where all of it is."""


def promised(one: Type, paths: Iterable[Path]) -> tuple[tuple[Held, ...], tuple[HeldType, ...]]:
    """What must hold of a reply of a type of which these paths are read, by path; and what no need can say."""
    read: _Read = {}
    for path in paths:
        at = read
        for key in path:
            at = at.setdefault(key, {})
        at[None] = {}
    found = _Promised()
    if read:
        found.add(one, read, (), required=True)
    return tuple(found.needs), tuple(found.types)


class _Promised:
    def __init__(self) -> None:
        self.needs: list[Held] = []
        self.types: list[HeldType] = []

    def add(self, one: Type, read: _Read, path: Path, *, required: bool) -> None:
        """Add what is promised of the value at a path."""
        parts = [option for option in options(one) if option != NULL]
        if not parts or any(isinstance(part, Unknown | Unverified) for part in parts):
            return
        nullable = len(parts) < len(options(one))
        kinds = {_kind(part) for part in parts}
        form: Form = kinds.pop() if len(kinds) == 1 else "number" if kinds == {"integer", "number"} else "any"
        self.needs.append(Held(_one_text(path), required, nullable, form))
        match parts:
            case [Record() as record] if not (None in read or (ANY in read and record.members)):
                for key, inner in read.items():
                    self.add_member(record, key, inner, path)
            case [Array(element=element)] if None not in read:
                if ANY in read:
                    self.add(element, read[ANY], (*path, ANY), required=False)
            case _ if form not in ("string", "boolean", "integer", "number"):
                self.types.append(HeldType(path, _as_read(one, read)))

    def add_member(self, record: Record, key: str | Any_ | None, read: _Read, path: Path) -> None:
        if isinstance(key, str):
            member = record.member(key)
        else:
            member = None if record.other is None else Member(record.other, required=False)
        if member is not None and key is not None:
            self.add(member.type, read, (*path, key), required=member.required)


def _kind(part: Type) -> Form:
    match part:
        case Record():
            return "object"
        case Array():
            return "list"
        case Scalar(name=name):
            return name  # type: ignore[return-value]
        case Literal(value=value):
            return scalar_of(value).name  # type: ignore[return-value]
    return "any"


def _as_read(one: Type, read: _Read) -> Type:
    """The type without what is not read of its values."""
    if None in read:
        return one
    one = opened(one)
    match one:
        case Union():
            return Union(tuple(_as_read(part, read) for part in one.options))
        case Array(element=element):
            return Array(_as_read(element, read[ANY]) if ANY in read else Unknown())
        case Record():
            of_any = read.get(ANY)
            members = []
            for name, member in one.members:
                inner = read.get(name, of_any)
                if inner is not None:
                    members.append((name, Member(_as_read(member.type, inner), member.required)))
            other = None if one.other is None or of_any is None else _as_read(one.other, of_any)
            return Record(tuple(members), other)
    return one


def _one_text(path: Path) -> Path:
    """The path, of texts that are one object where they are equal: the compiled bytes are the same each time."""
    return tuple(sys.intern(key) if isinstance(key, str) else key for key in path)
