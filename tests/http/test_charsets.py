"""JSON of backends in other charsets than UTF-8."""

from __future__ import annotations

import codecs
import encodings

import pytest

from bff.expressions.operators import get
from bff.http import Reply
from bff.http.charsets import UnknownCharset
from bff.jsontext import NotJSON, decode
from bff.plan.partial_decoding import NarrowDecoder

TEXT = '{"name": "José", "more": [1, "é"]}'
VALUE = {"name": "José", "more": [1, "é"]}


def reply(raw: bytes, content_type: str | None) -> Reply:
    return Reply(200, {} if content_type is None else {"content-type": content_type}, raw)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("iso-8859-1", "latin-1"),
        ("ISO-8859-1", "latin-1"),
        ("latin1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("iso-8859-15", "iso8859-15"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-be"),
        ("utf-16le", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("utf-16be", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-32le", "utf-32-le"),
        ("gb18030", "gb18030"),
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-8", "utf-16"),
        ("us-ascii", "utf-8"),
    ],
)
@pytest.mark.parametrize("form", ["application/json; charset={}", 'application/json;charset="{}"'])
def test_json_in_a_charset_that_is_declared_is_read(charset: str, codec: str, form: str) -> None:
    found = reply(TEXT.encode(codec), form.format(charset))
    assert found.json() == VALUE
    narrow = NarrowDecoder((("name",),))
    narrow.prepare()
    assert get(found.decoded(narrow), "name") == "José"


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "application/json; a=b"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_the_first_bytes_tell_what_is_not_declared(codec: str, content_type: str | None) -> None:
    assert reply(TEXT.encode(codec), content_type).json() == VALUE


def test_a_byte_order_mark_stands_for_what_it_marks() -> None:
    raw = codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")
    assert reply(raw, "application/json; charset=utf-16").json() == VALUE


def test_what_is_declared_counts_also_where_utf8_would_read_it() -> None:
    raw = '"Ã©"'.encode("latin-1")
    assert decode(raw) == "é"
    assert reply(raw, "application/json; charset=iso-8859-1").json() == "Ã©"


@pytest.mark.parametrize(
    "charset", ["klingon", "utf-7", "idna", "punycode", "unicode_escape", "zlib", "rot13", "utf-9", "x"]
)
def test_a_charset_that_nobody_knows_is_no_json(charset: str) -> None:
    before = set(encodings._cache)  # type: ignore[attr-defined]
    with pytest.raises(UnknownCharset):
        reply(b'"a"', f"application/json; charset={charset}").json()
    assert set(encodings._cache) == before  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("raw", "charset"), [(b'"\xff\xff"', "gb18030"), (b'\xff\xfe"', "utf-16"), (b'\x00\xd8"\x00', "utf-16le")]
)
def test_what_is_not_in_its_charset_is_no_json(raw: bytes, charset: str) -> None:
    with pytest.raises(NotJSON) as caught:
        reply(raw, f"application/json; charset={charset}").json()
    assert not isinstance(caught.value, UnknownCharset)


def test_latin_1_that_nobody_declares_is_no_json() -> None:
    with pytest.raises(NotJSON):
        reply(TEXT.encode("latin-1"), "application/json").json()
