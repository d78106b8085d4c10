"""The backend of the overload: answers after 20 ms on one port, and never on another. `python … DELAY_SECONDS`.

Prints both ports as JSON and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

PEOPLE = [
    {"id": f"p{number}", "name": f"Person {number}", "mail": f"p{number}@example.com"} for number in range(30)
]
TODOS = [
    {"id": f"t{number}", "title": f"Water the plants {number}", "owner": f"p{number % 30}", "note": "x" * 100}
    for number in range(100)
]
BODIES: dict[str, Any] = {"/me": {"id": "p0", "name": "Ann"}, "/todos": TODOS, "/people": PEOPLE}


def _whole(body: Any) -> bytes:
    raw = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(raw),
        raw,
    )


ANSWERS = {path.encode(): _whole(body) for path, body in BODIES.items()}


class Well(asyncio.Protocol):
    """Answers each request of a connection after a while."""

    delay = 0.02

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            asyncio.get_running_loop().call_later(self.delay, self._transport.write, ANSWERS[path])


async def serve() -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    well = await loop.create_server(Well, "127.0.0.1", 0, backlog=1024)
    hanging = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=1024)
    ports = {
        name: server.sockets[0].getsockname()[1] for name, server in (("well", well), ("hanging", hanging))
    }
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    Well.delay = float(sys.argv[1])
    asyncio.run(serve())
