"""Users that ask for one page over and over, and what each answer was; those who are turned away come back later."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

_LATE = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: its status, seconds for the user, seconds from the WSGI entry (0 if not told), Retry-After."""

    status: int
    seconds: float
    inside: float
    retry_after: str


@dataclass(slots=True)
class Crowd:
    """All answers of some users between the warm-up and the end; `lost` counts connections that ended early."""

    warm_until: float
    until: float
    patient: bool
    seen: list[Seen] = field(default_factory=list)
    lost: int = 0

    def of(self, *statuses: int) -> list[Seen]:
        return [one for one in self.seen if one.status in statuses]


class _User(asyncio.Protocol):
    """One user on one connection. One who is patient waits as Retry-After says, and a little, before they ask again."""

    def __init__(self, crowd: Crowd, path: str, pause: float) -> None:
        self._crowd = crowd
        self._request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
        self._pause = pause
        self._buffer = b""
        self._asked_at = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self._crowd.lost += 1
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        if len(body) < int(headers.get("content-length", "0")):
            return
        self._buffer = b""
        self._answered(int(lines[0].split(" ")[1]), headers)

    def _ask(self) -> None:
        if self.ended.done():
            return
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)

    def _answered(self, status: int, headers: dict[str, str]) -> None:
        now = time.perf_counter()
        retry_after = headers.get("retry-after", "")
        if self._asked_at >= self._crowd.warm_until:
            inside = int(headers.get("x-microseconds", "0")) / 1e6
            self._crowd.seen.append(Seen(status, now - self._asked_at, inside, retry_after))
        pause = self._pause
        if status == 503 and self._crowd.patient:
            pause = float(retry_after or "1") * random.uniform(1.0, 1.5)
        if now + pause >= self._crowd.until:
            self.ended.set_result(None)
            self._transport.close()
        else:
            asyncio.get_running_loop().call_later(pause, self._ask)


@dataclass(frozen=True, slots=True)
class Group:
    """So many users of a path; `pause` is their seconds between an answer and the next question."""

    path: str
    users: int
    pause: float = 0.0


def crowds(
    port: int, groups: Sequence[Group], seconds: float, warm: float = 1.0, *, patient: bool = True
) -> list[Crowd]:
    """What each group saw, all at once."""
    return asyncio.run(_crowds(port, groups, seconds, warm, patient))


async def _crowds(
    port: int, groups: Sequence[Group], seconds: float, warm: float, patient: bool
) -> list[Crowd]:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    found, users = [], []
    for group in groups:
        crowd = Crowd(begun + warm, begun + warm + seconds, patient)
        found.append(crowd)
        for _ in range(group.users):
            made = partial(_User, crowd, group.path, group.pause)
            users.append((await loop.create_connection(made, "127.0.0.1", port))[1])
    await asyncio.wait([user.ended for user in users], timeout=warm + seconds + _LATE)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not pass; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
