"""Replies decoded to what the recipe reads of them and no more.

The planner knows every path that a page reads of a reply. A type that holds those members alone decodes it in about
half the time, and what it gives needs no look afterwards: numbers are bounded and depth is, by the type. A reply
that does not fit the type (a text where an object was read, a number of more than 63 bits) is decoded whole, so that
both ways give the same page. Of what is not read only the syntax is looked at.

A few floats take a thousand times as long as others of their length, and to look for them takes as long as the rest.
So a type has no floats until a reply has brought some where they are read; from then on replies are looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any, NamedTuple, TypeAlias, TypedDict

import msgspec

from bff import jsontext
from bff.expressions.paths import Any_, Path
from bff.expressions.values import MEMBER, MEMBER_DEPTH
from bff.jsontext import JSON

Decode: TypeAlias = Callable[[bytes, int], JSON]

_Int: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_LEVELS = 4
_DEEPEST = 20
_BOUNDED = _DEEPEST + _LEVELS + 2
"""No type lets JSON nest deeper than this."""
_LONG = 4_096
"""What is no longer is decoded in no time, whatever numbers it holds."""


def _whole(scalar: Any, levels: int) -> Any:
    """The type of what is read whole and nests so deep, at most."""
    found = scalar
    for _ in range(levels):
        found = scalar | list[found] | dict[str, found]  # type: ignore[valid-type]
    return found


class _Whole(NamedTuple):
    """The types of what is read whole: of a reply or of its elements, and of a member.

    What nests deeper, which is seldom, has its reply decoded whole. Each level takes twice as long to make.
    """

    reply: Any
    member: Any


_PLAIN = bool | str | _Int | None
_WHOLE = _Whole(_whole(_PLAIN, _LEVELS), _whole(_PLAIN, MEMBER_DEPTH))
_WHOLE_WITH_FLOATS = _Whole(_whole(_PLAIN | float, _LEVELS), _whole(_PLAIN | float, MEMBER_DEPTH))


class _Node:
    """What is read of one value: all of it, some members, or something of each element."""

    __slots__ = ("element", "is_mapping", "members", "whole")

    def __init__(self) -> None:
        self.whole = self.is_mapping = False
        self.members: dict[str, _Node] = {}
        self.element: _Node | None = None

    def read(self, path: Path) -> None:
        """Note that what is at a path is read."""
        if not path:
            self.whole = True
            return
        key, *rest = path
        if isinstance(key, Any_):
            self.element = self.element or _Node()
            self.element.read(tuple(rest))
        else:
            self.members.setdefault(key, _Node()).read(tuple(rest))

    def type(self, whole: _Whole, depth: int = 0) -> Any:
        """The type of such a value, with those of what is read whole; null stands for itself everywhere."""
        if self.whole or depth > _DEEPEST or not self._reads() or not self._has_type():
            return whole.reply
        if self.element is not None:
            inner = self.element.type(whole, depth + 1)
            return list[inner] | dict[str, inner] | None  # type: ignore[valid-type]
        inside = _Whole(whole.member, whole.member)
        members = {name: node.type(inside, depth + 1) for name, node in self.members.items()}
        if self.is_struct:
            fields = [(MEMBER + name, member, None) for name, member in members.items()]
            names = {MEMBER + name: name for name in members}
            return msgspec.defstruct("Read", fields, rename=names, gc=False) | None
        return TypedDict("Read", members, total=False) | None  # type: ignore[operator]

    @property
    def is_struct(self) -> bool:
        """Whether a value that is none of the rare ones is decoded into a struct, or is null."""
        return (
            bool(self.members)
            and not (self.whole or self.is_mapping or self.element)
            and all(name.isidentifier() and name.isascii() for name in self.members)
        )

    def at(self, path: Path) -> _Node | None:
        """The part of what is read that a path leads to."""
        node: _Node | None = self
        for key in path:
            if node is None or node.whole:
                return None
            node = node.element if isinstance(key, Any_) else node.members.get(key)
        return node

    def _reads(self) -> bool:
        return bool(self.members) or self.element is not None

    def _has_type(self) -> bool:
        # Not a mapping that is read by its own keys and by computed ones; and msgspec finds only ASCII members.
        return not (self.members and self.element) and all(map(str.isascii, self.members))


class NarrowDecoder:
    """Decodes replies of which only these paths are read (below the body).

    What is at one of the `mappings` stays a mapping, since functions look its members up. The types are made for the
    first reply, or by `prepare`. It raises what `jsontext.decode` raises.
    """

    __slots__ = ("_plain", "_with_floats", "mappings", "paths")

    def __init__(self, paths: tuple[Path, ...], mappings: tuple[Path, ...] = ()) -> None:
        self.paths = paths
        self.mappings = mappings
        self._plain: Callable[[bytes], JSON] | None = None
        self._with_floats: Callable[[bytes], JSON] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return NarrowDecoder, (self.paths, self.mappings)

    def __call__(self, raw: bytes, max_depth: int) -> JSON:
        if max_depth < _BOUNDED:
            return jsontext.decode(raw, max_depth)
        if self._with_floats is None:
            plain = self._plain or self.prepare()
            try:
                if not raw.isascii():
                    raw.decode()  # texts that are skipped are not looked at
                return plain(raw)
            except (ValueError, RecursionError):
                pass
        return self._decode_with_floats(raw, max_depth)

    def prepare(self) -> Callable[[bytes], JSON]:
        """Make the type that replies are decoded into."""
        self._plain = plain = self._decoder(_WHOLE)
        return plain

    def _decode_with_floats(self, raw: bytes, max_depth: int) -> JSON:
        if len(raw) <= _LONG or not jsontext.is_slow(raw):
            decode = self._with_floats or self._decoder(_WHOLE_WITH_FLOATS)
            with suppress(ValueError, RecursionError):
                if not raw.isascii():
                    raw.decode()
                value = decode(raw)
                self._with_floats = decode
                return value
        return jsontext.decode(raw, max_depth)

    def _decoder(self, whole: _Whole) -> Callable[[bytes], JSON]:
        return msgspec.json.Decoder(_root_of(self.paths, self.mappings).type(whole)).decode

    def is_struct(self) -> Callable[[Path], bool]:
        """What says whether the part of a reply at a path is a struct or null."""
        root = _root_of(self.paths, self.mappings)
        return lambda path: (node := root.at(path)) is not None and node.is_struct


def decoder_of(paths: Iterable[Path], mappings: Iterable[Path] = ()) -> NarrowDecoder:
    """A decoder of replies of which these paths are read (below the body)."""
    decoder = NarrowDecoder(tuple(sorted(set(paths), key=str)), tuple(sorted(set(mappings), key=str)))
    decoder.prepare()
    return decoder


def _root_of(paths: Iterable[Path], mappings: Iterable[Path] = ()) -> _Node:
    root = _Node()
    for path in paths:
        root.read(path)
    for path in mappings:
        if (node := root.at(path)) is not None:
            node.is_mapping = True
    return root
