"""A connection with the parser of what comes on it, and the request that is under way on it: one object for both.

It reads replies as most of them come: whole, in one piece, as HTTP/1.1 with each header once. Whatever else comes is
read again from its first byte by a `SocketFlight`, which knows every rule; `flight` is then what goes on.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bff import clock
from bff.http.charsets import IN_UTF8
from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from bff.http.messages import Broken, Reply
from bff.http.sockets.connection import READ, Connection
from bff.http.sockets.parser import DROPPED, MAX_HEADERS
from bff.http.sockets.parser import idle_for as seconds_in

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.route import Route
    from bff.http.sockets.flight import SocketFlight
    from bff.http.transport import Waiter

_BEGUN, _ENDED = 1, 2
_ONE_MESSAGE: Final = [_BEGUN, _ENDED]
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-9]\d\d)(?: [^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_OF_FRAMING: Final = frozenset(
    {b"connection", b"content-encoding", b"keep-alive", b"trailer", b"transfer-encoding", b"upgrade"}
)
_IN_UTF8: Final = frozenset(None if kind is None else kind.encode() for kind in IN_UTF8)
_OF_KEEPING: Final = frozenset({b"cache-control", b"expires", b"pragma"})
_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}
_lower: Final = bytes.lower


class Wire:
    """A connection and what is under way on it; used by one thread at a time.

    `owner` is told when it has ended, `at` is which of the owner's requests it is. `permit` is that of the client's
    breaker, `began` and `until` (monotonic) are when it was sent and when it is given up. `target`, `token` and
    `request` are what was asked: `request` is None where target and token say it all.

    Then `result` is its reply, or why there is none. A reply that is `plain` has come whole on this wire, and its
    `status`, `raw` and `headers` (by names in lower case, as bytes) are there without a Reply.
    """

    __slots__ = (
        "at",
        "began",
        "broken",
        "came",
        "connection",
        "fd",
        "feed",
        "fields",
        "flight",
        "headers",
        "idle_for",
        "joined",
        "landed_at",
        "marks",
        "on_body",
        "on_header",
        "on_message_begin",
        "on_message_complete",
        "owner",
        "page",
        "parts",
        "permit",
        "plain",
        "raw",
        "recv",
        "request",
        "route",
        "send",
        "status",
        "target",
        "token",
        "until",
    )

    is_waiting = False
    connection: Connection
    owner: Any
    at: int
    page: Any
    route: Route
    permit: int
    began: float
    until: float
    landed_at: float
    target: str
    token: str | None
    request: Any
    status: int
    raw: bytes
    headers: Mapping[bytes, bytes]
    idle_for: float | None

    def __init__(self, connection: Connection | None) -> None:
        self.flight: SocketFlight | None = None
        self.joined: list[Any] | None = None
        self.broken: Broken | None = None
        self.plain = False
        self.came: bytes | OSError = b""
        if connection is None:
            return
        self.connection, self.fd = connection, connection.fd
        self.send, self.recv = connection.sock.send, connection.receive
        self.fields: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.marks: list[int] = []
        # What llhttp calls is no function of Python: it takes a note of all that comes and judges nothing.
        self.on_header = self.fields.__setitem__
        self.on_body = self.parts.append
        self.on_message_begin = partial(self.marks.append, _BEGUN)
        self.on_message_complete = partial(self.marks.append, _ENDED)
        self.feed = HttpResponseParser(self).feed_data

    # --- the plain way -------------------------------------------------------------------------------------------

    def read(self) -> bool | None:
        """Takes in what has come; True when it is a whole reply, False for nothing, None for what is not plain.

        What came is then in `came`: b"" is the end of the connection, an error what broke it.
        """
        try:
            data = self.recv(READ)
        except BlockingIOError:
            return False
        except OSError as error:
            self.came = error
            return None
        try:
            self.feed(data)
        except (HttpParserError, HttpParserUpgrade):
            self.came = data
            return None
        if self.marks == _ONE_MESSAGE:
            fields = self.fields
            headers = dict(zip(map(_lower, fields), fields.values(), strict=True))
            line = _STATUS_LINE.match(data)
            lines = data.count(b"\r\n", 0, data.find(b"\r\n\r\n"))
            if line and lines == len(headers) <= MAX_HEADERS:
                parts = self.parts
                self.raw = parts[0] if len(parts) == 1 else b"".join(parts)
                self.headers, self.idle_for = headers, None
                if _OF_FRAMING.isdisjoint(headers) or self._is_framed():
                    self.status, self.plain = int(line[1]), True
                    fields.clear()
                    parts.clear()
                    self.marks.clear()
                    return True
        self.came = data
        return None

    def _is_framed(self) -> bool:
        """Whether what a reply says of its own framing is plain too; takes its coding off."""
        headers = self.headers
        if b"trailer" in headers or b"upgrade" in headers:
            return False
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            return False
        if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
            return False
        coding, told = headers.get(b"content-encoding"), headers.get(b"keep-alive")
        if coding is not None:
            try:
                plain = decoded(self.raw, coding.decode("latin-1"), self.page.ledger.room)
            except BadReplyError:
                return False
            if plain is None:
                return False
            self.raw = plain
        self.idle_for = None if told is None else seconds_in(told.decode("latin-1"))
        return True

    def body(self) -> bytes | None:
        """The body of a plain success whose head says nothing that is to be looked at; None without one."""
        if self.plain and 200 <= self.status < 300:
            headers, raw = self.headers, self.raw
            if (
                headers.get(b"content-type") in _IN_UTF8
                and _OF_KEEPING.isdisjoint(headers)
                and not raw.isspace()
            ):
                return raw or None
        return None

    def release(self) -> None:
        """Lets others have the connection: its owner has taken in what came. Nothing of this page stays with it."""
        if self.plain:
            page, route = self.page, self.route
            self.plain = False
            self.raw, self.headers = b"", _NO_HEADERS
            self.owner = self.page = self.request = self.token = self.joined = None
            route.idle.give(self.connection, self.idle_for, self.landed_at, page.offset)

    @property
    def client(self) -> Client:
        return self.route.client

    # --- what came of it -----------------------------------------------------------------------------------------

    @property
    def result(self) -> Reply | Broken:
        """Its reply, or why there is none."""
        if self.plain:
            headers = {
                name.decode("latin-1"): value.decode("latin-1").rstrip(" \t")
                for name, value in self.headers.items()
            }
            for name in DROPPED & headers.keys():
                del headers[name]
            return Reply(self.status, headers, self.raw, max_depth=self.route.limits.max_depth)
        if self.broken is not None:
            return self.broken
        assert self.flight is not None and self.flight.outcome is not None, "it has ended"
        outcome = self.flight.outcome
        if isinstance(outcome, Reply):
            outcome.max_depth = self.route.limits.max_depth
        return outcome

    @property
    def lost(self) -> bool:
        """Whether it went out and brought no reply."""
        found = self.result
        return isinstance(found, Broken) and found.sent

    # --- beside others -------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Reply | Broken | None:
        """What came of it; None until it has ended."""
        return self.result if self.has_ended else None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is under way on it any more."""
        return (
            self.plain
            or self.broken is not None
            or (self.flight is not None and self.flight.outcome is not None)
        )

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""
        return self.flight is None or self.flight.sent

    @property
    def held(self) -> bool:
        return self.flight is not None and self.flight.held

    @property
    def due(self) -> float:
        """When it has something to do though its sockets have no news (monotonic)."""
        return self.until if self.flight is None else self.flight.due

    def interests(self) -> Iterable[tuple[int, int]]:
        """Descriptors and the poll events that move it on."""
        return ((self.fd, select.POLLIN),) if self.flight is None else self.flight.interests()

    def wake(self, waiter: Waiter) -> None:
        """Has a waiter told of what no socket tells."""
        if self.flight is not None:
            self.flight.wake(waiter)

    def go_on(self) -> None:
        """Goes as far as it can without waiting."""
        if self.flight is not None:
            self.flight.go_on()
        elif clock.monotonic() >= self.until:
            self.give_up(Broken("timeout", sent=True, reason="reply-timeout"))
        elif self.read() is None:
            self.page.read_carefully(self)

    def give_up(self, broken: Broken | None) -> None:
        """Ends it and its connection."""
        if self.flight is not None:
            self.flight.give_up()
        else:
            self.connection.close()
        self.broken = broken
