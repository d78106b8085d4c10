"""JSON text in and out, with the numbers and texts that only some decoders take made plain.

Replies of backends are decoded as leniently as JSON in the wild needs it: a number that is not finite or does
not fit into 64 bits is null, a lone surrogate is U+FFFD, a byte order mark is dropped. All else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import chain, compress
from typing import Any, TypeAlias

import msgspec

JSON: TypeAlias = Any
"""None, bool, int, float, str, a list of JSON or a dict from str to JSON."""

SMALLEST_INT = -(2**63)
LARGEST_INT = 2**64 - 1

_BOM = b"\xef\xbb\xbf"
_LONGEST_INT = 20
_DIGITS_AS_ZEROS = bytes(
    ord("0") if chr(code).isascii() and chr(code).isdigit() else 32 for code in range(256)
)
_POSSIBLY_TOO_LARGE = b"0" * 19
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_CONTAINERS = frozenset((dict, list))
_is_container = _CONTAINERS.__contains__
_is_text = frozenset((str,)).__contains__
_QUICKLY = 20_000
_fast = msgspec.json.Decoder().decode
_encode_into = msgspec.json.Encoder().encode_into
_ROOM, _MORE_ROOM = 64 * 1024, 16


class NotJSON(ValueError):
    """A text is not JSON; the message names no part of it."""


class TooDeep(ValueError):
    """JSON is nested deeper than allowed."""


class TooLarge(ValueError):
    """A value is over a bound of `measure`; `bound` is `nodes`, `bytes` or `depth`."""

    def __init__(self, bound: str) -> None:
        self.bound = bound
        super().__init__(f"over the bound of {bound}")


def decode(raw: bytes, max_depth: int = 100) -> JSON:
    """The value of a JSON text in UTF-8; raises NotJSON or TooDeep.

    The last of doubled keys wins. A scalar has depth 0, `[]` depth 1.
    """
    raw = raw.removeprefix(_BOM)
    try:
        value = _decode_lenient(raw) if _may_hold_large_int(raw) else _fast(raw)
    except RecursionError:
        raise TooDeep(f"JSON is nested deeper than {max_depth}") from None
    except ValueError:
        value = _decode_lenient(raw)
    if len(raw) > 2 * max_depth and _deeper_than(value, max_depth):
        raise TooDeep(f"JSON is nested deeper than {max_depth}")
    return value


def _may_hold_large_int(raw: bytes) -> bool:
    # The fast decoder takes some ints of more than 64 bits; a regular expression would cost ten times this.
    return _POSSIBLY_TOO_LARGE in raw.translate(_DIGITS_AS_ZEROS)


def _decode_lenient(raw: bytes) -> JSON:
    try:
        return _LENIENT.decode(_replace_lone_surrogates(raw.decode("utf-8")))
    except RecursionError:
        raise TooDeep("JSON is nested too deep") from None
    except ValueError as error:
        raise NotJSON("the text is not JSON") from error


def _replace_lone_surrogates(text: str) -> str:
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda match: "\\ufffd" if match["lone"] else match[0], text)


def _int(digits: str) -> int | None:
    if len(digits) > _LONGEST_INT:
        return None
    value = int(digits)
    return value if SMALLEST_INT <= value <= LARGEST_INT else None


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if abs(value) != float("inf") else None


def _no_number(_name: str) -> None:
    return None


_LENIENT = json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_no_number)


def _deeper_than(value: JSON, max_depth: int) -> bool:
    level = [value] if _is_container(type(value)) else []
    for _ in range(max_depth):
        if not level:
            return False
        level = _containers_in(level)
    return bool(level)


def _containers_in(containers: Iterable[JSON]) -> list[JSON]:
    children: list[JSON] = []
    for container in containers:
        children.extend(container.values() if type(container) is dict else container)
    return list(compress(children, map(_is_container, map(type, children))))


def encode(value: JSON) -> bytes:
    """Compact JSON in UTF-8 of a value made of JSON; numbers that are not finite are null."""
    return msgspec.json.encode(value)


def encode_within(value: JSON, max_nodes: int, max_bytes: int, max_depth: int) -> bytes:
    """JSON of a value; raises TooLarge where `measure` does, and takes no more memory than the bounds are.

    To write a text costs a sixth of measuring its value, and a short one proves most of what is asked: `measure`
    counts no more bytes than are written, and for each node at least one and a comma.
    """
    text = _encode_at_most(value, min(max_bytes, 2 * max_nodes))
    if text is None or not _is_no_deeper(value, text, max_depth):
        measure(value, max_nodes, max_bytes, max_depth)
    return encode(value) if text is None else text


def _encode_at_most(value: JSON, most: int) -> bytes | None:
    """JSON of a value; None where it has, or may have, more bytes."""
    room = min(_ROOM, most)
    while True:
        buffer = bytearray(room)
        try:
            with memoryview(buffer):  # while it is looked at, Python lets nobody make it longer
                _encode_into(value, buffer)
        except RecursionError:
            return None
        except BufferError:
            if room >= most:
                return None
            room = min(room * _MORE_ROOM, most)
        else:
            return bytes(buffer)


def _is_no_deeper(value: JSON, text: bytes, max_depth: int) -> bool:
    """Whether a value that was written nests no deeper; levels whose brackets are not in the text need no look."""
    unseen = text.count(b"{") + text.count(b"[")
    level = [value] if _is_container(type(value)) else []
    for depth in range(1, max_depth + 1):
        unseen -= len(level)
        if not level or depth + unseen <= max_depth:
            return True
        level = _containers_in(level)
    return not level


def measure(value: JSON, max_nodes: int, max_bytes: int, max_depth: int) -> None:
    """Raises TooLarge where encoding a value would go over a bound.

    Takes time linear in the value's distinct containers. A list that stands in several places counts in each.
    Bytes are counted from below (characters, quotes, commas, one digit a number): what fits here may still be
    longer once encoded, though not by orders.
    """
    bounds = (max_nodes, max_bytes, max_depth)
    if not _measure_by_level(value, bounds):
        _measure_once_each(value, bounds)


def _check(nodes: int, size: int, depth: int, bounds: tuple[int, int, int]) -> None:
    for found, bound, name in zip((nodes, size, depth), bounds, ("nodes", "bytes", "depth"), strict=True):
        if found > bound:
            raise TooLarge(name)


def _measure_by_level(value: JSON, bounds: tuple[int, int, int]) -> bool:
    """Measures level by level, copies and all; False when that would take too long."""
    nodes, size, depth = 0, -1, 0  # no comma stands behind the whole
    level = [value]
    while level:
        own_nodes, own_size, containers = _own_size(level)
        nodes += own_nodes
        size += own_size
        depth += bool(containers)
        _check(nodes, size, depth, bounds)
        if nodes > _QUICKLY:
            return False
        mappings = [container for container in containers if type(container) is dict]
        size += sum(map(len, chain.from_iterable(mappings))) + 3 * sum(map(len, mappings))
        level = list(chain.from_iterable(map(_values_of, containers)))
    _check(nodes, size, depth, bounds)
    return True


def _measure_once_each(value: JSON, bounds: tuple[int, int, int]) -> None:
    totals: dict[int, tuple[int, int, int]] = {}
    entered: set[int] = set()
    stack = [value]
    while stack:
        container = stack[-1]
        if id(container) in totals:
            stack.pop()
            continue
        children = container.values() if type(container) is dict else container
        nodes, size, inner = _own_size(children)
        waiting = [child for child in inner if id(child) not in totals]
        if waiting and id(container) not in entered:
            entered.add(id(container))
            stack.extend(waiting)
            continue
        if waiting:  # a container inside itself has no end
            raise TooLarge("depth")
        stack.pop()
        depth = 0
        for child in inner:
            child_nodes, child_size, child_depth = totals[id(child)]
            nodes += child_nodes
            size += child_size
            depth = max(depth, child_depth)
        if type(container) is dict:
            size += _keys_size(container)
        totals[id(container)] = (nodes, size, depth + 1)
        _check(nodes + 1, size + 1, depth + 1, bounds)


def _own_size(values: Iterable[JSON]) -> tuple[int, int, list[JSON]]:
    """The count of some values, their least bytes without what is in containers, the containers among them.

    A comma is counted behind each value; a container's two brackets count once, for the comma its last value lacks.
    """
    values = list(values)
    kinds = list(map(type, values))
    containers = [] if _CONTAINERS.isdisjoint(kinds) else list(compress(values, map(_is_container, kinds)))
    texts = kinds.count(str)
    length = sum(map(len, compress(values, map(_is_text, kinds)))) if texts else 0
    return len(values), 2 * len(values) + texts + length, containers


def _values_of(container: JSON) -> Iterable[JSON]:
    return container.values() if type(container) is dict else container


def _keys_size(mapping: dict[str, JSON]) -> int:
    return sum(map(len, mapping)) + 3 * len(mapping)
