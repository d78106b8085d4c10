"""A connection behind TLS; only https loads it, and Python's ssl with it."""

from __future__ import annotations

import select
import socket
import ssl

from bff import clock
from bff.forks import close_in_child
from bff.http.sockets.connection import READ, Connection, Ticket


class SecureConnection(Connection):
    """A connection where reading may have to write and writing to read."""

    __slots__ = ("_context", "_error", "_tls", "_verified_at", "has_ended")
    is_secure = True

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, name: str, ticket: Ticket | None = None
    ) -> None:
        if ticket is not None and not ticket.is_for(context):
            ticket = None
        self._context = context
        self._error: OSError | None = None
        self.has_ended = False
        self._verified_at = 0.0 if ticket is None else ticket.verified_at
        # An end without a word would look like the end of a body that has no length: it is an error here.
        try:
            self._tls = context.wrap_socket(
                sock,
                server_hostname=name,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
                session=None if ticket is None else ticket.session,
            )
        except BaseException:
            sock.close()
            raise
        close_in_child(self._tls)
        super().__init__(self._tls)
        self.receive = self._receive

    def handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
            return False
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
            return False
        if not self._tls.session_reused:
            self._verified_at = clock.monotonic()
        return True

    @property
    def ticket(self) -> Ticket | None:
        session = self._tls.session
        return None if session is None else Ticket(session, self._context, self._verified_at)

    def write(self, data: bytes | memoryview) -> int:
        try:
            return self._tls.send(data)
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
        return 0

    def read(self) -> bytes | None:
        if self._error is not None:
            raise self._error
        try:
            data = self._tls.recv(READ)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
            return None
        except OSError:
            self.has_ended = True
            raise
        if not data:
            self.has_ended = True
        return data

    def _receive(self, most: int) -> bytes:
        """All that has come, of several records; raises BlockingIOError where nothing has."""
        parts: list[bytes] = []
        size = 0
        while size < most:
            try:
                part = self.read()
            except OSError as error:
                if not parts:
                    raise
                self._error = error  # TLS may tell of it only once, and then of an end like any other
                break
            if part is None:
                if parts:
                    break
                raise BlockingIOError
            parts.append(part)
            size += len(part)
            if not part:
                break
        return b"".join(parts)

    @property
    def may_hold_more(self) -> bool:
        return True

    def is_quiet(self) -> bool:
        if not self.poll(0) and not self._tls.pending():
            return True
        try:  # session tickets come after the handshake, whenever the server likes
            return self.read() is None
        except OSError:
            return False
