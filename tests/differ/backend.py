"""A backend on a real socket that misbehaves as a list of parts says, and that can be shut and opened again."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import TypeAlias

from tests.differ.descriptors import PATIENCE, unread


class Ending(Enum):
    """How a connection goes on after the bytes before."""

    END = "the backend closes it"
    RESET = "the backend resets it"
    HANG = "nothing comes any more"


class Until(Enum):
    """What a backend waits for before it goes on."""

    READ = "all that it has sent has been read"
    LEFT = "the other side has closed the connection"


class Way(Enum):
    """How the bytes behind go out."""

    WITH_THE_END = "together with the end of the connection"


END, RESET, HANG = Ending.END, Ending.RESET, Ending.HANG
READ, LEFT = Until.READ, Until.LEFT
WITH_THE_END = Way.WITH_THE_END
Part: TypeAlias = bytes | float | Ending | Until | Way | Callable[[], object]
"""Bytes that are sent, seconds that pass, an ending, or what is waited for."""


@dataclass(frozen=True)
class Seen:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def _is_asked(listening: socket.socket, milliseconds: float | None) -> bool:
    """Whether somebody has connected who is not accepted yet; waits so long for that."""
    if listening.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(milliseconds))


class Backend:
    """Answers each request with the parts that `script` gives for it; `seen` may be shared by several."""

    def __init__(
        self, script: Callable[[Seen], Iterable[Part]], seen: list[Seen], tls: ssl.SSLContext | None = None
    ) -> None:
        self._script = script
        self._seen = seen
        self._tls = tls
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._answering: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()
        self.accepted = 0
        # It never listens, and keeps the port from others while the backend is shut.
        self._reserved = self._bound(0)
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self.open()

    def open(self) -> None:
        """Listens, for the first time or again."""
        self._listening = self._bound(self.port)
        self._listening.listen(64)
        self._start(self._accept, self._listening)

    def shut(self) -> None:
        """Ends every connection and listens no more: who asks is refused."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes who accepts, and closes it
        self.hang_up()

    def hang_up(self) -> None:
        """Ends every connection."""
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def say(self, noise: bytes) -> None:
        """Sends something on every connection that nobody has asked for."""
        with self._changed:
            for connection in self._open:
                connection.sendall(noise)

    def wait_for(self, holds: Callable[[], bool]) -> bool:
        """Waits until something holds that changes with requests; False after `PATIENCE`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ending.is_set() or holds(), PATIENCE)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds of which nobody tells here, at most `PATIENCE`."""
        until = time.monotonic() + PATIENCE
        while not holds() and time.monotonic() < until:
            self.pause(0.002)

    @property
    def open_connections(self) -> int:
        """Those that neither side has ended."""
        with self._changed:
            return len(self._open)

    @property
    def is_quiet(self) -> bool:
        """Whether it has taken every connection, and done all that its answers say, to the end of theirs."""
        with self._changed:
            return not self._answering and not _is_asked(self._listening, 0)

    def pause(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def __enter__(self) -> Backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self.shut()
        with self._changed:
            self._changed.notify_all()
        for thread in list(self._threads):
            thread.join(PATIENCE)
        self._reserved.close()

    def _bound(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        return made

    def _start(self, work: Callable[[socket.socket], None], given: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(given,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        try:
            with suppress(OSError):
                while True:
                    _is_asked(listening, None)
                    with self._changed:  # so that whoever looks finds it asked for, or open
                        self._take(listening)
        finally:
            with self._changed:
                listening.close()

    def _take(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        self.accepted += 1
        self._start(self._converse, connection)

    def _converse(self, connection: socket.socket) -> None:
        before = b""
        try:
            with suppress(OSError):
                while (found := self._read(connection, before)) is not None:
                    seen, before = found
                    with self._changed:
                        self._seen.append(seen)
                        self._answering.add(connection)
                        self._changed.notify_all()
                    if not self._answer(connection, seen):
                        break
                    with self._changed:
                        self._answering.discard(connection)
        finally:
            with self._changed:
                connection.close()
                self._open.discard(connection)
                self._answering.discard(connection)

    def _read(self, connection: socket.socket, before: bytes) -> tuple[Seen, bytes] | None:
        while b"\r\n\r\n" not in before:
            piece = connection.recv(65536)
            if not piece:
                return None
            before += piece
        head, _, rest = before.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            piece = connection.recv(65536)
            if not piece:
                return None
            rest += piece
        return Seen(method, target, headers, rest[:length]), rest[length:]

    def _answer(self, connection: socket.socket, seen: Seen) -> bool:
        """Sends the parts; says whether the connection goes on."""
        for part in self._script(seen):
            match part:
                case bytes():
                    connection.sendall(part)
                case float():
                    self._ending.wait(part)
                case Ending.END:
                    return False
                case Ending.RESET:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return False
                case Ending.HANG:
                    _wait_for_end(connection)
                    return False
                case Way.WITH_THE_END:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                case Until.LEFT:
                    _wait_for_end(connection)
                case Until.READ:
                    self._wait_for_reader(connection.getpeername()[1])
                case _:
                    part()
        return True

    def _wait_for_reader(self, port: int) -> None:
        self.wait_until(lambda: not unread(port))


def _wait_for_end(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass
