"""JSON text in and out, with the numbers and texts that only some decoders take made plain.

Replies of backends are decoded as leniently as JSON in the wild needs it: a lone surrogate is U+FFFD, a byte order
mark is dropped, and a number that nobody can hold is null: NaN, 1e400, an integer of over 1,000 digits. Every
other integer is exact, also beyond 64 bits. All else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, compress
from math import inf
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

JSON: TypeAlias = Any
"""None, bool, int, float, str, a list of JSON or a dict from str to JSON."""

_Total: TypeAlias = tuple[int, int, int]
"""Nodes, bytes and depth."""

MAX_DIGITS = 1_000
"""Of an integer: to read, to compare and to write a longer one takes ever longer."""

_MOST_EXPONENTS = 200
"""Of large ones; each takes the fast decoder 30 microseconds, and Python's half a one."""

_BOM = b"\xef\xbb\xbf"
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_TOO_MANY_DIGITS, _LARGE_EXPONENT = b"0" * (MAX_DIGITS + 1), b"0e000"
_MANY_DIGITS = b"0" * 200
"""With fewer, and an exponent of two digits, a number is a float."""
_LONGEST = 10**MAX_DIGITS
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# A match is the lone surrogates in a row, or all between them: to look at each escape by itself takes ten times longer.
_LONE_OR_BETWEEN = re.compile(
    rf"(?P<lone>(?:{_HIGH}(?!{_LOW})|{_LOW})++)|(?:[^\\]++|{_HIGH}{_LOW}|\\(?!u[dD][89a-fA-F][0-9a-fA-F]{{2}}).)++",
    re.DOTALL,
)
_ESCAPED, _REPLACEMENT = 6, r"\ufffd"
_CONTAINERS = frozenset((dict, list))
_is_container = _CONTAINERS.__contains__
_is_text = frozenset((str,)).__contains__
_is_integer = frozenset((int,)).__contains__
_QUICKLY = 20_000
_fast = msgspec.json.Decoder().decode
_encode_into = msgspec.json.Encoder().encode_into
_LITTLE_ROOM, _ROOM, _MORE_ROOM = 16 * 1024, 64 * 1024, 16


class NotJSON(ValueError):
    """A text is not JSON; the message names no part of it."""


class TooDeep(ValueError):
    """JSON is nested deeper than allowed."""


class TooLarge(ValueError):
    """A value is over a bound of `measure`; `bound` is `nodes`, `bytes` or `depth`."""

    def __init__(self, bound: str) -> None:
        self.bound = bound
        super().__init__(f"over the bound of {bound}")


def decode_exactly(raw: bytes, max_depth: int) -> JSON:
    """Like `decode`, but a number that would be null is no JSON: what is made of the value is written."""
    return decode(raw, max_depth, _EXACT)


def decode(raw: bytes, max_depth: int = 100, lenient: json.JSONDecoder | None = None) -> JSON:
    """The value of a JSON text in UTF-8; raises NotJSON or TooDeep.

    The last of doubled keys wins. A scalar has depth 0, `[]` depth 1. `lenient` reads what is not plain.
    """
    raw = raw.removeprefix(_BOM)
    try:
        plain = len(raw) <= MAX_DIGITS or not is_slow(raw)
        value = _fast(raw) if plain else _decode_with(lenient or _LENIENT, raw)
    except RecursionError:
        raise TooDeep(f"JSON is nested deeper than {max_depth}") from None
    except ValueError:
        value = _decode_with(lenient or _LENIENT, raw)
    if len(raw) > 2 * max_depth and _deeper_than(value, max_depth):
        raise TooDeep(f"JSON is nested deeper than {max_depth}")
    return value


def decoder_for(raw: bytes) -> Callable[[bytes], JSON]:
    """The quickest that gives what `decode` does for a text that `encode` made, which was decoded once."""
    return decode if is_slow(raw) else _fast


def is_slow(raw: bytes) -> bool:
    """Whether the fast decoder takes long for a text: for integers of up to 4,300 digits, or for large exponents."""
    found = raw.translate(_DIGITS_AS_ZEROS, b"+-")  # a regular expression would cost ten times this
    return _TOO_MANY_DIGITS in found or found.count(_LARGE_EXPONENT) > _MOST_EXPONENTS


def check_strictly(raw: bytes) -> None:
    """Raises ValueError or RecursionError for a text that is no plain JSON: with NaN or half a character in it."""
    if len(raw) > MAX_DIGITS and is_slow(raw):
        encode(_EXACT.decode(raw.decode()))  # which refuses half a character
    else:
        _fast(raw)


def _decode_with(decoder: json.JSONDecoder, raw: bytes) -> JSON:
    try:
        return decoder.decode(_replace_lone_surrogates(raw.decode("utf-8")))
    except RecursionError:
        raise TooDeep("JSON is nested too deep") from None
    except ValueError as error:
        raise NotJSON("the text is not JSON") from error


def _replace_lone_surrogates(text: str) -> str:
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _LONE_OR_BETWEEN.sub(_replaced, text)


def _replaced(match: re.Match[str]) -> str:
    lone: str | None = match["lone"]
    return match[0] if lone is None else _REPLACEMENT * (len(lone) // _ESCAPED)


def _int(digits: str) -> int | None:
    return int(digits) if len(digits.removeprefix("-")) <= MAX_DIGITS else None


def _int_or_infinity(digits: str) -> float:
    value = _int(digits)
    return inf if value is None else value


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if abs(value) != inf else None


def _no_number(_name: str) -> None:
    return None


def _or_refused(read: Callable[[str], JSON]) -> Callable[[str], JSON]:
    def read_or_refuse(digits: str) -> JSON:
        value = read(digits)
        if value is None:
            raise NotJSON("a number is none that can be held")
        return value

    return read_or_refuse


_LENIENT = json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_no_number)
_EXACT = json.JSONDecoder(
    parse_int=_or_refused(_int), parse_float=_or_refused(_float), parse_constant=_or_refused(_no_number)
)
_MARKING = json.JSONDecoder(parse_int=_int_or_infinity)


def is_large(value: JSON) -> bool:
    """Whether a value is an integer of too many digits, or over what a float can be."""
    if type(value) is int:
        return not -_LONGEST < value < _LONGEST
    return type(value) is float and abs(value) == inf


def large_numbers(raw: bytes) -> Iterator[tuple[str | int, ...]]:
    """The places of the numbers in a JSON text that are large, as `is_large` says it; none where it is no JSON."""
    found = raw.translate(_DIGITS_AS_ZEROS, b"+")
    if _MANY_DIGITS not in found and _LARGE_EXPONENT not in found:
        return
    try:
        value = _MARKING.decode(raw.decode())
    except (ValueError, RecursionError):
        return
    place: list[str | int] = []
    levels: list[Iterator[tuple[str | int, JSON]]] = [_inside(value)]
    if is_large(value):
        yield ()
    while levels:
        for key, one in levels[-1]:
            if _is_container(type(one)):
                place.append(key)
                levels.append(_inside(one))
                break
            if is_large(one):
                yield (*place, key)
        else:
            levels.pop()
            del place[-1:]


def _inside(value: JSON) -> Iterator[tuple[str | int, JSON]]:
    if type(value) is dict:
        return iter(value.items())
    return enumerate(value) if type(value) is list else iter(())


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
    if text is None or not _is_no_deeper(value, text.count(b"{") + text.count(b"["), max_depth):
        measure(value, max_nodes, max_bytes, max_depth)
    return encode(value) if text is None else text


def encode_sorted_within(value: JSON, max_nodes: int, max_bytes: int, max_depth: int) -> bytes:
    """Like `encode_within`, with the keys of mappings in the order of their characters."""
    text = encode_within(value, max_nodes, max_bytes, max_depth)
    return msgspec.json.encode(value, order="sorted") if b"{" in text else text


def encoder_within(
    max_bytes: int, max_depth: int, closely: Callable[[JSON], bytes]
) -> Callable[[JSON], bytes]:
    """What writes a value that is plainly within bounds, as most are; `closely` writes any other."""
    room = min(_LITTLE_ROOM, max_bytes // 2)

    def encode(value: JSON) -> bytes:
        buffer = bytearray(room)
        try:
            with memoryview(buffer):  # while it is looked at, Python lets nobody make it longer
                _encode_into(value, buffer)
        except (BufferError, RecursionError):
            return closely(value)
        # As many brackets as there are levels, and more only where some stand side by side or in a text.
        brackets = buffer.count(b"{") + buffer.count(b"[")
        if brackets <= max_depth or _is_no_deeper(value, brackets, max_depth):
            return bytes(buffer)
        return closely(value)

    return encode


def encoder_of_structs(max_bytes: int, encode: Callable[[JSON], bytes]) -> Callable[[Any], bytes]:
    """What writes a struct that is known not to nest too deep; `encode` writes all else, and what is too large."""
    room = min(_LITTLE_ROOM, max_bytes // 2)

    def encode_struct(value: Any) -> bytes:
        if not isinstance(value, Struct):
            return encode(value)
        buffer = bytearray(room)
        try:
            with memoryview(buffer):  # while it is looked at, Python lets nobody make it longer
                _encode_into(value, buffer)
        except BufferError:
            text = _encode_at_most(value, max_bytes // 2)
            return encode(msgspec.to_builtins(value)) if text is None else text
        return bytes(buffer)

    return encode_struct


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


def _is_no_deeper(value: JSON, brackets: int, max_depth: int) -> bool:
    """Whether a value that was written with so many opening brackets nests no deeper; what has none needs no look."""
    unseen = brackets
    level = [value] if _is_container(type(value)) else []
    for depth in range(1, max_depth + 1):
        unseen -= len(level)
        if not level or depth + unseen <= max_depth:
            return True
        level = _containers_in(level)
    return not level


def measure(value: JSON, max_nodes: int, max_bytes: int, max_depth: int) -> int:
    """The nodes of a value; raises TooLarge where encoding it would go over a bound.

    Takes time and memory linear in the value's distinct containers. A list that stands in several places counts in
    each, and is counted before anybody looks into it. Bytes are counted from below (characters, quotes, commas, the
    digits of integers, one of other numbers): what fits here may still be longer once encoded, though not by orders.
    """
    bounds = (max_nodes, max_bytes, max_depth)
    nodes = _measure_by_level(value, bounds)
    return _measure_once_each(value, bounds) if nodes is None else nodes


def _check(nodes: int, size: int, depth: int, bounds: tuple[int, int, int]) -> None:
    for found, bound, name in zip((nodes, size, depth), bounds, ("nodes", "bytes", "depth"), strict=True):
        if found > bound:
            raise TooLarge(name)


def _measure_by_level(value: JSON, bounds: tuple[int, int, int]) -> int | None:
    """Measures level by level, copies and all; None when that would take too long."""
    nodes, size, depth = 0, -1, 0  # no comma stands behind the whole
    level = [value]
    while level:
        own_nodes, own_size, containers = _own_size(level)
        nodes += own_nodes
        size += own_size
        depth += bool(containers)
        coming = nodes + sum(map(len, containers))
        _check(coming, size + 2 * (coming - nodes), depth, bounds)
        if coming > _QUICKLY:
            return None
        mappings = [container for container in containers if type(container) is dict]
        size += sum(map(len, chain.from_iterable(mappings))) + 3 * sum(map(len, mappings))
        level = list(chain.from_iterable(map(_values_of, containers)))
    _check(nodes, size, depth, bounds)
    return nodes


def _measure_once_each(value: JSON, bounds: tuple[int, int, int]) -> int:
    totals: dict[int, _Total] = {}
    entered: dict[int, tuple[int, int, list[JSON]]] = {}
    stack, met = [value], 1
    while stack:
        container = stack[-1]
        key = id(container)
        if key in totals:
            stack.pop()
            continue
        if key not in entered:
            met += len(container)  # each stands in the whole at least once
            _check(met, 0, 0, bounds)
            entered[key] = own = _own_size(_values_of(container))
            waiting = [child for child in own[2] if id(child) not in totals]
            if waiting:
                stack += waiting
                continue
        stack.pop()
        nodes, size, depth = totals[key] = _total(container, entered[key], totals)
        _check(nodes + 1, size + 1, depth, bounds)
    return totals[id(value)][0] + 1


def _total(container: JSON, own: tuple[int, int, list[JSON]], totals: dict[int, _Total]) -> _Total:
    """What is in a container, and how deep, when those in it are counted."""
    nodes, size, inner = own
    depth = 0
    for child in inner:
        if id(child) not in totals:  # a container inside itself has no end
            raise TooLarge("depth")
        child_nodes, child_size, child_depth = totals[id(child)]
        nodes += child_nodes
        size += child_size
        depth = max(depth, child_depth)
    return nodes, size + (_keys_size(container) if type(container) is dict else 0), depth + 1


def _own_size(values: Iterable[JSON]) -> tuple[int, int, list[JSON]]:
    """The count of some values, their least bytes without what is in containers, the containers among them.

    A comma is counted behind each value; a container's two brackets count once, for the comma its last value lacks.
    """
    values = list(values)
    kinds = list(map(type, values))
    containers = [] if _CONTAINERS.isdisjoint(kinds) else list(compress(values, map(_is_container, kinds)))
    texts = kinds.count(str)
    length = sum(map(len, compress(values, map(_is_text, kinds)))) if texts else 0
    if int in kinds:
        length += _further_digits(list(compress(values, map(_is_integer, kinds))))
    return len(values), 2 * len(values) + texts + length, containers


def _further_digits(integers: list[int]) -> int:
    """The digits behind the first of each integer, from below."""
    bits = sum(map(int.bit_length, integers)) - len(integers)
    return max(0, bits) * 3 // 10 - len(integers) if bits > 64 * len(integers) else 0


def _values_of(container: JSON) -> Iterable[JSON]:
    return container.values() if type(container) is dict else container


def _keys_size(mapping: dict[str, JSON]) -> int:
    return sum(map(len, mapping)) + 3 * len(mapping)
