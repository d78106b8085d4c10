"""Reads one reply out of the bytes of a connection: llhttp parses, this bounds and judges."""

from __future__ import annotations

import re
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bff.errors import Reason
from bff.http.faults import BadReplyError

MAX_HEAD: Final = 64 * 1024
"""Bytes of all headers of a reply, and of what stands around its chunks."""
MAX_HEADERS: Final = 100
DROPPED: Final = frozenset({"set-cookie", "set-cookie2"})
_BODILESS = frozenset({204, 304})
_VERSIONS = frozenset({"1.1", "1.0"})
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class ReplyParser:
    """Takes a reply's bytes in any pieces until it is `complete`.

    `headers` have names in lower case, repeated ones joined by `, `, without Set-Cookie. `too_large` tells that the
    body is longer than `max_bytes`. What came behind the reply, or in place of a body that it may not have, makes the
    connection no good for another request: `reusable` is False then, as after `Connection: close`. `idle_for` is how
    long the server says that it keeps the connection, in seconds.
    """

    __slots__ = (
        "_blank",
        "_body",
        "_fields",
        "_head",
        "_head_only",
        "_kept_alive",
        "_leftover",
        "_max_bytes",
        "_parser",
        "_reason",
        "_refusal",
        "_size",
        "_until_closed",
        "_wire",
        "complete",
        "headers",
        "on_status",
        "status",
        "too_large",
    )

    def __init__(self, method: str, max_bytes: int) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.too_large = False
        self._head_only = method == "HEAD"
        self._max_bytes = max_bytes
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._reason: list[bytes] = []
        self.on_status = self._reason.append
        self._blank = True
        self._head = 0
        self._size = 0
        self._wire = 0
        self._kept_alive = False
        self._until_closed = False
        self._leftover = False
        self._refusal: BadReplyError | None = None  # what llhttp tells of it depends on what is being handled
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return self._wire > 0

    @property
    def raw(self) -> bytes:
        """The body as it was sent, its encoding still on it."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    @property
    def reusable(self) -> bool:
        return self.complete and self._kept_alive and not self._leftover and not self.too_large

    @property
    def idle_for(self) -> float | None:
        told = self.headers.get("keep-alive")
        return None if told is None else idle_for(told)

    def feed(self, received: bytes) -> bool:
        """Takes what came, at least one byte; says whether there is nothing more to wait for. Raises BadReplyError."""
        assert self._parser is not None
        self._wire += len(received)
        if self._blank:  # spaces in front say nothing, to http.client neither
            received = received.lstrip(b" \t")
            self._blank = not received
            if received and received[:1] != b"H":  # llhttp reads other protocols, too
                self.release()
                raise BadReplyError("it does not begin as HTTP does")
        try:
            self._parser.feed_data(received)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete and not self.too_large:
                self.release()
                raise self._refusal or _broken_rule(error) from None
            self._leftover = True
        if self.complete or self.too_large:
            self.release()
            return True
        self._bound_what_is_no_body()
        return False

    def end(self) -> bool:
        """The connection was closed; says whether that was the end of the body."""
        self.release()
        self.complete = self._until_closed
        return self.complete

    def release(self) -> None:
        """Lets the parser go, whose callbacks would keep this one alive in a circle."""
        self._parser = None

    # --- what llhttp calls ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            self._leftover = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.complete:
            return
        self._head += len(name) + len(value) + 4
        if self._head > MAX_HEAD:
            raise self._refuse("headers too long", "header-limit")
        if not self.status:  # else it is a trailer, which means nothing to anybody here
            if len(self._fields) == MAX_HEADERS:
                raise self._refuse("too many headers", "header-limit")
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if self.complete or parser is None:
            return
        status = parser.get_status_code()
        if status < 100 or parser.get_http_version() not in _VERSIONS:
            raise self._refuse("a status or version that there is not")
        if self._reason:
            if _CONTROL.search(b"".join(self._reason)):
                raise self._refuse("a control character in its reason")
            self._reason.clear()
        if status == 101:
            raise self._refuse("an upgrade that nobody asked for")
        if status < 200:
            self._fields.clear()
            return
        self.status = status
        self._kept_alive = parser.should_keep_alive()
        headers = self.headers
        for name_sent, value_sent in self._fields:
            name, value = name_sent.decode("latin-1").lower(), value_sent.decode("latin-1").rstrip(" \t")
            if name in headers:
                headers[name] = f"{headers[name]}, {value}"
            elif name not in DROPPED:
                headers[name] = value
        self._fields.clear()
        self._judge_framing(status)

    def on_body(self, part: bytes) -> None:
        if self.complete:  # in place of a body that this reply may not have
            self._leftover = True
            return
        self._size += len(part)
        if self._size > self._max_bytes:
            self.too_large = True
        if not self.too_large:
            self._body.append(part)

    def on_message_complete(self) -> None:
        if self.status:
            self.complete = True

    # --- rules ---------------------------------------------------------------------------------------------------

    def _judge_framing(self, status: int) -> None:
        headers = self.headers
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None and coding.lower() != "chunked":
            raise self._refuse("a transfer coding that nobody asked for")
        if self._head_only or status in _BODILESS:
            self.complete = True
        elif coding is None and length is None:
            self._until_closed = True
        elif coding is None and length is not None and int(length[:18] or "0") > self._max_bytes:
            self.too_large = True

    def _refuse(self, rule: str, reason: Reason = "not-http") -> BadReplyError:
        """The error of a broken rule, remembered for who has fed the parser."""
        self._refusal = BadReplyError(rule, reason)
        return self._refusal

    def _bound_what_is_no_body(self) -> None:
        """Chunk extensions, trailers and headers without an end are bounded like headers with one."""
        if self._wire > 2 * MAX_HEAD + 18 * self._size:
            raise BadReplyError("headers or chunks without an end", "header-limit")


def idle_for(told: str) -> float | None:
    """The seconds that a Keep-Alive header says."""
    for part in told.lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "timeout" and value.isascii() and value.isdigit():
            return float(value[:9])
    return None


def _broken_rule(error: Exception) -> BadReplyError:
    """Which rule was broken, in llhttp's own constant words."""
    if isinstance(error, HttpParserUpgrade):
        return BadReplyError("an upgrade that nobody asked for")
    rule = str(error)
    twice = rule.startswith("Duplicate Content-Length") or "can't be present with" in rule
    return BadReplyError(rule, "two-lengths" if twice else "not-http")
