"""A connection with the parser of what comes on it, which reads replies as most of them come.

Those are HTTP/1.1 with each header once, in one piece or a few. Of whatever else comes it only says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bff.http.charsets import IN_UTF8
from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from bff.http.freshness import ALLOWED_BY, Allowed
from bff.http.sockets.connection import READ, Connection
from bff.http.sockets.parser import MAX_HEAD, MAX_HEADERS, idle_for

if TYPE_CHECKING:
    from bff.http.ledger import Ledger

_BEGUN, _ENDED = 1, 2
_BEGINNING: Final = [_BEGUN]
_ONE_MESSAGE: Final = [_BEGUN, _ENDED]
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-9]\d\d)(?: [^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_OF_FRAMING: Final = frozenset(
    {b"connection", b"content-encoding", b"keep-alive", b"trailer", b"transfer-encoding", b"upgrade"}
)
_BODILESS: Final = frozenset({b"204", b"304"})
_IN_UTF8: Final = frozenset(None if kind is None else kind.encode() for kind in IN_UTF8)
_OF_KEEPING: Final = frozenset({b"cache-control", b"expires", b"pragma"})
_READ_WITH_IT: Final = frozenset({b"age", b"expires", b"pragma"})
"""What changes the meaning of a `Cache-Control`, or stands in for it."""
_lower: Final = bytes.lower


class PlainReply:
    """Reads a plain reply on a connection, within the room that a page's `ledger` has for it.

    One that is `plain` has come whole: `status`, `raw` and `headers` (by names in lower case, as bytes) are it, and
    `idle_for` is how long its server keeps the connection, where it says so. `came` is what has come of one that is
    not, and `error` what broke or ended the connection.
    """

    __slots__ = (
        "allows",
        "came",
        "connection",
        "error",
        "fd",
        "feed",
        "fields",
        "headers",
        "idle_for",
        "ledger",
        "marks",
        "on_body",
        "on_header",
        "on_message_begin",
        "on_message_complete",
        "parts",
        "plain",
        "raw",
        "recv",
        "status",
        "write",
    )

    allows: Allowed | None
    ledger: Ledger
    connection: Connection
    status: int
    raw: bytes
    headers: Mapping[bytes, bytes]
    idle_for: float | None
    feed: Any

    def bind(self, connection: Connection) -> None:
        """Has it send and read on a connection."""
        self.connection, self.fd, connection.wire = connection, connection.fd, self
        self.write, self.recv = connection.sock.send, connection.receive
        self.error: Exception | None = None
        self.came = b""
        self.fields: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.marks: list[int] = []
        # What llhttp calls is no function of Python: it takes a note of all that comes and judges nothing.
        self.on_header = self.fields.__setitem__
        self.on_body = self.parts.append
        self.on_message_begin = partial(self.marks.append, _BEGUN)
        self.on_message_complete = partial(self.marks.append, _ENDED)
        self.feed = HttpResponseParser(self).feed_data

    def read(self) -> bool | None:
        """Takes in what has come; True when it is a whole reply, False for nothing, None for what is not plain.

        What has come so far is then in `came`, and in `error` what broke or ended the connection.
        """
        try:
            data = self.recv(READ)
        except BlockingIOError:
            return False
        except OSError as error:
            self.error = error
            return None
        if not data:
            self.error = BadReplyError("the connection ended", "cut-short")
            return None
        try:
            self.feed(data)
        except (HttpParserError, HttpParserUpgrade):
            self.marks.clear()  # of no message any more
        if self.came:
            data = self.came + data
        if self.marks == _ONE_MESSAGE:
            fields = self.fields
            headers = dict(zip(map(_lower, fields), fields.values(), strict=True))
            line = _STATUS_LINE.match(data)
            end = data.find(b"\r\n\r\n")
            lines = data.count(b"\r\n", 0, end)
            if line and end <= MAX_HEAD and lines == len(headers) <= MAX_HEADERS:
                parts = self.parts
                self.raw = parts[0] if len(parts) == 1 else b"".join(parts)
                self.headers, self.idle_for, self.allows = headers, None, None
                if _OF_FRAMING.isdisjoint(headers) or self._is_framed():
                    self.status, self.plain = int(line[1]), True
                    self.came = b""
                    fields.clear()
                    parts.clear()
                    self.marks.clear()
                    return True
        self.came = data
        return None

    def is_under_way(self, method: str) -> bool:
        """Whether what has come for a method begins a reply that is plain so far, and short enough to wait for."""
        came, fields = self.came, self.fields
        if self.marks != _BEGINNING or came[:1] != b"H" or len(came) >= READ:
            return False
        end = came.find(b"\r\n\r\n")
        lines = came.count(b"\r\n", 0, end)
        if end < 0 or lines > MAX_HEADERS:
            return lines < MAX_HEADERS
        line = _STATUS_LINE.match(came)
        headers = dict(zip(map(_lower, fields), fields.values(), strict=True))
        if not line or line[1] in _BODILESS or lines != len(headers) or method == "HEAD":
            return False
        if not (_OF_FRAMING.isdisjoint(headers) or _is_framed_plainly(headers)):
            return False
        room = self.ledger.room
        length = headers.get(b"content-length")
        if length is None:
            return b"transfer-encoding" in headers and sum(map(len, self.parts)) <= room
        return int(length[:18]) <= room

    def _is_framed(self) -> bool:
        """Whether what a reply says of its own framing is plain too; takes its coding off."""
        headers = self.headers
        if not _is_framed_plainly(headers):
            return False
        coding, told = headers.get(b"content-encoding"), headers.get(b"keep-alive")
        if coding is not None:
            try:
                plain = decoded(self.raw, coding.decode("latin-1"), self.ledger.room)
            except BadReplyError:
                return False
            if plain is None:
                return False
            self.raw = plain
        self.idle_for = None if told is None else idle_for(told.decode("latin-1"))
        return True

    def body(self) -> bytes | None:
        """The body of a plain success whose head says nothing that takes long to read; None without one.

        What its head allows of the reply, where it says so, is then in `allows`.
        """
        if self.plain and 200 <= self.status < 300:
            headers, raw = self.headers, self.raw
            if headers.get(b"content-type") in _IN_UTF8 and not raw.isspace():
                if _OF_KEEPING.isdisjoint(headers):
                    return raw or None
                if _READ_WITH_IT.isdisjoint(headers):
                    self.allows = ALLOWED_BY[headers[b"cache-control"].decode("latin-1")]
                    return raw or None
        return None


def _is_framed_plainly(headers: Mapping[bytes, bytes]) -> bool:
    if b"trailer" in headers or b"upgrade" in headers:
        return False
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return False
    return headers.get(b"connection", b"keep-alive").lower() == b"keep-alive"
