"""The backend on a real socket that answers as scripted."""

from __future__ import annotations

import gc
import socket
import socketserver
import ssl
import struct
import time
import warnings

import pytest
import requests

from bff.testing.server import _Server
from tests.fakes import FakeBackend, Received, Wire, answer


def test_a_connection_that_is_gone_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = socketserver.StreamRequestHandler.finish

    def finish_late(self: socketserver.StreamRequestHandler) -> None:
        time.sleep(0.1)
        finish(self)

    monkeypatch.setattr(socketserver.StreamRequestHandler, "finish", finish_late)
    connections = []

    def script(received: Received, wire: Wire) -> None:
        connections.append(wire._connection)
        answer(json=1)(received, wire)
        wire.close()

    with FakeBackend() as backend:
        backend.on("GET /a", script)
        assert requests.get(f"{backend.url}/a", timeout=10).json() == 1
        assert backend.wait_for_connections(0)
        assert [connection.fileno() for connection in connections] == [-1]


def test_a_caller_that_has_gone_before_its_handshake_leaves_no_socket_open() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with FakeBackend() as backend, _Server(("127.0.0.1", 0), backend, tls) as server:
        caller = socket.create_connection(server.server_address)
        caller.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )  # reset when it closes
        caller.close()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with pytest.raises(OSError):
                server.get_request()
            gc.collect()
        assert told == []
