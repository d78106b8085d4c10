"""The way of requests on wires: what is the same for each of them over sockets, made before the first."""

from __future__ import annotations

from typing import Any, Protocol

from bff.http.client import Client
from bff.http.forwarded import may_not_go_up
from bff.http.headers import FORBIDDEN_REQUEST_HEADERS, check_header, header_text, set_header
from bff.http.messages import OutgoingRequest
from bff.http.sockets.head import head_of
from bff.http.sockets.idle import Idle
from bff.http.sockets.origin import Origin, split
from bff.http.sockets.resolve import Resolver
from bff.http.way import Way

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Connections(Protocol):
    """Whoever has the connections of an app: what is kept of them, and who looks names up for new ones.

    It begins anew in a child of the process, so it is asked for the `resolver` each time.
    """

    resolver: Resolver

    def idle_of(self, client: Client, origin: Origin) -> Idle:
        """The idle connections of a client to a server."""


class Route(Way):
    """Each request may fly on a wire; `may_join` says whether two of a page may be equal.

    `start` and `headers` are what stands around the target of a plain read.
    """

    def __init__(
        self,
        connections: Connections,
        client: Client,
        method: str,
        *,
        may_join: bool,
        **terms: Any,
    ) -> None:
        super().__init__(client, method, **terms)
        self.connections, self.gate = connections, client.gate
        self.may_join = may_join and self.safe
        self.for_write = method not in _READS
        base = client.url("/")
        self.origin, target = split(base)
        self.prefix = target[:-1]
        self.idle = connections.idle_of(client, self.origin)
        self.start = f"{method} {self.prefix}"
        self.headers = f" HTTP/1.1\r\nHost: {self.origin.header}\r\n{header_text(client.sent_headers)}"

    def head_of(self, request: OutgoingRequest, target: str, request_id: str, left: float) -> bytes:
        """The head of a request with headers or a body of its own."""
        headers = headers_of(self.client, request, request_id)
        return head_of(self.method, f"{self.prefix}{target}", self.origin.header, headers, request.body, left)


def headers_of(client: Client, request: OutgoingRequest, request_id: str) -> dict[str, str]:
    """Every header of a request; raises ValueError for one that may not or cannot be sent."""
    headers = dict(client.sent_headers)
    if request.content_type is not None:
        set_header(headers, "Content-Type", request.content_type)
    for name, value in request.headers.items():
        lower = name.lower()
        if lower in FORBIDDEN_REQUEST_HEADERS or lower == client.auth_header or may_not_go_up(lower):
            raise ValueError(f"a request may not set the header {name}")
        set_header(headers, name, value)
    for name, value in request.forwarded:
        set_header(headers, name, value)
    if request.token is not None:
        if not client.forwards_token:
            raise ValueError("this client forwards no token")
        # Neither a client that forwards a token nor a recipe may write this one, so it is not there yet.
        check_header("Authorization", request.token)
        headers["Authorization"] = f"Bearer {request.token}"
    if request_id:
        check_header("X-Request-ID", request_id)
        headers["X-Request-ID"] = request_id
    return headers
