"""Bodies that are no JSON as values: what of them is read, what is refused, and within which bounds."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bff import clock
from bff.errors import BoundError
from bff.expressions import Evaluation
from bff.http import Reply
from bff.plan.formats import MAX_CELLS, MAX_COLUMNS, MAX_PAIRS, MAX_ROWS, FormatDecoder, Unreadable
from bff.plan.holding import Held, UnmetNeed
from bff.recipe.model import BodyFormat

CSV, TEXT, NDJSON, FORM = (BodyFormat(name) for name in ("csv", "text", "ndjson", "form"))
SEMICOLONS, TABS = BodyFormat("csv", delimiter=";"), BodyFormat("csv", delimiter="\t", quote=None)
NAMED = BodyFormat("csv", header=("id", "name"))
BAD_CSV, LONG_ROW, TWICE = (
    "with something else than CSV",
    "with a row that is longer than its header",
    "with two columns of one name",
)
MANY = "with more rows or columns than are read"
NOT_IN_CHARSET, BAD_LINE = "with what is not in its charset", "with a line that is not JSON"


def read(one: BodyFormat, raw: bytes, content_type: str | None = None, **more: Any) -> Any:
    headers = {} if content_type is None else {"content-type": content_type}
    return FormatDecoder(one, **more).read(Reply(200, headers, raw), Evaluation())


def refused(one: BodyFormat, raw: bytes, content_type: str | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(one, raw, content_type)
    return caught.value


@pytest.mark.parametrize(
    ("one", "raw", "value"),
    [
        (CSV, b"id,name\r\n1,Ann\r\n2,Bob\r\n", [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]),
        (CSV, b"id,name\n1,Ann", [{"id": "1", "name": "Ann"}]),
        (CSV, b"id,name\r1,Ann\r", [{"id": "1", "name": "Ann"}]),
        (CSV, b"\xef\xbb\xbfid\r\n1\r\n", [{"id": "1"}]),
        (CSV, b'"id","a ""b"", c"\r\n"x\r\ny",""\r\n', [{"id": "x\r\ny", 'a "b", c': ""}]),
        (CSV, b"\r\nid,name\r\n\r\n1,Ann\r\n\r\n", [{"id": "1", "name": "Ann"}]),
        (CSV, b"id,name,due\r\n1\r\n2,,\r\n", [
            {"id": "1", "name": None, "due": None}, {"id": "2", "name": "", "due": ""},
        ]),
        (CSV, b'id,name\r\n1,5" pipe\r\n', [{"id": "1", "name": '5" pipe'}]),
        (CSV, b"id, name\r\n1, Ann\r\n", [{"id": "1", " name": " Ann"}]),
        (CSV, b"id\xe2\x80\xa8x,b\x0b\n1,\x0c\n", [{"id\u2028x": "1", "b\x0b": "\x0c"}]),
        (CSV, b"id,\r\n1,x\r\n", [{"id": "1", "": "x"}]),
        (CSV, b"id\r\n", []),
        (SEMICOLONS, b'id;"a;b"\r\n1;2,5\r\n', [{"id": "1", "a;b": "2,5"}]),
        (TABS, b'id\tname\n1\t"Ann\n', [{"id": "1", "name": '"Ann'}]),
        (NAMED, b"1,Ann\r\n2\r\n", [{"id": "1", "name": "Ann"}, {"id": "2", "name": None}]),
        (NAMED, b"[1],{2}\r\n", [{"id": "[1]", "name": "{2}"}]),
        (NAMED, b"", []),
        (NAMED, b" \r\n", []),
        (TEXT, b" as it is\r\n", " as it is\r\n"),
        (TEXT, b"\xef\xbb\xbfJos\xc3\xa9", "José"),
        (TEXT, b"<a>[1]", "<a>[1]"),
        (TEXT, b"", ""),
        (NDJSON, b'{"a": 1}\n\n  \r\n[2, null]\r\n"x"', [{"a": 1}, [2, None], "x"]),
        (NDJSON, b'\xef\xbb\xbf"\xc3\xa9"\n', ["é"]),
        (NDJSON, b'"\\ud800"\nNaN\n', ["\ufffd", None]),
        (NDJSON, b"", []),
        (FORM, b"access_token=a%2Bb+c&scope=&x=%C3%A9\r\n", {"access_token": "a+b c", "scope": "", "x": "é"}),
        (FORM, b"alone", {"alone": ""}),
        (FORM, b"", {}),
    ],
)  # fmt: skip
def test_what_bodies_are_read_as(one: BodyFormat, raw: bytes, value: Any) -> None:
    assert read(one, raw) == value


@pytest.mark.parametrize(
    ("one", "raw", "what", "kind", "reason"),
    [
        (CSV, b"a,b\n1,2,3\n", LONG_ROW, "bad-reply", "columns"),
        (CSV, b"a,b,a\n1,2,3\n", TWICE, "bad-reply", "columns"),
        (CSV, b"a,,\n1,2,3\n", TWICE, "bad-reply", "columns"),
        (NAMED, b"1,2,3\n", LONG_ROW, "bad-reply", "columns"),
        (CSV, b'a,b\n1,"cut', BAD_CSV, "bad-reply", "format"),
        (CSV, b'a,b\n1,"x"y\n', BAD_CSV, "bad-reply", "format"),
        (CSV, b'a\n"' + b"x" * 200_000 + b'"\n', BAD_CSV, "bad-reply", "format"),
        (CSV, b" <!doctype html>\n<h1>Sorry</h1>", BAD_CSV, "bad-reply", "format"),
        (NAMED, b"<?xml version='1.0'?>\n<a/>", BAD_CSV, "bad-reply", "format"),
        (CSV, b'{"error": "x"}', BAD_CSV, "bad-reply", "format"),
        (CSV, b"[]", BAD_CSV, "bad-reply", "format"),
        (CSV, b"a\n\xff\n", NOT_IN_CHARSET, "bad-reply", "charset"),
        (TEXT, b"\xe2\x82", NOT_IN_CHARSET, "bad-reply", "charset"),
        (TEXT, b"\xff\xfea", NOT_IN_CHARSET, "bad-reply", "charset"),
        (NDJSON, b'"\xe9"\n', NOT_IN_CHARSET, "bad-reply", "charset"),
        (NDJSON, b'{"a": 1}\n{"a": ', BAD_LINE, "bad-reply", "format"),
        (NDJSON, b"1 2\n", BAD_LINE, "bad-reply", "format"),
        (NDJSON, b"[1,\n2]\n", BAD_LINE, "bad-reply", "format"),
        (NDJSON, b"[" * 200 + b"]" * 200, "with JSON nested too deeply", "too-large", "depth"),
        (FORM, b"a=1&b=2&a=3", "with two values of one name", "bad-reply", "columns"),
        (FORM, b"a=%E2%82", NOT_IN_CHARSET, "bad-reply", "charset"),
        (FORM, b'{"a": 1}', "with something else than a form", "bad-reply", "format"),
        (FORM, b"<html>", "with something else than a form", "bad-reply", "format"),
        (FORM, b"&".join(b"a%d=" % at for at in range(MAX_PAIRS + 1)), MANY, "too-large", "rows"),
    ],
)
def test_what_is_no_body_of_its_format_is_refused_in_constant_words(
    one: BodyFormat, raw: bytes, what: str, kind: str, reason: str
) -> None:
    error = refused(one, raw)
    assert (error.what, error.kind, error.reason) == (what, kind, reason)


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ("é".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("é".encode("cp1252"), 'text/plain; charset="windows-1252"'),
        ("é".encode("utf-16"), "text/plain; charset=utf-16"),
        ("é".encode("utf-16"), None),
        ("\ufeffé".encode("utf-32-be"), "text/plain"),
        ("\ufeffé".encode(), "text/plain; charset=iso-8859-1"),
        ("é".encode(), "text/plain; charset=utf-8"),
    ],
)
def test_a_body_is_in_the_charset_that_its_mark_or_its_type_says(
    raw: bytes, content_type: str | None
) -> None:
    assert read(TEXT, raw, content_type) == "é"
    if "é".encode() not in raw and content_type != "text/plain":
        assert read(
            CSV, raw + "\na".encode("utf-16-le" if b"\xff\xfe" in raw else "latin-1"), content_type
        ) == [{"é": "a"}]


def test_a_charset_that_nobody_knows_is_refused() -> None:
    error = refused(CSV, b"a\n", "text/csv; charset=klingon")
    assert (error.what, error.reason) == ("in a charset that nobody knows", "charset")


def test_the_errors_hold_no_word_of_the_body() -> None:
    secret = b"secret"
    for one in (CSV, NDJSON, FORM):
        for raw in (b'"' + secret, b"<" + secret, secret + b"\xff", secret + b"&" + secret + b",secret"):
            try:
                read(one, raw)
            except Unreadable as error:
                assert "secret" not in repr(error) + str(error.__cause__)


def test_a_success_is_held_to_what_the_page_needs_and_another_reply_to_nothing() -> None:
    decoder = FormatDecoder(FORM, (Held(("access_token",), nullable=False),))
    with pytest.raises(UnmetNeed) as caught:
        decoder.read(Reply(200, {}, b"error=x"), Evaluation())
    assert (caught.value.path, caught.value.why) == (("access_token",), "absent")
    assert decoder.read(Reply(400, {}, b"error=x"), Evaluation()) == {"error": "x"}


def test_a_number_that_cannot_be_held_is_null_or_no_json_where_it_is_written() -> None:
    assert read(NDJSON, b"1e999\n") == [None]
    with pytest.raises(Unreadable, match=BAD_LINE):
        read(NDJSON, b"1e999\n", exactly=True)


def test_what_is_read_is_paid_for() -> None:
    rows = b"a,b\n" + b"1,2\n" * 1000
    evaluation = Evaluation(work=1_000_000, memory=10_000_000)
    FormatDecoder(CSV).read(Reply(200, {}, rows), evaluation)
    assert 1_000_000 - evaluation.work >= 6 * 1000
    assert 10_000_000 - evaluation.memory >= 300 * 1000
    for budget in ({"work": 5000}, {"memory": 100_000}):
        with pytest.raises(BoundError):
            FormatDecoder(CSV).read(Reply(200, {}, rows), Evaluation(**budget))
    with pytest.raises(BoundError):
        FormatDecoder(NDJSON).read(Reply(200, {}, b"1\n" * 1000), Evaluation(work=5000))
    with pytest.raises(BoundError):
        FormatDecoder(TEXT).read(Reply(200, {}, b"a" * 1000), Evaluation(memory=900))


LARGE = 8 * 1024 * 1024
HOSTILE: dict[str, Callable[[], bytes]] = {
    "a million columns": lambda: b",".join(b"c%d" % at for at in range(1_000_000)),
    "columns without names": lambda: b"," * LARGE,
    "a row of eight million cells": lambda: b"a\n" + b"," * LARGE,
    "a thousand columns and short rows": lambda: (
        b",".join(b"c%d" % at for at in range(MAX_COLUMNS)) + b"\n1" * (LARGE // 4)
    ),
    "more columns than are read": lambda: b",".join(b"c%d" % at for at in range(MAX_COLUMNS + 1)) + b"\n",
    "more rows than are read": lambda: b"a" + b"\n1" * (MAX_ROWS + 1),
    "eight million empty lines": lambda: b"\n" * LARGE,
    "empty lines below a header": lambda: b"a" + b"\n" * LARGE,
    "a quote that never ends": lambda: b'a\n"' + b"x\n" * (LARGE // 2),
    "quotes alone": lambda: b'"' * LARGE,
    "more cells than are read": lambda: b"a,b\n" + b"1,2\n" * (MAX_CELLS // 2 + 1),
}
"""Tables that mean harm; most are large, so each is made where it is read."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused_within_time_and_memory(name: str) -> None:
    raw = HOSTILE[name]()
    begun = clock.thread_time()
    refused(CSV, raw)
    assert clock.thread_time() - begun < 1.0


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("one", [NAMED, TABS], ids=["named", "without quotes"])
def test_hostile_tables_take_no_longer_by_other_options(one: BodyFormat, name: str) -> None:
    raw = HOSTILE[name]().replace(b",", one.delimiter.encode())
    begun = clock.thread_time()
    with suppress(Unreadable):
        read(one, raw)
    assert clock.thread_time() - begun < 1.0


def test_what_refuses_a_million_columns_takes_no_more_memory_than_a_few_times_the_body() -> None:
    raw = HOSTILE["a million columns"]()
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            read(CSV, raw)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(raw)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("raw", [b"\n" * LARGE, b"1\n" * (LARGE // 2), b"[" * LARGE, b'"' * LARGE])
def test_hostile_lines_are_refused_within_time(raw: bytes) -> None:
    begun = clock.thread_time()
    with pytest.raises(Unreadable):
        read(NDJSON, raw)
    assert clock.thread_time() - begun < 1.0


def test_as_many_rows_as_are_read_are_read() -> None:
    assert len(read(CSV, b"a" + b"\n1" * (MAX_ROWS - 1))) == MAX_ROWS - 1
    wide = b",".join(b"c%d" % at for at in range(MAX_COLUMNS))
    assert len(read(CSV, wide + b"\n1" * (MAX_CELLS // MAX_COLUMNS))) == MAX_CELLS // MAX_COLUMNS


def test_a_decoder_is_written_into_compiled_pages() -> None:
    decoder = FormatDecoder(NAMED, (Held(("id",)),), exactly=True)
    assert pickle.loads(pickle.dumps(decoder)) == decoder
