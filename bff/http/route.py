"""The way of one step's requests to their backend: all that is the same for each of them, made before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bff.http.fetch import headers_of
from bff.http.messages import OutgoingRequest, header_text
from bff.http.sockets.head import head_of
from bff.http.sockets.origin import split
from bff.http.sockets.wire import Wire

if TYPE_CHECKING:
    from bff.http.client import Client
    from bff.http.limits import Limits
    from bff.http.sockets.transport import SocketTransport

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Route:
    """Requests of one method to one client, over sockets; `may_join` says whether two of a page may be equal.

    `timeout` is in seconds; `start` and `headers` are what stands around the target of a plain read.
    """

    __slots__ = (
        "client",
        "for_write",
        "gate",
        "headers",
        "idle",
        "kind",
        "limits",
        "may_join",
        "may_repeat",
        "method",
        "origin",
        "prefix",
        "retries",
        "safe",
        "start",
        "timeout",
        "transport",
    )

    def __init__(
        self,
        transport: SocketTransport,
        client: Client,
        limits: Limits,
        *,
        method: str,
        safe: bool,
        timeout: float | None,
        retries: int | None,
        repeatable: bool,
        may_join: bool,
    ) -> None:
        self.transport, self.client, self.limits, self.method, self.safe = (
            transport,
            client,
            limits,
            method,
            safe,
        )
        self.may_repeat = safe or repeatable
        self.timeout = client.timeout if timeout is None else timeout
        self.retries = client.retries if retries is None else retries
        self.may_join = may_join and safe
        self.kind = (client, method, self.timeout, self.retries)
        self.gate = client.gate
        self.for_write = method not in _READS
        base = client.url("/")
        self.origin, target = split(base)
        self.prefix = target[:-1]
        self.idle = transport.idle_of(client, self.origin)
        self.start = f"{method} {self.prefix}"
        self.headers = f" HTTP/1.1\r\nHost: {self.origin.header}\r\n{header_text(client.sent_headers)}"

    def head_of(self, request: OutgoingRequest, target: str, request_id: str, left: float) -> bytes:
        """The head of a request with headers or a body of its own."""
        headers = headers_of(self.client, request, request_id)
        return head_of(self.method, f"{self.prefix}{target}", self.origin.header, headers, request.body, left)

    # --- what is not plain ---------------------------------------------------------------------------------------

    def request_of(self, wire: Wire, visitor: bytes | None = None) -> OutgoingRequest:
        """What a wire asks, as a request of its own."""
        found: OutgoingRequest | None = wire.request
        return self.alone(wire.target, wire.token, visitor) if found is None else found

    def alone(self, target: str, token: str | None, visitor: bytes | None) -> OutgoingRequest:
        """A request of which target and token say all."""
        return OutgoingRequest(
            self.method,
            target,
            safe=self.safe,
            timeout=self.timeout,
            retries=self.retries,
            token=token,
            visitor=visitor,
        )
