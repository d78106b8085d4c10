"""A backend that is well on one port and sick on each of the others: `python benchmarks/sick_backend.py`.

Prints the ports as JSON and serves until its standard input is closed. What refuses has a port on which nobody listens.
`/-/counts` on any port but that tells how many requests each port has seen since the last time.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections import Counter
from functools import partial
from pathlib import Path

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import fixtures
from benchmarks.backend import COUNTS, written

LATE = 0.04
"""Seconds after which the late one answers."""
WELL, ENDS = written(200, fixtures.notice()), b"\r\n\r\n"
_CUT = WELL.partition(ENDS)[0] + ENDS + b'{"id":'
REPLIES = {
    "well": WELL,
    "late": WELL,
    "500": written(500, {"error": "broken"}),
    "503": written(503, {"error": "busy"}),
    "hangs": b"",
    "reset": _CUT,
}


class Notices(asyncio.Protocol):
    """One connection of a kind; `seen` counts the requests of all."""

    def __init__(self, kind: str, seen: Counter[str]) -> None:
        self._kind = kind
        self._seen = seen
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._begun = (self._begun + data).split(ENDS)
        for request in requests:
            if request.split(b" ", 2)[1] == COUNTS:
                self._transport.write(written(200, self._seen))
                self._seen.clear()
            else:
                self._seen[self._kind] += 1
                self._answer(REPLIES[self._kind])

    def _answer(self, reply: bytes) -> None:
        if self._kind == "late":
            asyncio.get_running_loop().call_later(LATE, self._transport.write, reply)
        elif reply:
            self._transport.write(reply)
        if self._kind == "reset":
            # Closed without lingering: the other side reads what came, and then that the connection was reset.
            connection: socket.socket = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            asyncio.get_running_loop().call_soon(self._transport.abort)


async def serve() -> None:
    """Until standard input ends."""
    loop, seen = asyncio.get_running_loop(), Counter[str]()
    servers = {
        kind: await loop.create_server(partial(Notices, kind, seen), "127.0.0.1", 0, backlog=1024)
        for kind in REPLIES
    }
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ports = {kind: server.sockets[0].getsockname()[1] for kind, server in servers.items()}
        print(json.dumps({**ports, "refused": nobody.getsockname()[1]}), flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
