"""JSON text in and out, compared with the standard library's where that is strict enough."""

from __future__ import annotations

import contextlib
import json
import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bff import jsontext
from bff.jsontext import (
    NotJSON,
    TooDeep,
    TooLarge,
    decode,
    encode,
    encode_within,
    is_large,
    large_numbers,
    measure,
)
from tests.properties import given, st

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
number = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(-(10**312), 10**312), st.floats(), st.integers(-100, 100)
)
scalar = st.one_of(st.none(), st.booleans(), number, text)
value = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=30,
)


def with_nulls(found: Any) -> Any:
    """What the layer makes of a value: numbers that are not finite and integers of over 308 digits are null."""
    if isinstance(found, list):
        return [with_nulls(element) for element in found]
    if isinstance(found, dict):
        return {key: with_nulls(element) for key, element in found.items()}
    if isinstance(found, float) and not math.isfinite(found):
        return None
    if type(found) is int and abs(found) >= 10**308:
        return None
    return found


@given(value, st.booleans())
def test_decoding_gives_what_the_standard_library_gives_with_nulls(found: Any, ascii_only: bool) -> None:
    raw = json.dumps(found, ensure_ascii=ascii_only).encode()
    decoded = decode(raw)
    assert decoded == with_nulls(found)
    assert encode(decoded) == encode(with_nulls(found))


@given(value)
def test_encoding_and_decoding_gives_the_value_back(found: Any) -> None:
    plain = with_nulls(found)
    assert decode(encode(plain)) == plain
    assert json.loads(encode(plain)) == plain


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    try:
        expected = json.loads(raw.removeprefix(b"\xef\xbb\xbf").decode(), parse_constant=lambda _: None)
    except ValueError:
        with pytest.raises(NotJSON):
            decode(raw)
    else:
        assert decode(raw) == with_nulls(expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xef\xbb\xbf[1]", [1]),
        (b"[NaN, Infinity, -Infinity]", [None, None, None]),
        (b"[1e400, -1e400, 1e-400]", [None, None, 0.0]),
        (b"[18446744073709551615, 18446744073709551616]", [2**64 - 1, 2**64]),
        (b"[-9223372036854775808, -9223372036854775809]", [-(2**63), -(2**63) - 1]),
        (b"[" + b"7" * 308 + b", -" + b"7" * 308 + b"]", [int("7" * 308), -int("7" * 308)]),
        (b"[" + b"7" * 309 + b", -" + b"7" * 309 + b", 2]", [None, None, 2]),
        (b'[NaN, 18446744073709551616, "\\ud800"]', [None, 2**64, "\ufffd"]),
        (b"[1" + b"0" * 5000 + b", -1" + b"0" * 5000 + b", 2]", [None, None, 2]),
        (b"1" + b"0" * 5000 + b".5e-4999", 10.0),
        (b'["1234567890123456789012"]', ["1234567890123456789012"]),
        (b'"\\ud800"', "\ufffd"),
        (b'"a\\udc00b"', "a\ufffdb"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\uD83D\\uDE00\\uD83D"', "\U0001f600\ufffd"),
        (b'"\\ud800\\ud83d\\ude00"', "\ufffd\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\\\\\ud800"', "\\\ufffd"),
        (b'{"\\ud800": 1}', {"\ufffd": 1}),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (' {"待办": "待"} '.encode(), {"待办": "待"}),
        (b"-0", 0),
        (b"1.0", 1.0),
    ],
)
def test_json_of_the_wild(raw: bytes, expected: Any) -> None:
    decoded = decode(raw)
    assert decoded == expected
    assert type(decoded) is type(expected)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"<html>",
        b'{"a": 1',
        b"[1,]",
        b"[1] x",
        b"01",
        b"1.",
        b"'a'",
        b"nul",
        b'"\x01"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\u12"',
        b"[99999999999999999999",
        "[1]".encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused_without_being_shown(raw: bytes) -> None:
    with pytest.raises(NotJSON) as caught:
        decode(raw)
    assert str(caught.value) == "the text is not JSON"


@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'["]",', b"]")])
@pytest.mark.parametrize("leaf", [b"1", b'"]]]]"', b"99999999999999999999", b'"\\ud800"'])
def test_depth_is_counted_exactly(begin: bytes, end: bytes, leaf: bytes) -> None:
    decode(begin * 100 + leaf + end * 100)
    decode(begin * 3 + leaf + end * 3, max_depth=3)
    for depth in (101, 5_000, 100_000):
        with pytest.raises(TooDeep):
            decode(begin * depth + leaf + end * depth)
    with pytest.raises(TooDeep):
        decode(begin * 4 + leaf + end * 4, max_depth=3)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 4_000_000,
        b"1" * 4_000_000,
        b'"' + b"\\ud800" * 700_000 + b'"',
        b"[" + b"99999999999999999999," * 200_000 + b"1]",
        b'"' + b"\\" * 4_000_000,
    ],
    ids=["brackets", "digits", "surrogates", "large numbers", "backslashes"],
)
def test_hostile_text_is_done_with_in_a_second(raw: bytes) -> None:
    begun = time.process_time()
    with contextlib.suppress(NotJSON, TooDeep):
        decode(raw)
    assert time.process_time() - begun < 2.0


def nodes_of(found: Any) -> int:
    if isinstance(found, list):
        return 1 + sum(map(nodes_of, found))
    if isinstance(found, dict):
        return 1 + sum(map(nodes_of, found.values()))
    return 1


def depth_of(found: Any) -> int:
    if isinstance(found, list):
        return 1 + max(map(depth_of, found), default=0)
    if isinstance(found, dict):
        return 1 + max(map(depth_of, found.values()), default=0)
    return 0


FAR = 10**9
_PART = list(range(100_000))
ROWS_OF_SHARED_PARTS: dict[str, Any] = {
    "lists": [{"x": at, "all": _PART} for at in range(2_000)],
    "lists in lists": [[_PART]] * 2_000,
    "mappings": [dict.fromkeys(map(str, _PART), 1)] * 15_000,
    "keys": [{"k" * 100_000: 1}] * 15_000,
    "texts": ["x" * 100_000] * 15_000,
    "integers": [[10**307] * 1_000] * 1_000,
    "empty lists": [[]] * 3_000_000,
}


def fits(found: Any, nodes: int = FAR, size: int = FAR, depth: int = FAR) -> bool:
    try:
        measure(found, nodes, size, depth)
    except TooLarge:
        return False
    return True


def values_looked_at(monkeypatch: pytest.MonkeyPatch, found: Any) -> int:
    looked_at = 0
    own_size = jsontext._own_size

    def counting(values: Any) -> Any:
        nonlocal looked_at
        values = list(values)
        looked_at += len(values)
        return own_size(values)

    monkeypatch.setattr(jsontext, "_own_size", counting)
    measure(found, FAR, FAR, 10)
    return looked_at


@pytest.fixture(params=["level by level", "once each"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "once each":
        monkeypatch.setattr("bff.jsontext._QUICKLY", 1)


@pytest.mark.usefixtures("_either_way")
class TestMeasure:
    def test_it_counts_nodes_and_depth_exactly_and_bytes_from_below(self) -> None:
        @given(value)
        def check(found: Any) -> None:
            found = with_nulls(found)
            nodes, depth, size = nodes_of(found), depth_of(found), len(encode(found))
            assert fits(found, nodes=nodes) and not fits(found, nodes=nodes - 1)
            assert fits(found, depth=depth)
            assert depth == 0 or not fits(found, depth=depth - 1)
            assert fits(found, size=size)

        check()

    def test_bytes_are_counted_nearly_whole(self) -> None:
        found = [{"id": at, "title": "a todo", "tags": ["x", "y"], "done": None} for at in range(100)]
        assert not fits(found, size=len(encode(found)) // 2)
        assert not fits("x" * 1000, size=999)
        assert not fits({"x" * 1000: 1}, size=999)

    def test_a_shared_list_counts_each_time_but_costs_once(self) -> None:
        found: Any = ["text"]
        for _ in range(90):
            found = [found, found]
        beyond = 10**40
        narrow = {"nodes": (10**6, FAR, FAR), "bytes": (beyond, 10**7, FAR), "depth": (beyond, beyond, 50)}
        for bound, bounds in narrow.items():
            begun = time.process_time()
            with pytest.raises(TooLarge) as caught:
                measure(found, *bounds)
            assert caught.value.bound == bound
            assert time.process_time() - begun < 1.0

    @pytest.mark.parametrize("name", ROWS_OF_SHARED_PARTS)
    def test_what_is_shared_is_counted_before_it_is_built(self, name: str) -> None:
        largest = 8 * 2**20
        for count in (measure, encode_within):
            tracemalloc.start()
            try:
                with pytest.raises(TooLarge):
                    count(ROWS_OF_SHARED_PARTS[name], largest // 4, largest, 100)
                assert tracemalloc.get_traced_memory()[1] < 2 * largest
            finally:
                tracemalloc.stop()

    def test_each_distinct_part_is_looked_into_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        part = list(range(1_000))
        found = [[part, part]] * 500
        assert measure(found, FAR, FAR, 10) == 1 + 500 * (1 + 2 * 1_001)
        assert values_looked_at(monkeypatch, found) < jsontext._QUICKLY + 1_000 + 500 + 3

    def test_the_digits_of_integers_are_bytes(self) -> None:
        found = [10**300] * 1_000
        assert not fits(found, size=200_000)
        assert fits(found, size=len(encode(found)))

    def test_shared_parts_that_fit_pass(self) -> None:
        part = {"a": ["b"] * 10}
        found = [part] * 100
        assert fits(found, nodes=nodes_of(found), depth=3)
        assert not fits(found, nodes=nodes_of(found) - 1)

    def test_a_list_inside_itself_is_too_deep(self) -> None:
        found: list[Any] = []
        found.append({"again": found})
        with pytest.raises(TooLarge):
            measure(found, 10**5, 10**6, 100)

    def test_depth_needs_no_recursion(self) -> None:
        found: Any = 1
        for _ in range(200_000):
            found = [found]
        assert not fits(found, depth=100)
        while isinstance(found, list):  # freed from the outside in, which needs no recursion either
            found = found[0]


def test_of_many_rows_each_value_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"id": at, "title": "a todo", "done": False} for at in range(100_000)]
    assert values_looked_at(monkeypatch, found) < 400_001 + jsontext._QUICKLY


def bound_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except TooLarge as error:
        return error.bound
    return None


class TestEncodeWithin:
    def test_it_takes_and_refuses_what_measure_does(self) -> None:
        bounds = st.integers(0, 40)

        @given(value, bounds, bounds, bounds)
        def check(found: Any, nodes: int, size: int, depth: int) -> None:
            found = with_nulls(found)
            refused = bound_of(lambda: measure(found, nodes, size, depth))
            assert bound_of(lambda: encode_within(found, nodes, size, depth)) == refused
            if refused is None:
                assert encode_within(found, nodes, size, depth) == encode(found)

        check()

    @pytest.mark.parametrize("length", [10, 65_000, 70_000, 2_000_000])
    def test_long_texts_are_whole(self, length: int) -> None:
        found = [{"a": "[{" * 50}, "é" * length]
        assert encode_within(found, FAR, FAR, 2) == encode(found)
        assert bound_of(lambda: encode_within(found, FAR, length, 2)) == "bytes"

    def test_brackets_in_texts_are_no_depth(self) -> None:
        found = [["[[[[[]"], {"{{{{": ["}"]}]
        assert encode_within(found, FAR, FAR, 3) == encode(found)
        assert bound_of(lambda: encode_within(found, FAR, FAR, 2)) == "depth"

    def test_a_list_of_very_many_is_never_written(self) -> None:
        found: Any = ["text"]
        for _ in range(90):
            found = [found, found]
        largest = 8 * 2**20
        tracemalloc.start()
        begun = time.process_time()
        try:
            with pytest.raises(TooLarge):
                encode_within(found, largest // 4, largest, 100)
            assert tracemalloc.get_traced_memory()[1] < 3 * largest
        finally:
            tracemalloc.stop()
        assert time.process_time() - begun < 1.0

    def test_a_list_inside_itself_is_too_large(self) -> None:
        found: list[Any] = []
        found.append({"again": found})
        with pytest.raises(TooLarge):
            encode_within(found, 10**5, 10**6, 100)
        with pytest.raises(TooLarge):
            encode_within(found, FAR, FAR, FAR)

    def test_a_short_answer_is_not_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bff.jsontext.measure", lambda *_: pytest.fail("it was measured"))
        found = [{"id": at, "title": "a todo", "done": False} for at in range(1_000)]
        assert encode_within(found, 10**6, 10**7, 100) == encode(found)


class TestLargeNumbers:
    def test_each_is_named_by_its_place(self) -> None:
        raw = (
            b'{"a": [1, 18446744073709551616, {"b": 1e400}], "c": "1e400", "d": 1e+0400, "e": 1.5e308,'
            b' "f": -9223372036854775809, "g": ' + b"1" * 5_000 + b', "h": -9223372036854775808, "i": -1E999}'
        )
        places = [("a", 1), ("a", 2, "b"), ("d",), ("f",), ("g",), ("i",)]
        assert list(large_numbers(raw)) == places

    @pytest.mark.parametrize("raw", [b"18446744073709551616", b"-1e309", b"[]", b"", b"[1e400", b"[" * 9_999])
    def test_a_number_may_stand_alone_and_what_is_no_json_has_none(self, raw: bytes) -> None:
        assert list(large_numbers(raw)) == ([()] if raw.endswith((b"16", b"09")) else [])

    def test_it_finds_what_is_large(self) -> None:
        @given(st.lists(number.filter(lambda found: not isinstance(found, float) or math.isfinite(found))))
        def check(found: list[Any]) -> None:
            raw = json.dumps(found).encode()
            assert list(large_numbers(raw)) == [(at,) for at, one in enumerate(found) if is_large(one)]

        check()


def test_a_text_with_lone_surrogates_is_not_looked_at_escape_by_escape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    replaced = jsontext._replaced
    monkeypatch.setattr(jsontext, "_replaced", lambda match: calls.append(match[0]) or replaced(match))
    plain = "\\n\\\\\\ud83d\\ude00x\\u00e9" * 1_000
    raw = f'["{plain}", "\\ud800\\udbff\\udc00\\udfff{plain}"]'.encode()
    text = "\n\\\U0001f600xé" * 1_000
    assert jsontext.decode(raw) == [text, "\ufffd\U0010fc00\ufffd" + text]
    assert len(calls) == 5


@pytest.mark.parametrize("number", ["0.1234567890123456789", "18446744073709551616", "1e999"])
def test_large_numbers_are_found_without_the_places_of_others(number: str) -> None:
    depth, count = 90, 20_000
    raw = b"[" * depth + b"1," * count + number.encode() + b"]" * depth
    tracemalloc.start()
    try:
        found = list(jsontext.large_numbers(raw))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == ([] if "." in number else [(*[0] * (depth - 1), count)])
    assert peak < 2**21


@pytest.mark.parametrize("number", ["1e308", "-1.5E+300", "5e-324"])
def test_numbers_with_large_exponents_are_not_left_to_the_fast_decoder(
    monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    raw = f"[{','.join([number] * 201)}]".encode()
    monkeypatch.setattr(jsontext, "_fast", None)
    jsontext.check_strictly(raw)
    assert jsontext.decode(raw) == [float(number)] * 201


@pytest.mark.parametrize("wrong", ["NaN", "-Infinity", '"\\ud800"', "1e400", "x"])
def test_what_is_no_plain_json_is_refused_beside_large_exponents_too(wrong: str) -> None:
    for count in (1, 201):
        raw = f"[{'1e308,' * count}{wrong}]".encode()
        with pytest.raises(ValueError):
            jsontext.check_strictly(raw)
