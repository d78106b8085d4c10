"""A connection that is being made: its server is looked up, dialled and, behind TLS, shaken hands with."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING

from bff import clock
from bff.errors import Reason
from bff.http.faults import UnreadableFileError
from bff.http.messages import Broken
from bff.http.sockets.broken import broken_by
from bff.http.sockets.connection import Connection
from bff.http.sockets.dial import Dial
from bff.http.sockets.idle import Idle
from bff.http.sockets.origin import Origin
from bff.http.sockets.resolve import Lookup, Resolver

if TYPE_CHECKING:
    import ssl

    from bff.http.client import Client
    from bff.http.transport import Waiter


class Opening:
    """Goes on towards a connection, as far as it can without waiting; used by the thread that waits for it."""

    __slots__ = (
        "_client",
        "_connection",
        "_dial",
        "_idle",
        "_lookup",
        "_origin",
        "_resolver",
        "_rules",
        "_several",
    )

    def __init__(self, client: Client, origin: Origin, idle: Idle, resolver: Resolver) -> None:
        self._client = client
        self._origin = origin
        self._idle = idle
        self._resolver = resolver
        self._lookup: Lookup | None = None
        self._dial: Dial | None = None
        self._several = False
        self._rules: ssl.SSLContext | None = None
        self._connection: Connection | None = None

    def go_on(self) -> Connection | None:
        """The connection, None while there is none; raises OSError where there will be none."""
        connection = self._connection
        if connection is None:
            dial = self._dial or self._found()
            sock = None if dial is None else dial.go_on()
            if dial is None or sock is None:
                return None
            connection = self._connection = self._made(sock) if self._origin.secure else Connection(sock)
            if self._several:
                self._note(dial)
            self._dial = None
        if connection.is_secure and not connection.handshake():
            return None
        self._connection = None
        return connection

    def give_up(self, *, lost: bool) -> None:
        """Ends what it holds; where it was `lost`, its server took a connection and gave no answer."""
        connection, self._connection = self._connection, None
        if self._dial is not None and self._dial.trying:
            self._dial.close()
        if connection is not None:
            connection.close()
            if lost:
                self._idle.ticket = None
                self._idle.lost(connection)
        self._lookup = self._dial = None

    # --- while it is waited for ----------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether its look-up waits for others that do not end."""
        return self._lookup is not None and self._lookup.held

    @property
    def due(self) -> float:
        """When it has something to do though its sockets have no news (monotonic)."""
        if self._lookup is not None:
            return self._lookup.due
        return inf if self._dial is None else self._dial.due

    def interests(self) -> Iterable[tuple[int, int]]:
        """Descriptors and the poll events that move it on."""
        if self._connection is not None:
            return ((self._connection.fd, self._connection.wants),)
        return () if self._dial is None else self._dial.interests()

    def wake(self, waiter: Waiter) -> None:
        """Has a waiter told of what no socket tells: the end of a look-up."""
        if self._lookup is not None:
            self._lookup.wake(waiter)

    @property
    def late(self) -> Reason:
        """How far it has come where its time is up."""
        if self._connection is not None:
            return "tls-timeout"
        return "connect-timeout" if self._dial is not None else "look-up-timeout"

    def broken_by(self, error: Exception, *, sent: bool) -> Broken:
        """Why there will be no connection."""
        cut: Reason = "refused" if self._connection is None else "tls"
        return broken_by(error, self._client.name, sent=sent, late=self.late, cut=cut)

    # --- the way there -------------------------------------------------------------------------------------------

    def _found(self) -> Dial | None:
        """Dials the addresses of its server; None where its name is still looked up."""
        found = self._idle.lookup
        if found is None or clock.monotonic() >= found.until:
            if self._lookup is None:
                self._lookup = self._resolver.look_up(self._origin.host, self._origin.port)
            found = self._lookup.usable
            if found is None:
                return None
            self._lookup = None
            if not found.addresses:
                raise found.error or socket.gaierror("no address")
            self._idle.lookup = found
        addresses = found.addresses
        assert addresses, "one without is not kept"
        self._several = len(addresses) > 1
        if self._origin.secure:
            self._rules = _rules_for(self._client)
        self._dial = Dial(found.standing.in_order(addresses) if self._several else addresses)
        return self._dial

    def _made(self, sock: socket.socket) -> Connection:
        """A connection that is to shake hands."""
        from bff.http.sockets.secure import SecureConnection  # loads ssl, which plain HTTP does without

        assert self._rules is not None, "known before it was dialled"
        return SecureConnection(sock, self._rules, self._origin.name, self._idle.ticket)

    def _note(self, dial: Dial) -> None:
        """Notes which of several addresses it was."""
        if self._idle.lookup is not None and self._connection is not None:
            self._idle.lookup.standing.lost(dial.losers)
            self._connection.address = dial.winner


def _rules_for(client: Client) -> ssl.SSLContext:
    from bff.http.sockets.tls import context_for  # loads requests, which plain HTTP does without

    try:
        return context_for(client.verify)
    except OSError:
        raise UnreadableFileError from None
