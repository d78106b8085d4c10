"""Everything that a backend may do with a request, by name: the parts of what it sends in place of a good reply."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, cycle

from tests.differ.backend import END, HANG, LEFT, READ, RESET, WITH_THE_END, Part
from tests.fakes import gzipped

MARKER = b"upstream-words"
"""Stands in what a failing backend says, and never in an answer."""
_SAID = b'{"message": "%s"}' % MARKER


@dataclass(frozen=True)
class Misbehaviour:
    """`parts` makes them of the good body. One is `short` where time has to run out, `shut` where nobody listens.

    `status` is that of one which is about nothing else.
    """

    parts: Callable[[bytes], Iterable[Part]]
    short: bool = False
    shut: bool = False
    status: str = ""


def reply(body: bytes, *lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """A whole reply; one of these lines may be another content type."""
    typed = any(line.lower().startswith("content-type") for line in lines)
    head = [f"HTTP/{version} {status}", *lines, *([] if typed else ["Content-Type: application/json"])]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


def _bare(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


_OK = "HTTP/1.1 200 OK"
_CHUNKED = "Transfer-Encoding: chunked"


def _wire(make: Callable[[bytes], bytes], *then: Part) -> Misbehaviour:
    """Bytes that are sent at once, and what comes then."""
    return Misbehaviour(lambda body: [make(body), *then])


def _status(status: str, *lines: str) -> Misbehaviour:
    return Misbehaviour(lambda _: [reply(_SAID, *lines, status=status)], status=status[:3])


def _with(*lines: str) -> Misbehaviour:
    """The good reply with more headers."""
    return _wire(lambda body: reply(body, *lines))


def _other(body: bytes, *lines: str) -> Misbehaviour:
    """A good status with another body."""
    return _wire(lambda _: reply(body, *lines))


def _head(*lines: str) -> Misbehaviour:
    """Lines in place of the head; the good body follows, and with it the end."""

    def parts(body: bytes) -> list[Part]:
        head = (line.replace("LENGTH", str(len(body))) for line in lines)
        return [WITH_THE_END, _bare(*head, body=body), END]

    return Misbehaviour(parts)


def _in_pieces(body: bytes) -> Iterator[Part]:
    whole = reply(body)
    for at in range(0, len(whole), 23):
        yield whole[at : at + 23]
        yield 0.001


def _drip(beginning: bytes) -> Callable[[bytes], Iterable[Part]]:
    return lambda _: chain([beginning], cycle((0.05, b"a")))


def _flood(_: bytes) -> Iterator[Part]:
    yield _bare(_OK, _CHUNKED)
    for _block in range(10):
        yield b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    yield b"0\r\n\r\n"


def _deflated(content: bytes, *, raw: bool) -> bytes:
    packing = zlib.compressobj(wbits=-15 if raw else 15)
    return packing.compress(content) + packing.flush()


def _packed(pack: Callable[[bytes], bytes], coding: str) -> Misbehaviour:
    return _wire(lambda body: reply(pack(body), f"Content-Encoding: {coding}"))


def _of_another_form(body: bytes) -> bytes:
    """Each list a mapping; where there is none, a list around it."""
    return body.replace(b"[", b'{"error": [').replace(b"]", b"]}") if b"[" in body else b"[%s]" % body


STATUSES = {
    "500": _status("500 No"),
    "502": _status("502 No"),
    "503": _status("503 No"),
    "503 for long": _status("503 No", "Retry-After: 30"),
    "504": _status("504 No"),
    "400": _status("400 No"),
    "401": _status("401 No"),
    "403": _status("403 No"),
    "404": _status("404 No"),
    "409": _status("409 No"),
    "410": _status("410 No"),
    "412": _status("412 No"),
    "422": _status("422 No"),
    "429 for long": _status("429 No", "Retry-After: 30"),
    "429 for no time": _status("429 No", "Retry-After: 0"),
    "500 in HTML": _wire(lambda _: reply(b"<h1>%s" % MARKER, "Content-Type: text/html", status="500 No")),
    "204": _wire(lambda _: _bare("HTTP/1.1 204 No Content")),
    "304": _wire(lambda _: _bare("HTTP/1.1 304 Not Modified")),
    "302": _wire(lambda _: reply(b"", "Location: /elsewhere", status="302 Found")),
    "201": _wire(lambda body: reply(body, status="201 Created")),
    "799": _status("799 Odd"),
}
CONNECTIONS = {
    "refused": Misbehaviour(lambda _: [END], shut=True),
    "nothing": Misbehaviour(lambda _: [END]),
    "reset": Misbehaviour(lambda _: [RESET]),
    "reset in the head": Misbehaviour(lambda body: [reply(body)[:20], READ, RESET]),
    "reset in the body": Misbehaviour(lambda body: [reply(body)[:-5], READ, RESET]),
    "half a head": Misbehaviour(lambda body: [reply(body)[:40], END]),
    "cut": Misbehaviour(lambda body: [reply(body)[:-5], END]),
    "hang": Misbehaviour(lambda _: [HANG], short=True),
    "hang in the head": Misbehaviour(lambda body: [reply(body)[:40], HANG], short=True),
    "hang in the body": Misbehaviour(lambda body: [reply(body)[:-5], HANG], short=True),
    "late": Misbehaviour(lambda body: [LEFT, reply(body)], short=True),
    "drip": Misbehaviour(_drip(_bare(_OK, "Content-Length: 100000", body=b'["')), short=True),
    "drip in the head": Misbehaviour(_drip(f"{_OK}\r\nX-A: ".encode()), short=True),
    "slow": Misbehaviour(lambda body: [0.1, reply(body)]),
    "in pieces": Misbehaviour(_in_pieces),
    "said to close": Misbehaviour(lambda body: [reply(body, "Connection: close"), END]),
    "closed unsaid": Misbehaviour(lambda body: [WITH_THE_END, reply(body), END]),
    "kept for a second": _with("Keep-Alive: timeout=1"),
    "kept for a minute": _with("Keep-Alive: timeout=60"),
}
FRAMING = {
    "chunks": _wire(lambda body: _bare(_OK, _CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))),
    "chunks with trailers": _wire(
        lambda body: _bare(_OK, _CHUNKED, body=b"%x;a=1\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(body), body))
    ),
    "a chunk size that is none": _wire(lambda _: _bare(_OK, _CHUNKED, body=b"zz\r\n"), END),
    "half a chunk": _wire(lambda _: _bare(_OK, _CHUNKED, body=b"9\r\n[1"), END),
    "no last chunk": _wire(lambda body: _bare(_OK, _CHUNKED, body=b"%x\r\n%s\r\n" % (len(body), body)), END),
    "HTTP/1.0": _wire(lambda body: _bare("HTTP/1.0 200 OK", body=body), END),
    "HTTP/1.0 that is kept": _wire(lambda body: reply(body, "Connection: keep-alive", version="1.0")),
    "no length": _head(_OK),
    "smuggled": _wire(lambda body: reply(body) + reply(b'{"id": "evil"}')),
    "half smuggled": _wire(lambda body: reply(body) + f"{_OK}\r\n".encode()),
    "garbage behind": _wire(lambda body: reply(body) + b"\0garbage"),
    "100 first": _wire(lambda body: _bare("HTTP/1.1 100 Continue") + reply(body)),
    "103 first": _wire(lambda body: _bare("HTTP/1.1 103 Early Hints", "Link: </a>") + reply(body)),
    "101": _wire(lambda _: _bare("HTTP/1.1 101 Sw", "Upgrade: x", "Connection: upgrade"), END),
    "two lengths": _head(_OK, "Content-Length: LENGTH", "Content-Length: 1"),
    "one length twice": _head(_OK, "Content-Length: LENGTH", "Content-Length: LENGTH"),
    "a length that is none": _head(_OK, "Content-Length: +LENGTH"),
    "a length and chunks": _wire(
        lambda _: _bare(_OK, "Content-Length: 2", _CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n"), END
    ),
    "a coding of transfer": _wire(
        lambda _: _bare(_OK, "Transfer-Encoding: gzip, chunked", body=b"2\r\n{}\r\n0\r\n\r\n"), END
    ),
    "LF alone": _wire(lambda _: b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", END),
    "an empty line first": _wire(lambda body: b"\r\n" + reply(body), END),
    "spaces first": _wire(lambda body: b"  " + reply(body)),
    "a space before the colon": _head(_OK, "X-A : 1", "Content-Length: LENGTH"),
    "spaces behind a value": _head(_OK, "X-A: 1 \t ", "Content-Length: LENGTH"),
    "a folded header": _head(_OK, "X-A: 1", " 2", "Content-Length: LENGTH"),
    "NUL in a header": _head(_OK, "X-A: a\0b", "Content-Length: LENGTH"),
    "ESC in the reason": _head("HTTP/1.1 200 O\x1bK", "Content-Length: LENGTH"),
    "status 099": _head("HTTP/1.1 099 No", "Content-Length: LENGTH"),
    "no status": _head("HTTP/1.1 OK", "Content-Length: LENGTH"),
    "HTTP/2.0": _head("HTTP/2.0 200 OK", "Content-Length: LENGTH"),
    "HTTP/0.9": _head("HTTP/0.9 200 OK", "Content-Length: LENGTH"),
    "SSH": _wire(lambda _: b"SSH-2.0-OpenSSH_9\r\n\r\n", END),
    "a head of 70 KB": _wire(lambda body: reply(body, f"X-A: {'a' * 70_000}"), END),
    "120 headers": _wire(lambda body: reply(body, *(f"X-{at}: a" for at in range(120))), END),
    "a huge length": _wire(lambda _: _bare(_OK, "Content-Length: 99999999", body=b" " * 1000), HANG),
    "a flood of chunks": Misbehaviour(_flood),
    "private": _with("Cache-Control: private, max-age=5"),
    "no-store": _with("cache-control: no-store"),
    "two Cache-Control": _with("Cache-Control: max-age=9", "CACHE-CONTROL: private"),
    "cookies": _with("Set-Cookie: a=1", "Set-Cookie2: b"),
}
BODIES = {
    "gzip": _packed(gzipped, "gzip"),
    "two gzips": _packed(lambda body: gzipped(body[:9]) + gzipped(body[9:]), "x-gzip"),
    "deflate": _packed(lambda body: _deflated(body, raw=False), "deflate"),
    "raw deflate": _packed(lambda body: _deflated(body, raw=True), "deflate"),
    "two codings": _packed(lambda body: gzipped(_deflated(body, raw=False)), "deflate, gzip"),
    "cut gzip": _packed(lambda body: gzipped(body)[:-9], "gzip"),
    "broken gzip": _packed(lambda _: b"no gzip", "gzip"),
    "six codings": _packed(gzipped, "gzip" + ", gzip" * 5),
    "an unknown coding": _packed(lambda body: body, "other"),
    "HTML": _other(b"<h1>%s" % MARKER, "Content-Type: text/html"),
    "OK as text": _other(b"OK", "Content-Type: text/plain"),
    "half JSON": _wire(lambda body: reply(body[:-6])),
    "empty": _other(b""),
    "null": _other(b"null"),
    "object": _other(b'{"error": "%s"}' % MARKER),
    "list": _other(b"[1, 2]"),
    "scalar": _other(b"5"),
    "another form": _wire(lambda body: reply(_of_another_form(body))),
    "lists in lists": _wire(lambda body: reply(b"[%s]" % body)),
    "rows with other ids": _other(b'[{"id": 1, "title": "one"}, {"id": null}, {"id": "sick"}]'),
    "BOM": _wire(lambda body: reply(b"\xef\xbb\xbf" + body)),
    "bad UTF-8": _wire(lambda body: reply(body.replace(b"t", b"\xff", 1))),
    "UTF-16": _wire(lambda body: reply(body.decode().encode("utf-16"))),
    "GBK": _wire(
        lambda body: reply(
            body.decode().replace("é", "").encode("gbk"), "Content-Type: text/json; charset=gbk"
        )
    ),
    "an unknown charset": _wire(lambda body: reply(body + b"\xff", "Content-Type: text/json; charset=no")),
    "a large integer": _wire(lambda body: reply(body.replace(b'"n": 1', b'"n": ' + b"9" * 23))),
    "too large a number": _wire(lambda body: reply(body.replace(b'"n": 1', b'"n": 1e999'))),
    "too deep": _other(b"[" * 200 + b"]" * 200),
    "too deep within": _wire(lambda body: reply(body.replace(b'"n": 1', b'"n": ' + b"[" * 150 + b"]" * 150))),
}
ALL = STATUSES | CONNECTIONS | FRAMING | BODIES
TELLING = ("500", "cut", "hang")
"""Those that every kind of step is tried with by default."""
