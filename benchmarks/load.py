"""Users that ask for a page over and over, each on one connection kept alive, and what they saw.

One thread and epoll. Every answer is looked at: another status than is asked for, or another length than the page has,
is an error and no page.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_READ = 262144
Sampled = TypeVar("Sampled")


PAGES = frozenset({b"200"})
"""The status of a page; where a load is to be answered otherwise, bodies may have any length."""


@dataclass(frozen=True)
class Asked:
    """What is asked and what comes back: the request as bytes of the wire, the length of the page's body."""

    port: int
    request: bytes
    length: int
    statuses: frozenset[bytes] = PAGES


@dataclass
class Window(Generic[Sampled]):
    """What was seen between two moments: seconds of each page, errors by kind, a sample at either end."""

    before: Sampled
    after: Sampled
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)


@dataclass
class _User:
    connection: socket.socket
    asked_at: float
    received: bytes = b""
    need: int = 0
    good: bool = True


class Load(Generic[Sampled]):
    """`users` at once; the window opens after `warm` seconds and is open for `seconds`, longer where there were
    fewer than `least` pages, but never over `most`. `sample` is called as it opens and as it closes."""

    def __init__(
        self,
        asked: Asked,
        users: int,
        sample: Callable[[], Sampled],
        *,
        warm: float = 0.5,
        seconds: float = 3.0,
        least: int = 30,
        most: float = 15.0,
        patience: float = 10.0,
    ) -> None:
        self._asked = asked
        self._count = users
        self._sample = sample
        self._warm, self._open_for, self._least, self._most = warm, seconds, least, most
        self._patience = patience
        self._epoll = select.epoll()
        self._users: dict[int, _User] = {}
        self._latencies: list[float] = []
        self._errors: dict[str, int] = {}

    def run(self) -> Window[Sampled]:
        try:
            for _ in range(self._count):
                self._connect()
            self._until(lambda now, begun: now - begun >= self._warm)
            self._latencies.clear()
            self._errors.clear()
            before, opened = self._sample(), time.perf_counter()
            self._until(self._seen_enough)
            seconds = time.perf_counter() - opened
            after = self._sample()
            return Window(before, after, seconds, self._latencies, self._errors)
        finally:
            for user in self._users.values():
                user.connection.close()
            self._epoll.close()

    def _seen_enough(self, now: float, begun: float) -> bool:
        passed = now - begun
        return passed >= self._open_for and (len(self._latencies) >= self._least or passed >= self._most)

    def _until(self, over: Callable[[float, float], bool]) -> None:
        begun = looked_at = time.perf_counter()
        while not over(now := time.perf_counter(), begun):
            for number, _ in self._epoll.poll(0.02):
                self._read(number)
            while len(self._users) < self._count and self._connect():
                pass
            if now - looked_at > 1.0:
                looked_at = now
                self._drop_those_that_wait_too_long(now)

    def _connect(self) -> bool:
        try:
            connection = socket.create_connection(("127.0.0.1", self._asked.port), timeout=self._patience)
        except OSError:
            self._error("no connection")
            time.sleep(0.001)
            return False
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        user = _User(connection, 0.0)
        self._users[connection.fileno()] = user
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        self._ask(connection.fileno(), user)
        return True

    def _ask(self, number: int, user: _User) -> None:
        user.received, user.need = b"", 0
        user.asked_at = time.perf_counter()
        try:
            user.connection.send(self._asked.request)
        except OSError:
            self._lose(number, "connection closed")

    def _read(self, number: int) -> None:
        user = self._users[number]
        try:
            received = user.connection.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lose(number, "connection closed")
            return
        user.received = user.received + received if user.received else received
        if not user.need and not self._read_head(number, user):
            return
        if len(user.received) >= user.need:
            self._answered(number, user)

    def _read_head(self, number: int, user: _User) -> bool:
        """Whether the head is there and tells where the answer ends."""
        end = user.received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = user.received[: end + 2].lower()
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            self._lose(number, "no Content-Length")
            return False
        length = int(head[at + 17 : head.index(b"\r\n", at + 17)])
        user.need = end + 4 + length
        status, statuses = head[9:12], self._asked.statuses
        user.good = status in statuses and (length == self._asked.length or statuses is not PAGES)
        if not user.good:
            self._error(f"{length} bytes" if status in statuses else f"status {status.decode()}")
        return True

    def _answered(self, number: int, user: _User) -> None:
        if user.good:
            self._latencies.append(time.perf_counter() - user.asked_at)
        if b"\r\nconnection: close" in user.received[:512].lower():
            self._end(number)
        else:
            self._ask(number, user)

    def _drop_those_that_wait_too_long(self, now: float) -> None:
        late = [number for number, user in self._users.items() if now - user.asked_at > self._patience]
        for number in late:
            self._lose(number, "no answer in time")

    def _lose(self, number: int, kind: str) -> None:
        self._error(kind)
        self._end(number)

    def _end(self, number: int) -> None:
        self._epoll.unregister(number)
        self._users.pop(number).connection.close()

    def _error(self, kind: str) -> None:
        self._errors[kind] = self._errors.get(kind, 0) + 1
