"""Requests, replies, paths and headers as values."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from bff.http import (
    FORBIDDEN_REQUEST_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    OutgoingRequest,
    Reply,
    check_header,
    check_path,
    encode_constant,
    encode_segment,
)
from bff.jsontext import NotJSON
from tests.properties import given, st

any_text = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "/", "a\\b", "a\nb", "\x00", "\x7f", "\x85", "\ud800"]
)
def test_a_segment_that_encoding_does_not_make_safe_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        encode_segment(text)


@given(any_text)
def test_a_segment_stays_one_segment_and_means_the_same(text: str) -> None:
    try:
        encoded = encode_segment(text)
    except ValueError:
        assert text in {"", ".", ".."} or any(char in "/\\" or not char.isprintable() for char in text)
        return
    assert unquote(encoded) == text
    check_path(f"/{encoded}")
    assert not set(encoded) & set("/?#&")


@given(any_text)
def test_encoding_a_written_part_twice_changes_nothing(text: str) -> None:
    once = encode_constant(text)
    assert encode_constant(once) == once
    assert once.isascii()


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/待", "/%E5%BE%85"),
        ("/a%20b", "/a%20b"),
        ("/100%", "/100%25"),
        ("/a?x=1&y=[2]", "/a?x=1&y=%5B2%5D"),
        ("/a#b", "/a%23b"),
        ("/it's(1);v=2", "/it's(1);v=2"),
    ],
)
def test_a_written_path_is_sent_encoded_once(written: str, sent: str) -> None:
    assert OutgoingRequest(written).target == sent


def test_the_query_goes_behind_the_written_one() -> None:
    assert OutgoingRequest("/a", (("q", "1"),)).target == "/a?q=1"
    assert OutgoingRequest("/a?x=1", (("q", ""), ("q", "&="))).target == "/a?x=1&q=&q=%26%3D"


@pytest.mark.parametrize(
    "path", ["/..", "/a/..", "/../a", "/a/./b", "/%2e", "/%2E./a", "/.%2e?x", "a", "", "?a"]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        _ = OutgoingRequest(path).target


@pytest.mark.parametrize("path", ["/...", "/a..b", "/..a", "/a?x=/../b", "/a//b", "/"])
def test_dots_within_a_segment_or_the_query_are_fine(path: str) -> None:
    assert OutgoingRequest(path).target == path


@pytest.mark.parametrize("raw", ["/a b", "/é", "/%", "/%zz", "/a\r\nX: y", "/a#b", "/\\a"])
def test_a_path_that_is_not_encoded_does_not_pass(raw: str) -> None:
    with pytest.raises(ValueError):
        check_path(raw)


@given(st.text())
def test_a_header_that_passes_is_one_line(value: str) -> None:
    try:
        check_header("X", value)
    except ValueError:
        return
    assert not set(value) & {"\r", "\n", "\0"}
    assert value.encode("latin-1").decode("latin-1") == value


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "a\n", "(a)"])
def test_a_header_s_name_is_a_token(name: str) -> None:
    with pytest.raises(ValueError):
        check_header(name, "a")


@pytest.mark.parametrize("value", ["s3cret\n", "s3cret" * 20_000])
def test_a_refused_header_s_value_is_not_shown(value: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_header("X-Key", value)
    assert "s3cret" not in str(caught.value)


def test_a_header_as_long_as_it_may_be_is_taken() -> None:
    check_header("X-Key", "x" * 65_536)


def test_the_tables_of_refused_headers_are_in_lower_case() -> None:
    for table in (FORBIDDEN_REQUEST_HEADERS, FORBIDDEN_RESPONSE_HEADERS):
        assert all(name == name.lower() for name in table)
    named = {"host", "content-length", "transfer-encoding", "connection", "cookie", "authorization"}
    assert named <= FORBIDDEN_REQUEST_HEADERS
    assert {
        "set-cookie",
        "access-control-allow-origin",
        "content-security-policy",
    } <= FORBIDDEN_RESPONSE_HEADERS


def test_a_reply_is_decoded_once_whatever_its_type_is_called() -> None:
    reply = Reply(200, {"content-type": "text/plain"}, b'{"a": 1}')
    assert reply.json() == {"a": 1}
    assert reply.json() is reply.json()
    assert Reply(204).json() is None
    with pytest.raises(NotJSON):
        Reply(200, {"content-type": "application/json"}, b"<html>").json()
    assert "a" not in repr(Reply(200, {"a": "b"}, b"{}")).replace("Reply", "").replace("bytes", "")
