"""The fields of a type: each place at which a value ends, and whether it is known what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from bff.types.model import (
    NOT_LISTED,
    NULL,
    Array,
    Named,
    Record,
    Type,
    Union,
    Unknown,
    Unverified,
)


class Leaf(Struct, frozen=True):
    """One field by its path (`todos[*].title`), with why nobody knows what it is; one that is unverified is typed."""

    path: str
    unknown: Unknown | None = None
    unverified: bool = False

    @property
    def typed(self) -> bool:
        """Whether it is known what stands there, or what is expected."""
        return self.unknown is None


def leaves_of(one: Type) -> tuple[Leaf, ...]:
    """The fields of a type; those of a name are told where it is met first, behind those of what it stands in."""
    found: dict[Leaf, None] = {}
    seen: set[str] = set()
    waiting: Waiting = [(one, "", False)]
    for part, path, loose in waiting:
        if not isinstance(part, Named):
            found.update(dict.fromkeys(_leaves(part, path, loose, waiting)))
        elif part.name not in seen:
            seen.add(part.name)
            waiting.append((part.type, path, loose))
    return tuple(found)


Waiting: TypeAlias = list[tuple[Type, str, bool]]
"""Types that are still to be gone through, each with its path and whether it is unverified."""


def _leaves(one: Type, path: str, unverified: bool, waiting: Waiting) -> Iterator[Leaf]:
    match one:
        case Unknown():
            yield Leaf(path, one, unverified)
        case Unverified(expected=expected):
            yield from _leaves(expected, path, True, waiting)
        case Named():
            waiting.append((one, path, unverified))
        case Array(element=element) if element != Union(()):
            yield from _leaves(element, f"{path}[*]", unverified, waiting)
        case Record(members=members, other=other) if members or other is not None:
            for name, member in members:
                yield from _leaves(member.type, _below(path, name), unverified, waiting)
            if other is not None and other != NOT_LISTED:
                yield from _leaves(other, f"{path}[key]", unverified, waiting)
        case Union(options=options) if any(_is_container(option) for option in options):
            for option in options:
                if option != NULL:
                    yield from _leaves(option, path, unverified, waiting)
        case _:
            yield Leaf(path, None, unverified)


def _is_container(one: Type) -> bool:
    return isinstance(one, Array | Record | Named)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}".removeprefix(".") if name.isidentifier() else f"{path}[{name!r}]"
