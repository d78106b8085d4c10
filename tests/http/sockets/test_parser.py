"""What is read does not depend on the pieces in which it comes."""

from __future__ import annotations

import pytest

from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from bff.http.sockets.parser import MAX_HEAD, ReplyParser
from tests.fakes import gzipped
from tests.http.sockets.replies import ALL, HTTP, Expected, Scripted, in_chunks, sized
from tests.properties import given, st

PLENTY = 2**20


def read(
    pieces: list[bytes], *, closes: bool = False, method: str = "GET", most: int = PLENTY
) -> Expected | str | None:
    """What is made of these pieces: None for what is refused, a word for what is not whole or too large."""
    parser = ReplyParser(method, most)
    try:
        done = any(parser.feed(piece) for piece in pieces if piece)
    except BadReplyError:
        return None
    if parser.too_large:
        return "too large"
    if not done and not (closes and parser.end()):
        return None if closes else "not whole"
    try:
        body = decoded(parser.raw, parser.headers.get("content-encoding", ""), most)
    except BadReplyError:
        return None
    return "too large" if body is None else Expected(parser.status, body, parser.headers)


@pytest.mark.parametrize("script", ALL.values(), ids=ALL.keys())
def test_a_reply_is_read_in_one_piece_in_two_and_byte_by_byte(script: Scripted) -> None:
    wire = script.wire
    splits = [[wire], [wire[at : at + 1] for at in range(len(wire))]]
    splits += [[wire[:at], wire[at:]] for at in range(1, len(wire))]
    for pieces in splits:
        assert read(pieces, closes=script.closes, method=script.method) == script.expected


@given(st.data())
def test_a_reply_is_read_in_any_pieces(data: st.DataObject) -> None:
    script = data.draw(st.sampled_from(list(ALL.values())))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(script.wire) - 1)))))
    ends = [*cuts, len(script.wire)]
    pieces = [script.wire[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)]
    assert read(pieces, closes=script.closes, method=script.method) == script.expected


@given(st.lists(st.binary(min_size=1, max_size=400), max_size=6), st.booleans())
def test_a_body_comes_whole_however_it_is_sent(parts: list[bytes], zipped: bool) -> None:
    plain = b"".join(parts)
    content = gzipped(plain) if zipped else plain
    lines = [b"Content-Encoding: gzip"] if zipped else []
    chunks = b"".join(
        b"%X\r\n%s\r\n" % (len(part), part) for part in ([content] if zipped else parts) if part
    )
    for wire in (sized(content, *lines), in_chunks(*lines, wire=chunks + b"0\r\n\r\n")):
        found = read([wire[at : at + 7] for at in range(0, len(wire), 7)])
        assert isinstance(found, Expected) and found.body == plain


@given(st.binary(max_size=300), st.sampled_from([b"", HTTP, HTTP + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_any_bytes_are_read_or_refused(garbage: bytes, beginning: bytes) -> None:
    wire = beginning + garbage
    whole = read([wire], closes=True)
    assert read([wire[at : at + 1] for at in range(len(wire))], closes=True) == whole


@pytest.mark.parametrize(
    ("leftover", "reusable"),
    [(b"", True), (b"HTTP/1.1 200 OK\r\n", False), (b"x", False), (b"\0", False), (b"0\r\n\r\n", False)],
)
def test_what_comes_behind_a_reply_spoils_its_connection(leftover: bytes, reusable: bool) -> None:
    parser = ReplyParser("GET", PLENTY)
    assert parser.feed(sized(b"abc") + leftover)
    assert (parser.raw, parser.reusable) == (b"abc", reusable)


@pytest.mark.parametrize(
    ("method", "first"), [("HEAD", HTTP), ("GET", b"HTTP/1.1 204 No\r\n"), ("GET", b"HTTP/1.1 304 No\r\n")]
)
def test_a_body_where_none_may_be_spoils_the_connection(method: str, first: bytes) -> None:
    parser = ReplyParser(method, PLENTY)
    assert parser.feed(sized(b"abc", first=first))
    assert (parser.raw, parser.reusable) == (b"", False)


@pytest.mark.parametrize("script", ALL.values(), ids=ALL.keys())
def test_a_connection_is_used_again_after_a_reply_that_says_where_it_ends(script: Scripted) -> None:
    parser = ReplyParser(script.method, PLENTY)
    if isinstance(script.expected, Expected):
        parser.feed(script.wire)
        assert parser.reusable is script.reused


@pytest.mark.parametrize("most", [2, 3, 4])
@pytest.mark.parametrize(
    "wire", [sized(b"abc"), in_chunks(wire=b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), HTTP + b"\r\nabc"]
)
def test_a_body_is_bounded(wire: bytes, most: int) -> None:
    wanted = "too large" if most < 3 else b"abc"
    for pieces in ([wire], [wire[at : at + 1] for at in range(len(wire))]):
        found = read(pieces, closes=True, most=most)
        assert (found.body if isinstance(found, Expected) else found) == wanted


@pytest.mark.parametrize("packed", [gzipped(b"abc"), gzipped(b"a") + gzipped(b"bc")])
def test_a_body_is_bounded_by_its_unpacked_size(packed: bytes) -> None:
    assert decoded(packed, "gzip", 3) == b"abc"
    assert decoded(packed, "gzip", 2) is None


@pytest.mark.parametrize("piece", [1, 1000, 2**16])
@pytest.mark.parametrize(
    ("beginning", "repeated"),
    [
        (b"", b" "),
        (b"HTTP/1.1 200 O", b"K"),
        (HTTP + b"X-A: ", b"a"),
        (HTTP, b"X-A: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n"),
        (HTTP + b"Transfer-Encoding: chunked\r\n\r\n1", b";a=1"),
        (HTTP + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"a"),
        (HTTP + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: 1\r\n"),
    ],
    ids=["space", "reason", "header", "headers", "continue", "extension", "trailer", "trailers"],
)
def test_what_is_no_body_is_bounded(beginning: bytes, repeated: bytes, piece: int) -> None:
    parser = ReplyParser("GET", 10**9)
    wire = beginning + repeated * (4 * MAX_HEAD // len(repeated))
    with pytest.raises(BadReplyError):
        for at in range(0, len(wire), piece):
            parser.feed(wire[at : at + piece])


def test_a_server_says_how_long_it_keeps_a_connection() -> None:
    parser = ReplyParser("GET", PLENTY)
    parser.feed(sized(b"", b"Keep-Alive: max=100, timeout=5"))
    assert parser.idle_for == 5.0
    silent = ReplyParser("GET", PLENTY)
    silent.feed(sized(b"", b"Keep-Alive: timeout=soon"))
    assert silent.idle_for is None


def test_a_parser_that_is_done_holds_itself_in_no_circle() -> None:
    import weakref

    class Watched(ReplyParser):
        __slots__ = ("__weakref__",)

    parser = Watched("GET", PLENTY)
    parser.feed(sized(b"abc"))
    gone = weakref.ref(parser)
    del parser
    assert gone() is None


def test_the_reason_is_told_also_while_another_error_is_handled() -> None:
    head = HTTP + b"".join(b"X-%d: a\r\n" % at for at in range(120)) + b"\r\n"
    try:
        raise KeyError("another")
    except KeyError:
        with pytest.raises(BadReplyError) as refused:
            ReplyParser("GET", PLENTY).feed(head)
    assert refused.value.reason == "header-limit"
