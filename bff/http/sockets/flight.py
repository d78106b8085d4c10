"""One try from its start to its outcome; whoever waits for it moves it on whenever its sockets have news."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bff import clock
from bff.errors import Reason
from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from bff.http.messages import Broken, Reply
from bff.http.sockets.broken import broken_by
from bff.http.sockets.connection import READ, Connection
from bff.http.sockets.idle import Idle
from bff.http.sockets.opening import Opening
from bff.http.sockets.origin import Origin
from bff.http.sockets.parser import ReplyParser
from bff.http.sockets.resolve import Resolver
from bff.records import Unshown

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.transport import Waiter

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Exchange(Unshown, frozen=True):
    """What a flight sends and takes, `until` (monotonic); `head` makes its head with so many seconds left."""

    client: Client
    method: str
    body: bytes | None
    until: float
    max_bytes: int
    head: Callable[[float], bytes]


class SocketFlight:
    """A try on its way; used by the thread that waits for it.

    It looks its server up, connects, shakes hands, writes and reads, as far as each can go at once.
    """

    __slots__ = (
        "_connection",
        "_exchange",
        "_idle",
        "_opening",
        "_origin",
        "_parser",
        "_resolver",
        "_reused",
        "_spoilt",
        "_unsent",
        "outcome",
        "sent",
        "until",
    )

    def __init__(self, exchange: Exchange, origin: Origin, idle: Idle, resolver: Resolver) -> None:
        self.outcome: Reply | Broken | None = None
        self.sent = False
        self.until = exchange.until
        self._exchange = exchange
        self._origin = origin
        self._idle = idle
        self._resolver = resolver
        self._opening: Opening | None = None
        self._connection: Connection | None = None
        self._parser: ReplyParser | None = None
        self._unsent: bytes | memoryview = b""
        self._reused = False
        self._spoilt = False

    @property
    def held(self) -> bool:
        """Whether its look-up waits for others that do not end."""
        return self._opening is not None and self._opening.held

    @property
    def due(self) -> float:
        """When it has something to do though its sockets have no news (monotonic)."""
        return self.until if self._opening is None else min(self.until, self._opening.due)

    def interests(self) -> Iterable[tuple[int, int]]:
        """Descriptors and the poll events that move it on."""
        if self._opening is not None:
            return self._opening.interests()
        connection = self._connection
        if connection is None:
            return ()
        return ((connection.fd, select.POLLIN | connection.wants if self._unsent else select.POLLIN),)

    def wake(self, waiter: Waiter) -> None:
        """Has a waiter told of what no socket of its own tells: the end of a look-up."""
        if self._opening is not None:
            self._opening.wake(waiter)

    def begin(self) -> None:
        """Sends the request if there is a connection for it, else begins to make one."""
        self._connection = self._idle.take(for_write=self._exchange.method not in _READS)
        self._reused = self._connection is not None
        self._attempt(self._begin_writing if self._reused else self._reach)

    def resume(self, connection: Connection, unsent: bytes, came: bytes, *, reused: bool, sent: bool) -> None:
        """Goes on with a request that was begun on a connection, and with what has come since.

        `reused` says whether the connection was idle before, `sent` whether any of the request has gone out.
        """
        self._connection = connection
        self._reused = reused
        self.sent = sent
        self._unsent = unsent
        self._parser = ReplyParser(self._exchange.method, self._exchange.max_bytes)
        self._attempt(lambda: self._resume(came))

    def _resume(self, came: bytes) -> None:
        if not came or not self._has_ended(came):
            self._step()

    def go_on(self) -> None:
        """Goes as far as it can without waiting."""
        if self.outcome is not None:
            return
        if clock.monotonic() >= self.until:
            self._time_out()
        else:
            self._attempt(self._step)

    def give_up(self, *, lost: bool = False) -> None:
        """Ends what it holds; where it was `lost`, no answer came."""
        connection, self._connection = self._connection, None
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.give_up(lost=lost)
        elif connection is not None:
            connection.close()
            if lost:
                self._idle.lost(connection)
        if self._parser is not None:
            self._parser.release()
        self._parser = None
        self._unsent = b""

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            try:
                step()
            except (OSError, BadReplyError) as error:
                if isinstance(error, TimeoutError) or not self._may_start_anew():
                    raise
                self.give_up()
                self._reused = False
                self._step()
        except Exception as error:
            self._end(self._broken_by(error))

    def _may_start_anew(self) -> bool:
        """Whether a connection that was kept has turned out dead, and a fresh one may be tried (RFC 9110, 9.2.2)."""
        unheard = self._parser is None or not self._parser.begun
        return self._reused and unheard and (not self.sent or self._exchange.method in _READS)

    # --- the way there -------------------------------------------------------------------------------------------

    def _reach(self) -> bool:
        """Goes on towards a connection; says whether the request has been begun on it."""
        if self._opening is None:
            self._opening = Opening(self._exchange.client, self._origin, self._idle, self._resolver)
        connection = self._opening.go_on()
        if connection is None:
            return False
        self._opening, self._connection = None, connection
        self._begin_writing()
        return True

    def _begin_writing(self) -> None:
        exchange = self._exchange
        left = self.until - clock.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        head = exchange.head(left)
        self._parser = ReplyParser(exchange.method, exchange.max_bytes)
        self._unsent = head + exchange.body if exchange.body else head
        self._write()

    # --- the exchange --------------------------------------------------------------------------------------------

    def _step(self) -> None:
        if self._connection is None and not self._reach():
            return
        if self._unsent:
            self._write()
        connection = self._connection
        assert connection is not None
        # Also while there is more to send: a server that answers before it has read all would wait for us.
        while (received := connection.read()) is not None:
            if self._has_ended(received):
                return
            if len(received) < READ and not connection.may_hold_more:
                return

    def _has_ended(self, received: bytes) -> bool:
        """Takes in what has come, b"" for the end of the connection; says whether that was the reply's end."""
        connection, parser = self._connection, self._parser
        assert connection is not None and parser is not None
        if not received and not parser.end():
            raise BadReplyError("the connection ended", "cut-short" if parser.begun else "no-reply")
        if received and not parser.feed(received):
            return False
        self._complete(connection, parser)
        return True

    def _write(self) -> None:
        """Sends what goes out at once. Where the server takes no more, its reply may still say why."""
        connection = self._connection
        assert connection is not None
        try:
            while self._unsent and (count := connection.write(self._unsent)):
                self.sent = True
                self._unsent = memoryview(self._unsent)[count:] if count < len(self._unsent) else b""
        except (BrokenPipeError, ConnectionResetError):
            if self._may_start_anew():
                raise
            self._unsent = b""
            self._spoilt = True

    def _complete(self, connection: Connection, parser: ReplyParser) -> None:
        if parser.too_large:
            self._end(Broken("too-large", sent=True))
            return
        encoding = parser.headers.get("content-encoding")
        raw = parser.raw if encoding is None else decoded(parser.raw, encoding, self._exchange.max_bytes)
        if raw is None:
            self._end(Broken("too-large", sent=True))
            return
        if not self._reused:
            self._idle.ticket = connection.ticket
        if parser.reusable and not self._unsent and not self._spoilt:
            self._connection = None
            self._idle.give(connection, parser.idle_for)
        self._end(Reply(parser.status, parser.headers, raw))

    def _time_out(self) -> None:
        if self.held:
            self._end(Broken("full", retry_after=1, reason="look-ups-full"))
        else:
            self._end(Broken("timeout", sent=self.sent, reason=self.late))

    @property
    def late(self) -> Reason:
        """How far it has come where its time is up."""
        return "reply-timeout" if self._opening is None else self._opening.late

    def _broken_by(self, error: Exception) -> Broken:
        if self._opening is not None:
            return self._opening.broken_by(error, sent=self.sent)
        cut: Reason = "cut-short" if self._parser is not None and self._parser.begun else "no-reply"
        return broken_by(error, self._exchange.client.name, sent=self.sent, late="reply-timeout", cut=cut)

    def _end(self, outcome: Reply | Broken) -> None:
        self.give_up(lost=isinstance(outcome, Broken) and outcome.kind != "too-large")
        self.outcome = outcome
