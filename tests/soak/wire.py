"""A small HTTP/1.1 client for many visitors in one process: connections that are kept, a time-out for each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers import own_address


class Cut(Exception):
    """No whole answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    text: str

    @property
    def json(self) -> Any:
        """The decoded body; raises ValueError for what is no JSON."""
        return json.loads(self.text)


@dataclass(slots=True)
class Browser:
    """One visitor's connections, one to each instance, from an address of their own, and cookies."""

    ports: tuple[int, ...]
    patience: float
    address: str = field(default_factory=own_address)
    cookies: dict[str, str] = field(default_factory=dict)
    _open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=dict)

    async def ask(self, port: int, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        """One request to one instance; raises Cut where no whole answer comes in time."""
        try:
            async with asyncio.timeout(self.patience):
                return await self._ask(port, self._request(port, method, path, body, key))
        except (OSError, EOFError, TimeoutError, ValueError) as exc:
            self._close(port)
            raise Cut(type(exc).__name__) from exc

    def close(self) -> None:
        for port in list(self._open):
            self._close(port)

    def _request(self, port: int, method: str, path: str, body: Any, key: str) -> bytes:
        headers = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Sec-Fetch-Site: same-origin"]
        raw = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers += ["Content-Type: application/json"]
        if method != "GET":
            headers += [f"Content-Length: {len(raw)}"]
        if key:
            headers += [f"Idempotency-Key: {key}"]
        if self.cookies:
            headers += ["Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items())]
        return "\r\n".join([*headers, "", ""]).encode() + raw

    async def _ask(self, port: int, request: bytes) -> Answer:
        if port not in self._open:
            self._open[port] = await asyncio.open_connection("127.0.0.1", port, local_addr=(self.address, 0))
        reader, writer = self._open[port]
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        lines = [line.partition(":") for line in head[1:] if line]
        headers = {name.lower(): value.strip() for name, _, value in lines}
        cookies = tuple(value.strip() for name, _, value in lines if name.lower() == "set-cookie")
        raw = await _body(reader, headers)
        if headers.get("connection", "").lower() == "close":
            self._close(port)
        self._keep(cookies)
        return Answer(status, headers, cookies, raw.decode())

    def _keep(self, cookies: tuple[str, ...]) -> None:
        for cookie in cookies:
            pair, *attributes = [part.strip() for part in cookie.split(";")]
            name, _, value = pair.partition("=")
            self.cookies[name] = value
            if not value or "max-age=0" in [attribute.lower() for attribute in attributes]:
                del self.cookies[name]

    def _close(self, port: int) -> None:
        kept = self._open.pop(port, None)
        if kept is not None:
            kept[1].close()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        whole = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            whole += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
        return whole
    return await reader.readexactly(int(headers.get("content-length", "0")))
