"""An nginx of a test's own, as it stands before instances; what it passes on, and where, may change while it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import requests

from clients.local.pocketbase import free_port, start_child, stop_child
from tests.servers import PATIENCE, program

PASSES_ON = (
    "proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; "
    "proxy_max_temp_file_size 0;"
)
# For a configuration that changes: no connection is closed just when its visitor sends the next request.
KEEPS_NO_CONNECTION = "keepalive_timeout 0;"
_LINE = (
    '{"at": $msec, "took": $request_time, "method": "$request_method", "path": "$uri", "status": $status, '
    '"upstreams": "$upstream_addr", "heads": "$upstream_header_time", "complete": "$request_completion"}'
)
_CONFIG_ASKED_AT = "/.config"


class Nginx:
    """One worker on a free port; `log` gets a line of JSON for each request that is passed on.

    A configuration is what stands in `http` (upstreams, maps) and in its `server`.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "access.log"
        self._folder = folder
        self._config = folder / "nginx.conf"
        self._changes = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, http: str, server: str) -> None:
        """Start it, and wait until it answers."""
        self._write(http, server)
        command = [program("nginx"), "-p", str(self._folder), "-c", str(self._config)]
        self._process = start_child(command, stderr=subprocess.DEVNULL)
        self._wait()

    def change(self, http: str, server: str) -> None:
        """From the return of this on, new requests go by another configuration; those under way end by their own."""
        assert self._process is not None
        self._write(http, server)
        self._process.send_signal(signal.SIGHUP)
        self._wait()

    def stop(self) -> None:
        if self._process is not None:
            stop_child(self._process)

    def broken_off(self) -> list[str]:
        """What it says of answers that broke off; of a visitor who leaves in the middle of one it says nothing."""
        log = self._folder / "nginx.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if "upstream prematurely closed" in line]

    def _write(self, http: str, server: str) -> None:
        self._changes += 1
        folder = self._folder
        # Started by root, its workers would else be somebody who may not read or write a test's folders.
        user = "user root;" if os.geteuid() == 0 else ""
        beside = self._config.with_suffix(".new")
        beside.write_text(
            textwrap.dedent(f"""
            {user} daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
            events {{ worker_connections 1024; }}
            http {{
                log_format line escape=json '{_LINE}'; access_log off;
                client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                client_max_body_size 16m; client_body_buffer_size 16m;
                {http}
                server {{
                    listen 127.0.0.1:{self.port};
                    location = {_CONFIG_ASKED_AT} {{ return 200 "{self._changes}"; }}
                    {server}
                }}
            }}
            """)
        )
        beside.rename(self._config)

    def _wait(self) -> None:
        """Wait until the last configuration that was written is the one."""
        assert self._process is not None
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self._process.poll() is None, (self._folder / "nginx.log").read_text()
            with contextlib.suppress(requests.ConnectionError):
                answer = requests.get(f"{self.url}{_CONFIG_ASKED_AT}", timeout=PATIENCE)
                if answer.text == str(self._changes):
                    return
            time.sleep(0.01)
        raise AssertionError(f"nginx does not take it: {(self._folder / 'nginx.log').read_text()}")


@contextlib.contextmanager
def alternating(urls: Sequence[str], folder: Path) -> Iterator[str]:
    """The URL of an nginx that hands each request to the next of several instances."""
    servers = "".join(f"server {url.removeprefix('http://')} max_fails=0; " for url in urls)
    nginx = Nginx(folder)
    try:
        nginx.start(
            f"upstream layer {{ {servers} keepalive 32; }}",
            f'location / {{ proxy_pass http://layer; {PASSES_ON} proxy_set_header Connection "";'
            " proxy_next_upstream off; }",
        )
        yield nginx.url
    finally:
        nginx.stop()
