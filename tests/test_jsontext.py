"""JSON text in and out, compared with the standard library's where that is strict enough."""

from __future__ import annotations

import contextlib
import json
import math
import time
import tracemalloc
from typing import Any

import pytest

from bff import jsontext
from bff.jsontext import NotJSON, TooDeep, decode, encode, is_large, large_numbers
from tests.json_values import number, value, with_nulls
from tests.properties import given, st


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
        (b"[" + b"7" * 1_000 + b", -" + b"7" * 1_000 + b"]", [int("7" * 1_000), -int("7" * 1_000)]),
        (b"[" + b"7" * 1_001 + b", -" + b"7" * 1_001 + b", 2]", [None, None, 2]),
        (b"[" + b"7" * 400 + b".5, 2]", [None, 2]),
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


class TestLargeNumbers:
    def test_each_is_named_by_its_place(self) -> None:
        raw = (
            b'{"a": [1, %s, {"b": 1e400}], "c": "1e400", "d": 1e+0400, "e": 1.5e308, "f": -%s, "g": %s,'
            b' "h": -%s, "i": -1E999}'
        ) % (b"1" * 1_001, b"7" * 1_001, b"1" * 5_000, b"9" * 1_000)
        places = [("a", 1), ("a", 2, "b"), ("d",), ("f",), ("g",), ("i",)]
        assert list(large_numbers(raw)) == places

    @pytest.mark.parametrize(
        "raw",
        [
            b"1" * 1_001,
            b"-1e309",
            b"2" * 400 + b".5",
            b"3" * 280 + b"e99",
            b"[]",
            b"",
            b"[1e400",
            b"[" * 9_999,
        ],
    )
    def test_a_number_may_stand_alone_and_what_is_no_json_has_none(self, raw: bytes) -> None:
        assert list(large_numbers(raw)) == ([()] if raw[:1] not in b"[" else [])

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


@pytest.mark.parametrize("number", ["0." + "1234567890" * 150, "7" * 1_001, "1e999"])
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
