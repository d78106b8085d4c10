"""Types as texts, as people who write TypeScript read them.

A record on one line is `{id: string, name?: string | null}`; what is too long for a line has a line for each member.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from bff.types.model import (
    NOT_LISTED,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Scalar,
    Type,
    Union,
    Unknown,
    Unverified,
)

_WIDTH = 88
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def text_of(one: Type, width: int = _WIDTH) -> str:
    """A type as a text; the names that it uses are explained by `definitions_text`."""
    flat = _flat(one)
    return flat if len(flat) <= width else "\n".join(_lines(one, width))


def definitions_of(one: Type) -> dict[str, Type]:
    """The names that a type uses, with what they stand for; those of the type itself come first."""
    found: dict[str, Type] = {}
    waiting = [one]
    for part in waiting:
        for named in _names_in(part):
            if named.name not in found:
                found[named.name] = named.type
                waiting.append(named.type)
    return found


def _names_in(one: Type) -> Iterator[Named]:
    """The names that are written in a type, without those behind them."""
    match one:
        case Named():
            yield one
        case Array(element=inner) | Unverified(expected=inner):
            yield from _names_in(inner)
        case Union(options=parts):
            for part in parts:
                yield from _names_in(part)
        case Record(members=members, other=other):
            for _, member in members:
                yield from _names_in(member.type)
            if other is not None:
                yield from _names_in(other)


def _flat(one: Type) -> str:
    match one:
        case Unknown():
            return "unknown"
        case Scalar(name=name) | Named(name=name):
            return name
        case Literal(value=value):
            return json.dumps(value, ensure_ascii=False)
        case Array(element=element):
            inner = _flat(element)
            return (
                f"({inner})[]"
                if isinstance(element, Union | Unverified) and inner != "never"
                else f"{inner}[]"
            )
        case Unverified(expected=expected):
            return f"{_flat(expected)} (unverified)"
        case Union(options=parts):
            return " | ".join(map(_flat, parts)) or "never"
        case Record():
            return "{" + ", ".join(f"{name}: {_flat(member)}" for name, member in _named(one)) + "}"


def _named(record: Record) -> Iterator[tuple[str, Type]]:
    """Each member as it is written before its colon, with its type."""
    for name, member in record.members:
        yield _key(name, member), member.type
    if record.other is not None and record.other != NOT_LISTED:
        yield "[key]", record.other


def _key(name: str, member: Member) -> str:
    written = name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)
    return written if member.required else f"{written}?"


def _lines(one: Type, width: int) -> list[str]:
    """A type on several lines, where a record in it does not fit on one."""
    flat = _flat(one)
    if len(flat) <= width:
        return [flat]
    match one:
        case Record():
            found = ["{"]
            for name, member in _named(one):
                first, *rest = _lines(member, width - 2 - len(name) - 2)
                found.append(f"  {name}: {first}")
                found += [f"  {line}" for line in rest]
                found[-1] += ","
            return [*found, "}"]
        case Array(element=element):
            inner = _lines(element, width)
            if isinstance(element, Union | Unverified):
                inner[0] = "(" + inner[0]
                inner[-1] += ")"
            inner[-1] += "[]"
            return inner
        case Unverified(expected=expected):
            inner = _lines(expected, width)
            inner[-1] += " (unverified)"
            return inner
        case Union(options=parts):
            found = []
            for at, part in enumerate(parts):
                inner = _lines(part, width)
                if at:
                    found[-1] += f" | {inner[0]}"
                    inner = inner[1:]
                found += inner
            return found
    return [flat]
