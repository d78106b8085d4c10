"""Stands in front of a backend and writes down what it is asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

_PASSED_ON = ("Authorization", "Content-Type")


@dataclass
class Recorder:
    """Where it answers, and what it was asked: methods and paths, with their queries in the order of their names."""

    port: int
    seen: list[str] = field(default_factory=list)


@contextlib.contextmanager
def recording(backend_port: int) -> Iterator[Recorder]:
    """A recorder in front of a backend of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A head and its body are two writes: the second would wait until the first is acknowledged.
        disable_nagle_algorithm = True

        def handle_one(self) -> None:
            recorder.seen.append(f"{self.command} {_ordered(self.path)}")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            connection = HTTPConnection("127.0.0.1", backend_port)
            with contextlib.closing(connection):
                connection.request(self.command, self.path, body or None, headers)
                reply = connection.getresponse()
                content = reply.read()
            self.send_response_only(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_one

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder = Recorder(server.server_port)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            serving.join()


def _ordered(target: str) -> str:
    parts = urlsplit(target)
    return " ".join((parts.path, *(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query)))))
