"""Sends what views by hand ask of a client, one request after the other."""

from __future__ import annotations

from contextlib import closing

from bff.http.calls import Calls
from bff.http.choice import default_transport
from bff.http.client import Client
from bff.http.messages import Broken, OutgoingRequest, Reply
from bff.http.transport import Transport


class Sender:
    """Sends over a transport of its app's; without one over that which clients of no app share."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport

    def send(
        self, client: Client, method: str, request: OutgoingRequest, until: float, request_id: str
    ) -> Reply | Broken:
        """Waits until then (monotonic) for what a request brings, with the client's retries."""
        transport = self._transport or default_transport()
        with closing(Calls(transport, until, request_id=request_id)) as calls:
            call = calls.start(calls.way(client, method, safe=method == "GET"), request)
            while call.result is None:
                calls.wait(until)
        return call.result
