"""What views by hand ask of a client, one request after the other."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias

from msgspec.structs import replace

from bff import clock
from bff.http.messages import Broken, CallError, OutgoingRequest, Reply
from bff.jsontext import JSON, encode
from bff.records import Unshown

Query: TypeAlias = Mapping[str, str | Sequence[str]]


class Visit(Unshown, frozen=True):
    """On whose behalf a view by hand asks, as which request, and until when (monotonic)."""

    token: str | None
    mark: bytes
    request_id: str
    until: float
    forwarded: tuple[tuple[str, str], ...] = ()


class Sends(Protocol):
    """What sends the requests of views by hand."""

    def send(
        self, client: Any, method: str, request: OutgoingRequest, until: float, request_id: str
    ) -> Reply | Broken:
        """Waits until then (monotonic) for what a request brings, with the client's retries."""


class ByHand:
    """Asks a backend in the thread of a view; `sender` sends that, which the app that a client is of gives it."""

    sender: Sends
    name = ""
    _visit: Visit | None = None

    def for_visit(self, visit: Visit) -> Self:
        """The same client, its caches and budgets too, for requests on behalf of one visitor."""
        bound = copy.copy(self)
        bound._visit = visit
        return bound

    def get(self, path: str, *, query: Query | None = None, deadline: float = 3.0) -> Reply:
        """Asks for a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send("GET", _outgoing(path, query), deadline=deadline)

    def post(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Posts JSON to a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send("POST", _outgoing(path, query, encode(json)), deadline=deadline)

    def put(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Puts JSON at a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send("PUT", _outgoing(path, query, encode(json)), deadline=deadline)

    def patch(
        self, path: str, *, json: JSON = None, query: Query | None = None, deadline: float = 3.0
    ) -> Reply:
        """Patches a path with JSON; raises CallError where no reply comes within `deadline` seconds."""
        return self.send("PATCH", _outgoing(path, query, encode(json)), deadline=deadline)

    def delete(self, path: str, *, query: Query | None = None, deadline: float = 3.0) -> Reply:
        """Deletes a path; raises CallError where no reply comes within `deadline` seconds."""
        return self.send("DELETE", _outgoing(path, query), deadline=deadline)

    def send(self, method: str, request: OutgoingRequest, *, deadline: float = 3.0) -> Reply:
        """Sends one request and waits for its reply, with this client's retries where it is a GET.

        A reply of any status is a reply; raises CallError where none comes within `deadline` seconds.
        """
        end, visit = clock.monotonic() + deadline, self._visit
        if visit is not None:
            end = min(end, visit.until)
            request = replace(
                request, token=visit.token, visitor=visit.mark or None, forwarded=visit.forwarded
            )
        found = self.sender.send(self, method, request, end, "" if visit is None else visit.request_id)
        if isinstance(found, Broken):
            raise CallError(self.name, found)
        return found


def _outgoing(path: str, query: Query | None, body: bytes | None = None) -> OutgoingRequest:
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        pairs.extend((name, one) for one in ([value] if isinstance(value, str) else value))
    content_type = None if body is None else "application/json"
    return OutgoingRequest(path, tuple(pairs), body=body, content_type=content_type)
