"""A PocketBase for development and tests: started, filled, paused and stopped from Python.

`running(directory, port)` keeps its rows in `directory`; `temporary()` forgets them.
Both bind to 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.local.binary import BackendError, checked_binary

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
ENVIRONMENT = LOCAL / "backend-venv"
MIGRATIONS = Path(__file__).resolve().parent / "migrations"
SUPERUSER = "admin@example.com"
START_SECONDS = 20.0
STOP_SECONDS = 5.0

# Neither a proxy of the environment nor a mock of `requests` may come between us and the local backend.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# The child of a killed parent would go on holding the port. Linux can end it with its parent, but only the
# child itself can ask for that, before it becomes the program.
_DIE_WITH_PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass
class Backend:
    """A PocketBase that answers at `url`; `token` is its superuser's."""

    url: str
    token: str
    password: str
    directory: Path
    process: subprocess.Popen[bytes]

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Any:
        """The decoded reply of one call as superuser; raises urllib's HTTPError outside 2xx."""
        return _call(method, f"{self.url}{path}", body, query, self.token)

    def add(self, collection: str, **fields: Any) -> dict[str, Any]:
        """The new row of a collection; a person gets a password that nobody knows."""
        if collection == "people" and "password" not in fields:
            password = secrets.token_urlsafe(24)
            fields = {**fields, "password": password, "passwordConfirm": password}
        row: dict[str, Any] = self.request("POST", f"/api/collections/{collection}/records", fields)
        return row

    def add_file(self, collection: str, field: str, file: Path, **fields: str) -> dict[str, Any]:
        """The new row of a collection with a file in one of its fields."""
        path = f"/api/collections/{collection}/records"
        row: dict[str, Any] = _call("POST", f"{self.url}{path}", _Form(fields, field, file), None, self.token)
        return row

    def rows(self, collection: str, **query: str | int) -> list[dict[str, Any]]:
        """Up to 500 rows of a collection."""
        path = f"/api/collections/{collection}/records"
        items: list[dict[str, Any]] = self.request("GET", path, query={"perPage": 500, **query})["items"]
        return items

    def pause(self) -> None:
        """Stops it from answering: connections are still taken, replies never come."""
        self.process.send_signal(signal.SIGSTOP)
        # The signal takes effect some time after it was sent; until then requests would still be answered.
        os.waitpid(self.process.pid, os.WUNTRACED)

    def resume(self) -> None:
        """Lets a paused backend go on."""
        self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running(directory: Path, port: int, password: str | None = None) -> Iterator[Backend]:
    """A migrated PocketBase on 127.0.0.1:`port` whose rows stay in `directory`; stopped at the end."""
    binary = checked_binary(ENVIRONMENT)
    require_free(port)
    password = password or secrets.token_urlsafe(24)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = [
        f"--dir={directory}",
        f"--migrationsDir={MIGRATIONS}",
        # The dashboard writes no migrations into the repository, the program looks for no files beside it.
        "--automigrate=false",
        f"--hooksDir={directory / 'no-hooks'}",
        f"--publicDir={directory / 'no-public'}",
    ]
    _create_superuser(binary, password, options)
    log = directory / "pocketbase.log"
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        command = [str(binary), "serve", f"--http=127.0.0.1:{port}", *options]
        process = start_child(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait_until_healthy(process, url, log)
        yield Backend(url, _sign_in(process, url, password, log), password, directory, process)
    finally:
        stop_child(process)


@contextlib.contextmanager
def temporary() -> Iterator[Backend]:
    """An empty, migrated PocketBase on a free port, in a folder that is removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="bff-backend-", ignore_cleanup_errors=True) as directory,
        running(Path(directory), free_port()) as backend,
    ):
        yield backend


_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, below those that systems give to outgoing connections.

    None is given twice, on Linux not by another process either: two servers that are about to start could both listen
    on one.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        if port in _given:
            continue
        with contextlib.suppress(BackendError):
            require_free(port)
            _claim(port)
            _given.add(port)
            return port


def _claim(port: int) -> None:
    """Tells other processes that this one has given a port, as long as it lives; BackendError where one has."""
    if sys.platform != "linux":
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        try:
            claim.bind(f"\0bff-port-{port}")  # no file: it ends with the process
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BackendError(f"port {port} is another process's") from None
            return
        claim.detach()


def require_free(port: int, variable: str | None = None) -> None:
    """Raises BackendError when somebody listens on the port; `variable` names the setting that changes it."""
    with socket.socket() as probe:
        # As servers do: an old connection of a server that has ended does not make its port taken.
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            cure = f", or choose another one: {variable}=… make run" if variable else ""
            raise BackendError(
                f"port {port} is taken ({exc.strerror or exc}): stop what listens there{cure}"
            ) from None


def start_child(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """A child in a process group of its own, so that ctrl-C reaches only us and we stop it in our order."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, *command]
    return subprocess.Popen(command, start_new_session=True, **options)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended, also where a signal may be raised as an error meanwhile.

    `poll` could be left then with its lock on the child taken, and who stops the child would wait for it for ever.
    """
    if os.name != "posix":
        return process.poll() is not None
    with contextlib.suppress(ChildProcessError):  # somebody has asked for its status
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return True


def stop_child(process: subprocess.Popen[bytes]) -> None:
    """Ends a child and its group: politely first, what is left after `STOP_SECONDS` for good."""
    if os.name != "posix":
        process.terminate()
        process.wait()
        return
    if process.poll() is None:
        _signal_group(process, signal.SIGCONT)
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _create_superuser(binary: Path, password: str, options: list[str]) -> None:
    done = subprocess.run(
        [str(binary), "superuser", "upsert", *options, "--", SUPERUSER, password],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BackendError(f"PocketBase could not open its folder: {said[-1] if said else 'no message'}")


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if has_ended(process):
            raise _ended(log)
        with contextlib.suppress(OSError):
            _call("GET", f"{url}/api/health")
            return
        time.sleep(0.02)
    raise BackendError(f"PocketBase did not answer within {START_SECONDS:g} s; its log is {log}")


def _ended(log: Path) -> BackendError:
    said = log.read_text(errors="replace").strip().splitlines()
    return BackendError(f"PocketBase ended at its start: {said[-1] if said else 'no message'}")


def _sign_in(process: subprocess.Popen[bytes], url: str, password: str, log: Path) -> str:
    path = "/api/collections/_superusers/auth-with-password"
    try:
        token: str = _call("POST", f"{url}{path}", {"identity": SUPERUSER, "password": password})["token"]
    except urllib.error.HTTPError as refused:
        refused.close()
        # Whoever took the port since it was looked at answers in the place of ours, which ends a moment later.
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if has_ended(process):
                raise _ended(log) from None
            time.sleep(0.02)
        raise BackendError(
            f"PocketBase does not take its own superuser's password ({refused.code}); its log is {log}"
        ) from None
    return token


@dataclass(frozen=True)
class _Form:
    """Texts and one file, as a browser's form sends them."""

    fields: Mapping[str, str]
    name: str
    file: Path

    @property
    def content_type(self) -> str:
        return "multipart/form-data; boundary=part-of-a-form"

    def encoded(self) -> bytes:
        start = 'Content-Disposition: form-data; name="'
        parts = [f'{start}{name}"\r\n\r\n{value}'.encode() for name, value in self.fields.items()]
        head = f'{start}{self.name}"; filename="{self.file.name}"\r\n\r\n'.encode()
        parts.append(head + self.file.read_bytes())
        return (
            b"".join(b"--part-of-a-form\r\n" + part + b"\r\n" for part in parts) + b"--part-of-a-form--\r\n"
        )


def _call(
    method: str,
    url: str,
    body: Mapping[str, Any] | _Form | None = None,
    query: Mapping[str, str | int] | None = None,
    token: str | None = None,
) -> Any:
    headers: dict[str, str] = {}
    data: bytes | None = None
    if isinstance(body, _Form):
        headers["Content-Type"], data = body.content_type, body.encoded()
    elif body is not None:
        headers["Content-Type"], data = "application/json", json.dumps(body).encode()
    if token:
        headers["Authorization"] = token
    request = urllib.request.Request(
        f"{url}?{urllib.parse.urlencode(query)}" if query else url,
        data=data,
        headers=headers,
        method=method,
    )
    with _opener.open(request, timeout=START_SECONDS) as reply:
        raw = reply.read()
    return json.loads(raw) if raw else None
