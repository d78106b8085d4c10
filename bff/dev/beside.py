"""A second command that runs beside the server: `--run 'npm run dev'`."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

_GRACE = 5
"""Seconds that it has for its end, before it is killed."""


class Beside:
    """A shell line with all that it starts; `ended` hears of its status where it ends by itself."""

    def __init__(
        self,
        line: str,
        folder: Path,
        environ: Mapping[str, str],
        write: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        self._write = write
        self._ended = ended
        self._stopping = False
        self._process = subprocess.Popen(
            line,
            shell=True,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it ends whole, and hears no ctrl-C twice
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._reading = threading.Thread(target=self._read, name="bff-run-lines", daemon=True)
        self._reading.start()
        threading.Thread(target=self._wait, name="bff-run", daemon=True).start()

    def stop(self) -> None:
        """End it and all that it has started."""
        self._stopping = True
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.wait()
        self._reading.join(1)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:
                self._process.terminate()

    def _read(self) -> None:
        assert self._process.stdout is not None, "it is a pipe"
        for line in self._process.stdout:
            self._write(f"run | {line.rstrip()}")

    def _wait(self) -> None:
        status = self._process.wait()
        if not self._stopping:
            self._ended(status)
