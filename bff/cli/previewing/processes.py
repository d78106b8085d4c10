"""The process of one function: started with its first request, ended with the preview."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bff import clock
from bff.cli.previewing.hosts import Host, Place

_LONGEST_START = 60.0
_LONGEST_STOP = 5.0


class DidNotStart(Exception):
    """A function whose process ended, or never listened."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A function's process. `at_once` is held while it is asked, where it takes one request at a time."""

    def __init__(
        self,
        host: Host,
        function: Path,
        build: Path,
        root: Path,
        port: int | None,
        environ: Mapping[str, str],
    ) -> None:
        """Raises OperatorError where the runtime of the host is not installed."""
        self.name = function.name
        self.at_once = threading.Lock()
        self._place = Place(function, build, root, port or free_port(), free_port())
        self._start = host.start(self._place)
        self._environ = {**environ, **self._start.environ}
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def port(self) -> int:
        """Where it listens, once it does; raises DidNotStart."""
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._run()
        return self._place.port

    def stop(self) -> None:
        """End it and what it has started: politely first, after some seconds for good."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LONGEST_STOP)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait(self) -> int:
        """Its status, when it has ended by itself."""
        assert self._process is not None, "it was started"
        return self._process.wait()

    def _run(self) -> None:
        begun = clock.monotonic()
        # Ctrl-C reaches the preview alone, which ends the others.
        self._process = subprocess.Popen(
            self._start.command, cwd=self._place.function, env=self._environ, start_new_session=True
        )
        while clock.monotonic() < begun + _LONGEST_START:
            if self._process.poll() is not None:
                raise DidNotStart(f"{self.name} ended with status {self._process.returncode}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._place.port), timeout=1):
                took = clock.monotonic() - begun
                print(f"{self.name}: started in {took:.1f} s", file=sys.stderr, flush=True)
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
        self.stop()
        raise DidNotStart(f"{self.name} does not listen after {_LONGEST_START:.0f} s")
