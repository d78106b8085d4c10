"""A network of a container's own: what it listens on is reached through a port of loopback, and nothing else is."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
Connect = Callable[[], socket.socket]
T = TypeVar("T")


def begin(pid: int) -> None:
    """Switch on loopback in the network of a process."""

    def up() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            _, flags = struct.unpack(
                "16sh", fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sh", b"lo", 0))
            )
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))

    _inside(pid, up)


@contextlib.contextmanager
def published(pid: int, port: int) -> Iterator[None]:
    """Meanwhile the port of our loopback leads to the same port of the process's."""
    with _relay(_listen(port), lambda: _inside(pid, lambda: _connect(port))):
        yield


@contextlib.contextmanager
def reaching(pid: int, port: int) -> Iterator[None]:
    """Meanwhile the port of the process's loopback leads to the same port of ours."""
    with _relay(_inside(pid, lambda: _listen(port)), lambda: _connect(port)):
        yield


def _inside(pid: int, ask: Callable[[], T]) -> T:
    """What a call gives in the network of a process; a socket that it makes stays one of that network."""

    def enter() -> T:
        opened = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(opened, _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), f"the network of {pid} cannot be entered")
        finally:
            os.close(opened)
        return ask()

    with ThreadPoolExecutor(1) as alone:  # the thread is in that network for good, so it ends
        return alone.submit(enter).result()


def is_own(pid: int) -> bool:
    """Whether a process is there and has another network than we."""
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    except OSError:
        return False


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=128)


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


@contextlib.contextmanager
def _relay(listener: socket.socket, connect: Connect) -> Iterator[None]:
    open_ones: set[socket.socket] = set()

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                near, _ = listener.accept()
                threading.Thread(target=join, args=(near,), daemon=True).start()

    def join(near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), connect() as far:
            pair = {near, far}
            open_ones.update(pair)
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()
            open_ones.difference_update(pair)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield
    finally:
        for one in (listener, *open_ones):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        accepting.join()
        listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Hands bytes on to their end, and then says that they have ended."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
