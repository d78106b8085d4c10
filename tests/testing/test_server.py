"""The backend on a real socket that answers as scripted."""

from __future__ import annotations

import socketserver
import time

import pytest
import requests

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
