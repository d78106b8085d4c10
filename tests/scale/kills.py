"""Instances that are killed, as hosts do that take back what they gave."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from dataclasses import dataclass

from tests.servers import PATIENCE, Layer


@dataclass(frozen=True, slots=True)
class Kill:
    """The instance on a port was killed, from when to when (seconds since 1970); then nobody was left to listen."""

    port: int
    begun: float
    ended: float


def kill(instance: Layer, hangs_for: float) -> Kill:
    """Kill an instance and its workers after it has hung for some seconds: so there is something that is cut."""
    assert instance.process is not None
    os.killpg(instance.process.pid, signal.SIGSTOP)
    threading.Event().wait(hangs_for)
    begun = time.time()
    instance.kill()
    until = time.monotonic() + PATIENCE
    while _listens(instance.port):
        assert time.monotonic() < until, f"somebody still listens on port {instance.port}"
        time.sleep(0.01)  # leaves the processor to what is ending
    return Kill(instance.port, begun, time.time())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
