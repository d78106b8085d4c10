"""A connection with the parser of what comes on it, and the request that is under way on it: one object for both.

It reads replies as most of them come: as HTTP/1.1 with each header once, in one piece or a few. Whatever else comes is
read again from its first byte by a `SocketFlight`, which knows every rule; `flight` is then what goes on.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec.structs import replace

from bff import clock
from bff.errors import Reason
from bff.http.charsets import IN_UTF8
from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from bff.http.messages import Broken, Reply
from bff.http.sockets.broken import broken_by
from bff.http.sockets.connection import READ, Connection
from bff.http.sockets.parser import DROPPED, MAX_HEADERS
from bff.http.sockets.parser import idle_for as seconds_in

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.retry import Retries
    from bff.http.route import Route
    from bff.http.sockets.flight import SocketFlight
    from bff.http.sockets.opening import Opening
    from bff.http.transport import Waiter

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
_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}
_lower: Final = bytes.lower


class Wire:
    """A request and the connection that it is under way on; used by one thread at a time.

    `owner` is told when it has ended, `at` is which of the owner's requests it is. `permit` is that of the client's
    breaker, `began` and `until` (monotonic) are when it was sent first and when it is given up. `target`, `token` and
    `request` are what was asked: `request` is None where target and token say it all.

    One without a connection has an `opening`. It is `simple` while it waits for nothing but a reply on its connection,
    and for one owner. It may be tried again: `attempts` counts its tries, `tried_at` (monotonic) is when the last one
    began, `again_at` when the next one does, and `last` what the one before came to.

    Then `result` is its reply, or why there is none. A reply that is `plain` has come whole on this wire, and its
    `status`, `raw` and `headers` (by names in lower case, as bytes) are there without a Reply.
    """

    __slots__ = (
        "again_at",
        "at",
        "attempts",
        "began",
        "came",
        "connection",
        "error",
        "fd",
        "feed",
        "fields",
        "flight",
        "found",
        "fresh",
        "headers",
        "idle_for",
        "joined",
        "landed_at",
        "last",
        "lost_before",
        "marks",
        "on_body",
        "on_header",
        "on_message_begin",
        "on_message_complete",
        "opening",
        "owner",
        "page",
        "parts",
        "permit",
        "plain",
        "raw",
        "recv",
        "request",
        "retries",
        "route",
        "send",
        "sent_before",
        "simple",
        "status",
        "target",
        "token",
        "tried_at",
        "until",
        "went_out",
    )

    is_waiting = False
    connection: Connection
    owner: Any
    at: int
    page: Any
    route: Route
    permit: int
    began: float
    tried_at: float
    until: float
    landed_at: float
    again_at: float
    target: str
    token: str | None
    request: Any
    status: int
    raw: bytes
    headers: Mapping[bytes, bytes]
    feed: Any
    idle_for: float | None

    def __init__(self, connection: Connection | None = None) -> None:
        self.flight: SocketFlight | None = None
        self.opening: Opening | None = None
        self.joined: list[Any] | None = None
        self.found: Reply | Broken | None = None
        self.retries: Retries | None = None
        self.last: Reply | Broken | None = None
        self.attempts = 1
        self.came = b""
        self.plain = self.simple = self.fresh = False
        self.went_out = self.sent_before = self.lost_before = False
        if connection is not None:
            self.bind(connection)

    def bind(self, connection: Connection) -> None:
        """Has it send and read on a connection."""
        self.connection, self.fd, connection.wire = connection, connection.fd, self
        self.send, self.recv = connection.sock.send, connection.receive
        self.error: Exception | None = None
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
            lines = data.count(b"\r\n", 0, data.find(b"\r\n\r\n"))
            if line and lines == len(headers) <= MAX_HEADERS:
                parts = self.parts
                self.raw = parts[0] if len(parts) == 1 else b"".join(parts)
                self.headers, self.idle_for = headers, None
                if _OF_FRAMING.isdisjoint(headers) or self._is_framed():
                    self.status, self.plain = int(line[1]), True
                    self.came = b""
                    fields.clear()
                    parts.clear()
                    self.marks.clear()
                    return True
        self.came = data
        return None

    def is_under_way(self) -> bool:
        """Whether what has come is the beginning of a reply that is plain so far, and short enough to wait for."""
        came, fields = self.came, self.fields
        if self.marks != _BEGINNING or came[:1] != b"H" or len(came) >= READ:
            return False
        end = came.find(b"\r\n\r\n")
        lines = came.count(b"\r\n", 0, end)
        if end < 0 or lines > MAX_HEADERS:
            return lines < MAX_HEADERS
        line = _STATUS_LINE.match(came)
        headers = dict(zip(map(_lower, fields), fields.values(), strict=True))
        if not line or line[1] in _BODILESS or lines != len(headers) or self.route.method == "HEAD":
            return False
        if not (_OF_FRAMING.isdisjoint(headers) or _is_framed_plainly(headers)):
            return False
        room: int = self.page.ledger.room
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
            page, route, connection = self.page, self.route, self.connection
            self.plain = False
            self.raw, self.headers = b"", _NO_HEADERS
            self.owner = self.page = self.request = self.token = self.joined = self.found = None
            self.last = self.retries = None
            if self.fresh and connection.is_secure:
                route.idle.ticket = connection.ticket
            del self.route  # which knows the client: what is idle must not keep it alive
            route.idle.give(connection, self.idle_for, self.landed_at, page.offset)

    @property
    def client(self) -> Client:
        return self.route.client

    @property
    def further_tries(self) -> int:
        """How often it was tried again."""
        return self.attempts - 1

    # --- what came of it -----------------------------------------------------------------------------------------

    @property
    def result(self) -> Reply | Broken:
        """Its reply, or why there is none."""
        if self.found is None:
            assert self.plain, "it has ended"
            headers = {
                name.decode("latin-1"): value.decode("latin-1").rstrip(" \t")
                for name, value in self.headers.items()
            }
            for name in DROPPED & headers.keys():
                del headers[name]
            most = self.route.limits.max_depth
            self.found = Reply(self.status, headers, self.raw, attempts=self.attempts, max_depth=most)
        return self.found

    def take_in(self) -> None:
        """Takes what its flight came to."""
        assert self.flight is not None, "it flies"
        found = self.found = self.flight.outcome
        if isinstance(found, Reply):
            found.max_depth = self.route.limits.max_depth

    def told(self, outcome: Reply | Broken) -> Reply | Broken:
        """What one of several tries came to, with what the others did."""
        if isinstance(outcome, Broken):
            return replace(outcome, sent=outcome.sent or self.sent_before, attempts=self.attempts)
        outcome.attempts = self.attempts
        return outcome

    @property
    def lost(self) -> bool:
        """Whether one of its tries went out and brought no reply, whatever a later one brought."""
        found = self.result
        return self.lost_before or (isinstance(found, Broken) and found.sent)

    # --- beside others -------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Reply | Broken | None:
        """What came of it; None until it has ended."""
        return self.result if self.has_ended else None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is under way on it any more."""
        return self.plain or self.found is not None

    @property
    def sent(self) -> bool:
        """Whether the backend may have got some of it."""
        return self.went_out if self.flight is None else self.flight.sent

    @property
    def held(self) -> bool:
        """Whether its look-up waits for others that do not end."""
        on_the_way = self.flight or self.opening
        return on_the_way is not None and on_the_way.held

    @property
    def due(self) -> float:
        """When it has something to do though its sockets have no news (monotonic)."""
        on_the_way = self.flight or self.opening
        return self.until if on_the_way is None else min(self.until, on_the_way.due)

    def interests(self) -> Iterable[tuple[int, int]]:
        """Descriptors and the poll events that move it on."""
        on_the_way = self.flight or self.opening
        return ((self.fd, select.POLLIN),) if on_the_way is None else on_the_way.interests()

    def wake(self, waiter: Waiter) -> None:
        """Has a waiter told of what no socket tells."""
        on_the_way = self.flight or self.opening
        if on_the_way is not None:
            on_the_way.wake(waiter)

    def go_on(self) -> None:
        """Goes as far as it can without waiting."""
        if self.flight is not None:
            self.flight.go_on()
            self.take_in()
        elif self.opening is None and (whole := self.read()) is not False:
            if whole is None:
                self.page.look_closer(self)
        elif clock.monotonic() >= self.until:
            self.give_up(self.late)
        elif self.opening is not None:
            self.page.reach(self)

    # --- ends without a reply ------------------------------------------------------------------------------------

    @property
    def late(self) -> Broken:
        """Why it has no reply where its time is up."""
        on_the_way = self.flight or self.opening
        if on_the_way is None:
            return Broken("timeout", sent=self.went_out, reason="reply-timeout")
        if on_the_way.held:
            return Broken("full", retry_after=1, reason="look-ups-full")
        return Broken("timeout", sent=self.sent, reason=on_the_way.late)

    def fail(self, error: Exception) -> None:
        """Ends it, because of what went wrong."""
        if self.opening is not None:
            broken = self.opening.broken_by(error, sent=self.went_out)
        else:
            cut: Reason = "cut-short" if self.came else "no-reply"
            client = self.route.client.name
            broken = broken_by(error, client, sent=self.went_out, late="reply-timeout", cut=cut)
        self.give_up(broken)

    def give_up(self, broken: Broken | None) -> None:
        """Ends it and its connection; None where nobody asks for its outcome."""
        lost = broken is not None and broken.kind != "too-large"
        if self.flight is not None:
            self.flight.give_up(lost=lost)
        elif self.opening is not None:
            self.opening.give_up(lost=lost)
        else:
            self.connection.close()
            if lost and self.connection.address is not None:
                self.route.idle.lost(self.connection)
        self.found, self.simple = broken, False

    def rest(self, last: Reply | Broken, again_at: float) -> None:
        """Has no connection until it is tried again."""
        self.last, self.again_at = last, again_at
        self.lost_before = self.lost_before or (isinstance(last, Broken) and (self.sent or last.sent))
        self.sent_before = self.sent_before or self.sent
        if self.plain:
            connection, idle = self.connection, self.route.idle
            connection.wire = self.feed = None
            if self.fresh and connection.is_secure:
                idle.ticket = connection.ticket
            idle.give(connection, self.idle_for, self.landed_at, self.page.offset)
        self.flight = self.opening = self.found = None
        self.came = b""
        self.plain = self.simple = self.went_out = False


def _is_framed_plainly(headers: Mapping[bytes, bytes]) -> bool:
    if b"trailer" in headers or b"upgrade" in headers:
        return False
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return False
    return headers.get(b"connection", b"keep-alive").lower() == b"keep-alive"
