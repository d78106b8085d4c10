"""Every kind of reply that a backend may send, and what is made of it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from tests.fakes import gzipped

HTTP = b"HTTP/1.1 200 OK\r\n"
GIVEN: dict[str, str] = {}


@dataclass(frozen=True)
class Expected:
    """What both transports make of it; `None` for a call that is refused."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scripted:
    """Bytes on the wire; `closes` ends the connection after them. `stock` is what only requests makes of them."""

    wire: bytes
    expected: Expected | None
    closes: bool = False
    method: str = "GET"
    stock: Expected | str | None = "the same"
    reused: bool = True


def deflated(content: bytes, *, raw: bool) -> bytes:
    packing = zlib.compressobj(wbits=-15 if raw else 15)
    return packing.compress(content) + packing.flush()


def sized(content: bytes, *lines: bytes, first: bytes = HTTP) -> bytes:
    """A reply with these header lines and a body of that length."""
    return b"".join(
        [first, *(line + b"\r\n" for line in lines), b"Content-Length: %d\r\n\r\n" % len(content), content]
    )


def in_chunks(*lines: bytes, wire: bytes, first: bytes = HTTP) -> bytes:
    return b"".join([first, *(line + b"\r\n" for line in lines), b"Transfer-Encoding: chunked\r\n\r\n", wire])


def with_body(content: bytes, **headers: str) -> Expected:
    return Expected(200, content, {name.replace("_", "-"): value for name, value in headers.items()})


def _length(content: bytes) -> dict[str, str]:
    return {"content-length": str(len(content))}


_CHUNKED = {"transfer-encoding": "chunked"}
_EMPTY = Expected(200, b"", {"content-length": "0"})
_ZIPPED, _DOUBLE = gzipped(b"plain" * 99), gzipped(b"one") + gzipped(b"two")

GOOD: dict[str, Scripted] = {
    "a body of a length": Scripted(sized(b"abc"), Expected(200, b"abc", _length(b"abc"))),
    "an empty body": Scripted(sized(b""), _EMPTY),
    "spaces first": Scripted(b"  " + sized(b""), _EMPTY),
    "no reason": Scripted(sized(b"", first=b"HTTP/1.1 200\r\n"), _EMPTY),
    "an empty reason": Scripted(sized(b"", first=b"HTTP/1.1 200 \r\n"), _EMPTY),
    "an unknown status": Scripted(
        sized(b"x", first=b"HTTP/1.1 799 Odd\r\n"), Expected(799, b"x", _length(b"x"))
    ),
    "repeated headers": Scripted(
        sized(b"", b"X-A: 1", b"x-a:2", b"X-B: \xe9"),
        Expected(200, b"", {"x-a": "1, 2", "x-b": "é", "content-length": "0"}),
    ),
    "cookies": Scripted(sized(b"", b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Set-Cookie2: c"), _EMPTY),
    "an empty header": Scripted(sized(b"", b"X-A:"), Expected(200, b"", {"x-a": "", "content-length": "0"})),
    "chunks": Scripted(
        in_chunks(wire=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), Expected(200, b"abcde", _CHUNKED)
    ),
    "chunks in capitals": Scripted(
        HTTP + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
        Expected(200, b"0123456789", {"transfer-encoding": "Chunked"}),
    ),
    "chunks with extensions and trailers": Scripted(
        in_chunks(wire=b"3;a=1;b\r\nabc\r\n0;last\r\nX-Trailer: 1\r\nSet-Cookie: a=1\r\n\r\n"),
        Expected(200, b"abc", _CHUNKED),
    ),
    "no chunk": Scripted(in_chunks(wire=b"0\r\n\r\n"), Expected(200, b"", _CHUNKED)),
    "a body until the end": Scripted(HTTP + b"\r\nabc", Expected(200, b"abc"), closes=True, reused=False),
    "no body until the end": Scripted(HTTP + b"\r\n", Expected(200), closes=True, reused=False),
    "the connection's end": Scripted(
        sized(b"abc", b"Connection: close"),
        Expected(200, b"abc", {"connection": "close", "content-length": "3"}),
        closes=True,
        reused=False,
    ),
    "HTTP/1.0": Scripted(
        sized(b"abc", first=b"HTTP/1.0 200 OK\r\n"),
        Expected(200, b"abc", _length(b"abc")),
        closes=True,
        reused=False,
    ),
    "HTTP/1.0 that is kept": Scripted(
        sized(b"abc", b"Connection: keep-alive", first=b"HTTP/1.0 200 OK\r\n"),
        Expected(200, b"abc", {"connection": "keep-alive", "content-length": "3"}),
    ),
    "100 Continue first": Scripted(
        b"HTTP/1.1 100 Continue\r\n\r\n" + sized(b"abc"), Expected(200, b"abc", _length(b"abc"))
    ),
    "204": Scripted(b"HTTP/1.1 204 No Content\r\n\r\n", Expected(204)),
    "304": Scripted(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', Expected(304, b"", {"etag": '"a"'})),
    "304 with the length of what is not sent": Scripted(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        Expected(304, b"", {"content-length": "9"}),
    ),
    "HEAD": Scripted(
        HTTP + b"Content-Length: 9\r\n\r\n", Expected(200, b"", {"content-length": "9"}), method="HEAD"
    ),
    "gzip": Scripted(
        sized(_ZIPPED, b"Content-Encoding: gzip"),
        Expected(200, b"plain" * 99, {"content-encoding": "gzip", "content-length": str(len(_ZIPPED))}),
    ),
    "gzip of two members, in chunks": Scripted(
        in_chunks(b"Content-Encoding: x-gzip", wire=b"%x\r\n%s\r\n0\r\n\r\n" % (len(_DOUBLE), _DOUBLE)),
        Expected(200, b"onetwo", {"content-encoding": "x-gzip", **_CHUNKED}),
    ),
    "deflate": Scripted(
        sized(deflated(b"abc", raw=False), b"Content-Encoding: deflate"),
        Expected(
            200,
            b"abc",
            {"content-encoding": "deflate", "content-length": str(len(deflated(b"abc", raw=False)))},
        ),
    ),
    "deflate as some servers have it": Scripted(
        sized(deflated(b"abc", raw=True), b"Content-Encoding: deflate"),
        Expected(
            200,
            b"abc",
            {"content-encoding": "deflate", "content-length": str(len(deflated(b"abc", raw=True)))},
        ),
    ),
    "two codings": Scripted(
        sized(deflated(_ZIPPED, raw=False), b"Content-Encoding: gzip, identity, Deflate"),
        Expected(
            200,
            b"plain" * 99,
            {
                "content-encoding": "gzip, identity, Deflate",
                "content-length": str(len(deflated(_ZIPPED, raw=False))),
            },
        ),
    ),
    "zeros behind gzip": Scripted(
        sized(_ZIPPED + b"\0\0", b"Content-Encoding: GZIP"),
        Expected(200, b"plain" * 99, {"content-encoding": "GZIP", "content-length": str(len(_ZIPPED) + 2)}),
    ),
    "an encoding that nobody knows": Scripted(
        sized(b"abc", b"Content-Encoding: other"),
        Expected(200, b"abc", {"content-encoding": "other", "content-length": "3"}),
    ),
    "an empty body that says gzip": Scripted(
        sized(b"", b"Content-Encoding: gzip"),
        Expected(200, b"", {"content-encoding": "gzip", "content-length": "0"}),
    ),
}
"""Replies of which both transports make the same."""

BAD: dict[str, Scripted] = {
    "nothing": Scripted(b"", None, closes=True),
    "half a status line": Scripted(b"HTTP/1.", None, closes=True),
    "half a head": Scripted(HTTP + b"X-A: 1\r\n", None, closes=True),
    "half a body": Scripted(HTTP + b"Content-Length: 9\r\n\r\nabc", None, closes=True),
    "half a chunk": Scripted(in_chunks(wire=b"9\r\nabc"), None, closes=True),
    "no last chunk": Scripted(in_chunks(wire=b"3\r\nabc\r\n"), None, closes=True),
    "no HTTP": Scripted(b"SSH-2.0-OpenSSH_9\r\n\r\n", None, closes=True),
    "no status": Scripted(b"HTTP/1.1 OK\r\n\r\n", None, closes=True),
    "a status of two digits": Scripted(b"HTTP/1.1 20 OK\r\n\r\n", None, closes=True),
    "a chunk size that is none": Scripted(in_chunks(wire=b"zz\r\nabc\r\n0\r\n\r\n"), None, closes=True),
    "a negative chunk size": Scripted(in_chunks(wire=b"-1\r\nabc\r\n0\r\n\r\n"), None, closes=True),
    "status 000": Scripted(sized(b"", first=b"HTTP/1.1 000 No\r\n"), None, closes=True),
    "status 099": Scripted(sized(b"", first=b"HTTP/1.1 099 No\r\n"), None, closes=True),
    "HTTP/2.0": Scripted(sized(b"", first=b"HTTP/2.0 200 OK\r\n"), None, closes=True),
    "RTSP": Scripted(sized(b"", first=b"RTSP/1.0 200 OK\r\n"), None, closes=True),
    "NUL in the reason": Scripted(sized(b"", first=b"HTTP/1.1 200 O\0K\r\n"), None, closes=True),
    "a control character in the reason": Scripted(
        sized(b"", first=b"HTTP/1.1 200 O\x1bK\r\n"), None, closes=True
    ),
    "DEL in the reason": Scripted(sized(b"", first=b"HTTP/1.1 200 O\x7fK\r\n"), None, closes=True),
    "NUL in a header": Scripted(sized(b"", b"X-A: a\0b"), None, closes=True),
    "a control character in a header": Scripted(sized(b"", b"X-A: a\x01b"), None, closes=True),
    "a folded header": Scripted(sized(b"", b"X-A: 1", b" 2"), None, closes=True),
    "gzip that is cut": Scripted(sized(_ZIPPED[:7], b"Content-Encoding: gzip"), None),
    "gzip without its last byte": Scripted(sized(_ZIPPED[:-1], b"Content-Encoding: gzip"), None),
    "gzip whose second member is cut": Scripted(sized(_DOUBLE[:-9], b"Content-Encoding: gzip"), None),
    "gzip whose second member has hardly begun": Scripted(
        sized(gzipped(b"one") + b"\x1f", b"Content-Encoding: gzip"), None
    ),
    "deflate that is cut": Scripted(
        sized(deflated(b"abc" * 99, raw=False)[:-2], b"Content-Encoding: deflate"), None
    ),
    "deflate as some servers have it, cut": Scripted(
        sized(deflated(b"abc" * 99, raw=True)[:-2], b"Content-Encoding: deflate"), None
    ),
    "two codings, the outer one cut": Scripted(
        sized(gzipped(_ZIPPED)[:-9], b"Content-Encoding: gzip, gzip"), None
    ),
    "two codings, the inner one cut": Scripted(
        sized(gzipped(_ZIPPED[:-9]), b"Content-Encoding: gzip", b"Content-Encoding: gzip"), None
    ),
    "six codings": Scripted(sized(_ZIPPED, b"Content-Encoding: gzip" + b", gzip" * 5), None),
    "broken gzip": Scripted(sized(b"no gzip", b"Content-Encoding: gzip"), None),
    "too many headers": Scripted(sized(b"", *[b"X-A: 1"] * 200), None, closes=True),
}
"""Replies that both transports refuse."""

STRICTER: dict[str, Scripted] = {
    "a length and chunks": Scripted(
        HTTP + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        None,
        closes=True,
        stock=Expected(200, b"abc", {"content-length": "3", "transfer-encoding": "chunked"}),
    ),
    "two lengths": Scripted(
        HTTP + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        None,
        closes=True,
        stock="refused or read",
    ),
    "the same length twice": Scripted(
        HTTP + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        None,
        closes=True,
        stock="refused or read",
    ),
    "a length that is none": Scripted(
        HTTP + b"Content-Length: +3\r\n\r\nabc", None, closes=True, stock="refused or read"
    ),
    "another transfer coding": Scripted(
        HTTP + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        None,
        closes=True,
        stock="refused or read",
    ),
    "a space before the colon": Scripted(sized(b"", b"X-A : 1"), None, closes=True, stock="refused or read"),
    "lines that end in LF alone": Scripted(
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", None, closes=True, stock="refused or read"
    ),
    "HTTP/0.9": Scripted(
        sized(b"", first=b"HTTP/0.9 200 OK\r\n"), None, closes=True, stock="refused or read"
    ),
    "an empty line first": Scripted(b"\r\n" + sized(b""), None, closes=True, stock="refused or read"),
    "NUL in the reason of 100 Continue": Scripted(
        b"HTTP/1.1 100 \0\r\n\r\n" + sized(b"abc"), None, closes=True, stock="refused or read"
    ),
    "an upgrade": Scripted(
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        None,
        closes=True,
        stock="refused or read",
    ),
}
"""Replies that only sockets refuse: two ways to read them are one too many, or nobody asked for them."""

LOOSER: dict[str, Scripted] = {
    "103 Early Hints first": Scripted(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + sized(b"abc"),
        Expected(200, b"abc", _length(b"abc")),
        stock="refused or read",
    ),
    "spaces behind a value": Scripted(
        sized(b"", b"X-A: 1 \t "),
        Expected(200, b"", {"x-a": "1", "content-length": "0"}),
        stock="refused or read",
    ),
}
"""Replies that sockets read as they are meant, and http.client does not."""

ALL = GOOD | BAD | STRICTER | LOOSER
