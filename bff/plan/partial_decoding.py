"""Replies decoded to what the recipe reads of them and no more.

The planner knows every path that a page reads of a reply. A type that holds those members alone decodes it in about
half the time, and what it gives needs no look afterwards: numbers are bounded and depth is, by the type. A reply
that does not fit the type (a text where an object was read, a number of more than 63 bits) is decoded whole, so that
both ways give the same page. Of what is not read only the syntax is looked at.

A few floats take a thousand times as long as others of their length, and to look for them takes as long as the rest.
So a type has no floats until a reply has brought some where they are read; from then on replies are looked through.

What the page needs of a reply is a part of the type: a member without a default, a form without null. So a reply that
has it costs nothing more. One that the type refuses is decoded whole, and walked through for what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, NamedTuple, Required, TypeAlias, TypedDict

import msgspec

from bff import jsontext
from bff.expressions.paths import Any_, Path
from bff.expressions.values import MEMBER, MEMBER_DEPTH
from bff.jsontext import JSON
from bff.plan.holding import Held, HeldType, hold, hold_types

Decode: TypeAlias = Callable[[bytes, int], JSON]

_Int: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_LEVELS = 4
_DEEPEST = 20
_BOUNDED = _DEEPEST + _LEVELS + 2
"""No type lets JSON nest deeper than this."""
_LONG = 4_096
"""What is no longer is decoded in no time, whatever numbers it holds."""


_KINDS: Mapping[str, Any] = {"string": str, "boolean": bool, "integer": _Int, "number": _Int}


class _Whole(NamedTuple):
    """The types of what is read whole: how deep it may nest, and whether it may hold floats.

    What nests deeper, which is seldom, has its reply decoded whole. Each level takes twice as long to make.
    """

    levels: int
    with_floats: bool = False

    def type(self, *, nullable: bool = True, form: str = "any") -> Any:
        """The type of such a value, which may be an object or list alone."""
        inner = _any_value(self.levels - 1, self.with_floats)
        if form == "object":
            found: Any = dict[str, inner]  # type: ignore[valid-type]
        elif form == "list":
            found = list[inner]  # type: ignore[valid-type]
        elif form in _KINDS:
            found = _Int | float if form == "number" and self.with_floats else _KINDS[form]
        elif nullable:
            return _any_value(self.levels, self.with_floats)
        else:
            found = _scalar(self.with_floats) | list[inner] | dict[str, inner]  # type: ignore[valid-type]
        return found | None if nullable else found


@cache
def _any_value(levels: int, with_floats: bool) -> Any:
    """The type of any value that nests so deep, at most."""
    scalar = _scalar(with_floats) | None
    if levels == 0:
        return scalar
    inner = _any_value(levels - 1, with_floats)
    return scalar | list[inner] | dict[str, inner]  # type: ignore[valid-type]


def _scalar(with_floats: bool) -> Any:
    return bool | str | _Int | float if with_floats else bool | str | _Int


_NOTHING = Held((), required=False)


class _Node:
    """What is read of one value: all of it, some members, or something of each element."""

    __slots__ = ("element", "is_mapping", "members", "need", "whole")

    def __init__(self) -> None:
        self.whole = self.is_mapping = False
        self.need = _NOTHING
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

    def look_at(self, need: Held) -> None:
        """Note what is needed of what is at a path, which is read so far as it is looked at."""
        node = self
        for key in need.path:
            if node.whole:
                return
            if isinstance(key, Any_):
                inner = node.element = node.element or _Node()
            else:
                inner = node.members.setdefault(key, _Node())
            node = inner
        node.need = need

    def type(self, whole: _Whole, depth: int = 0) -> Any:
        """The type of such a value, whose parts may nest so deep; null stands for itself where nothing rules it out."""
        nullable, form = self.need.nullable, "any" if self.need.looked_at else self.need.form
        if not self.is_typed(depth):
            return whole.type(nullable=nullable, form=form)
        if self.element is not None:
            inner = self.element.type(whole, depth + 1)
            found: Any = list[inner] if form == "list" else list[inner] | dict[str, inner]  # type: ignore[valid-type]
        else:
            found = self._record(_Whole(MEMBER_DEPTH, whole.with_floats), depth + 1)
        return found | None if nullable else found

    def _record(self, whole: _Whole, depth: int) -> Any:
        """The type of an object that holds the members; one that is needed has no default."""
        members = {name: node.type(whole, depth) for name, node in self.members.items()}
        needed = {name for name, node in self.members.items() if node.need.required}
        if not self.is_struct:
            forms = {name: Required[one] if name in needed else one for name, one in members.items()}
            return TypedDict("Read", forms, total=False)  # type: ignore[operator]
        fields = [
            (MEMBER + name, one) if name in needed else (MEMBER + name, one, None)
            for name, one in members.items()
        ]
        names = {MEMBER + name: name for name in members}
        return msgspec.defstruct("Read", fields, rename=names, gc=False, kw_only=True)

    def is_typed(self, depth: int) -> bool:
        """Whether such a value, so deep in a reply, has a type that tells its parts."""
        return not self.whole and depth <= _DEEPEST and self._reads() and self._has_type()

    def says(self, path: Path) -> bool:
        """Whether the type says of what is at a path, which is read, what is needed of it."""
        node: _Node = self
        for depth, key in enumerate(path):
            inner = node.element if isinstance(key, Any_) else node.members.get(key)
            if inner is None or not node.is_typed(depth):
                return False
            node = inner
        if not node.is_typed(len(path)):
            return True
        if node.need.form in _KINDS:
            return False
        return node.need.looked_at or node.need.form != ("list" if node.element is None else "object")

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
    """Decodes replies of which only these paths are read (below the body), and holds them to the `needs`.

    What is at one of the `mappings` stays a mapping, since functions look its members up. The types are made for the
    first reply, or by `prepare`. What is at the paths of `types` is decoded whole and held to them. It raises what
    `jsontext.decode` raises, and UnmetNeed.
    """

    __slots__ = ("_looks", "_plain", "_unsaid", "_with_floats", "mappings", "needs", "paths", "types")

    def __init__(
        self,
        paths: tuple[Path, ...],
        mappings: tuple[Path, ...] = (),
        needs: tuple[Held, ...] = (),
        types: tuple[HeldType, ...] = (),
    ) -> None:
        self.paths = paths
        self.mappings = mappings
        self.needs = needs
        self.types = types
        self._plain: Callable[[bytes], JSON] | None = None
        self._with_floats: Callable[[bytes], JSON] | None = None
        self._unsaid: tuple[Held, ...] = ()
        self._looks = False

    def __reduce__(self) -> tuple[Any, ...]:
        return NarrowDecoder, (self.paths, self.mappings, self.needs, self.types)

    def __call__(self, raw: bytes, max_depth: int) -> JSON:
        if max_depth < _BOUNDED:
            return self._decode_whole(raw, max_depth)
        if self._with_floats is None:
            plain = self._plain or self.prepare()
            try:
                if not raw.isascii():
                    raw.decode()  # texts that are skipped are not looked at
                value = plain(raw)
                if self._looks:
                    self._look(value, self._unsaid)
                return value
            except (ValueError, RecursionError):
                pass
        return self._decode_with_floats(raw, max_depth)

    @staticmethod
    def freely(raw: bytes, max_depth: int) -> JSON:
        """Decode a reply that is held to nothing."""
        return jsontext.decode(raw, max_depth)

    def prepare(self) -> Callable[[bytes], JSON]:
        """Make the type that replies are decoded into, and find what it does not say of what is needed."""
        root = self._root()
        unsaid = [need.path for need in self.needs if not root.says(need.path)]
        # Nothing is held of what is in a list that is none, so the look goes over such lists, too.
        self._unsaid = tuple(
            need
            for need in self.needs
            if need.path in unsaid
            or (need.looked_at and any(path[: len(need.path)] == need.path for path in unsaid))
        )
        self._looks = bool(self._unsaid or self.types)
        # Last: another thread takes it as soon as it is there.
        self._plain = plain = _decoder_into(root, with_floats=False)
        return plain

    def _decode_with_floats(self, raw: bytes, max_depth: int) -> JSON:
        if len(raw) <= _LONG or not jsontext.is_slow(raw):
            decode = self._with_floats or _decoder_into(self._root(), with_floats=True)
            with suppress(ValueError, RecursionError):
                if not raw.isascii():
                    raw.decode()
                value = decode(raw)
                self._with_floats = decode
                self._look(value, self._unsaid)
                return value
        return self._decode_whole(raw, max_depth)

    def _decode_whole(self, raw: bytes, max_depth: int) -> JSON:
        value = jsontext.decode(raw, max_depth)
        self._look(value, self.needs)
        return value

    def _look(self, value: JSON, needs: tuple[Held, ...]) -> None:
        hold(value, needs)
        hold_types(value, self.types)

    def _root(self) -> _Node:
        whole = (one.path for one in self.types)
        return _root_of((*self.paths, *whole), self.mappings, self.needs)

    def is_struct(self) -> Callable[[Path], bool]:
        """What says whether the part of a reply at a path is a struct or null."""
        root = self._root()
        return lambda path: (node := root.at(path)) is not None and node.is_struct


def _decoder_into(root: _Node, *, with_floats: bool) -> Callable[[bytes], JSON]:
    return msgspec.json.Decoder(root.type(_Whole(_LEVELS, with_floats))).decode


class ExactDecoder:
    """Decodes replies of which writes are made, whole and exactly, and holds them to the `needs`."""

    __slots__ = ("needs", "types")

    def __init__(self, needs: tuple[Held, ...], types: tuple[HeldType, ...] = ()) -> None:
        self.needs = needs
        self.types = types

    def __reduce__(self) -> tuple[Any, ...]:
        return ExactDecoder, (self.needs, self.types)

    @staticmethod
    def freely(raw: bytes, max_depth: int) -> JSON:
        """Decode a reply that is held to nothing."""
        return jsontext.decode_exactly(raw, max_depth)

    def __call__(self, raw: bytes, max_depth: int) -> JSON:
        value = jsontext.decode_exactly(raw, max_depth)
        hold(value, self.needs)
        hold_types(value, self.types)
        return value


def decoder_of(
    paths: Iterable[Path],
    mappings: Iterable[Path] = (),
    needs: Iterable[Held] = (),
    types: Iterable[HeldType] = (),
) -> NarrowDecoder:
    """A decoder of replies of which these paths are read (below the body)."""
    read, looked_up = (tuple(sorted(set(found), key=str)) for found in (paths, mappings))
    decoder = NarrowDecoder(read, looked_up, tuple(needs), tuple(types))
    decoder.prepare()
    return decoder


def _root_of(paths: Iterable[Path], mappings: Iterable[Path], needs: Iterable[Held]) -> _Node:
    root = _Node()
    for path in paths:
        root.read(path)
    for path in mappings:
        if (node := root.at(path)) is not None:
            node.is_mapping = True
    for need in needs:
        root.look_at(need)
    return root
