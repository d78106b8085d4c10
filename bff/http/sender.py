"""Sends what views by hand ask of a client, one request after the other."""

from __future__ import annotations

from contextlib import closing

from bff.http.calls import Calls
from bff.http.choice import default_transport
from bff.http.client import Client
from bff.http.messages import Broken, OutgoingRequest, Reply
from bff.http.transport import Transport


class Sender:
    """Sends over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(self, client: Client, request: OutgoingRequest, until: float, request_id: str) -> Reply | Broken:
        """Waits until then (monotonic) for what a request brings, with the client's retries."""
        with closing(Calls(self._transport, until, request_id=request_id)) as calls:
            call = calls.start(client, request)
            while call.result is None:
                calls.wait(until)
        return call.result


class Alone:
    """Sends for clients that are of no app, over a transport that they share."""

    def send(self, client: Client, request: OutgoingRequest, until: float, request_id: str) -> Reply | Broken:
        """As `Sender.send`."""
        return Sender(default_transport()).send(client, request, until, request_id)
