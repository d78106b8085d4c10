"""The HTTP server in front of functions: it finds the function of a request's page, and asks it as its host does."""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bff.cli.previewing.gateway import Answer, Asked, Gateway, answer_of
from bff.cli.previewing.processes import DidNotStart, Process
from bff.plan.compiled import read_pages
from bff.web.routes import Routes

_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_PATIENCE = 120.0
_PIECE = 65536
# What is said of one connection, and not passed on.
_OF_ONE_CONNECTION = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
}
_JSON = (("content-type", "application/json"),)
_NOT_FOUND = Answer(404, _JSON, b'{"message":"Not Found"}')
_FAILED = Answer(502, _JSON, b'{"message":"Internal Server Error"}')


class Functions:
    """The functions of a build by the routes of their pages; one of no page's has what no page answers."""

    def __init__(self, functions: Mapping[Path, Process], *, rest: Process | None) -> None:
        routes: dict[str, list[tuple[str, Process]]] = {}
        for folder, process in functions.items():
            if process is rest and len(functions) > 1:
                continue
            for plan in read_pages(folder).plans.values():
                routes.setdefault(plan.recipe.method, []).append((plan.recipe.path, process))
        self.pages = sum(map(len, routes.values()))
        self._routes = {method: Routes(found) for method, found in routes.items()}
        self._rest = rest

    def of(self, method: str, path: str) -> Process | None:
        """The function that a request is for; for OPTIONS one that has any page at the path."""
        wanted = ["GET"] if method == "HEAD" else list(self._routes) if method == "OPTIONS" else [method]
        for one in wanted:
            if one in self._routes and (found := self._routes[one].find(path)) is not None:
                return found[0]
        return self._rest


class Door(ThreadingHTTPServer):
    """Answers for all functions, and with the files that stand beside them."""

    daemon_threads = True

    def __init__(self, port: int, functions: Functions, files: Path, *, by_events: bool) -> None:
        self.functions = functions
        self.files = files.resolve()
        self.by_events = by_events
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a visitor who has left."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Functions have lines of their own."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self._send(Answer(411, _JSON, b'{"message":"Length Required"}'))
            return
        body = self.rfile.read(int(length))
        asked = Asked(self.command, url.path, url.query, tuple(self.headers.items()), body)
        process = self.server.functions.of(self.command, unquote(url.path))
        if process is None:
            self._send(file_of(self.server.files, asked))
            return
        try:
            port = process.port()
        except DidNotStart as error:
            print(f"bff: {error}", file=sys.stderr, flush=True)
            self._send(_FAILED)
            return
        if self.server.by_events:
            with process.at_once:
                self._send(_by_event(port, self._gateway(), asked))
        else:
            self._pass_on(port, asked)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _gateway(self) -> Gateway:
        host = self.headers.get("Host") or "127.0.0.1"
        return Gateway(host, self.client_address[0], "http", str(self.server.server_port))

    def _pass_on(self, port: int, asked: Asked) -> None:
        """Ask a server as a proxy does, and hand on each piece as it comes."""
        query = f"?{asked.query}" if asked.query else ""
        with closing(HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
            connection.putrequest(asked.method, asked.path + query, skip_host=True, skip_accept_encoding=True)
            for name, value in self._gateway().forwarded(asked):
                if name not in _OF_ONE_CONNECTION and name != "content-length":
                    connection.putheader(name, value)
            connection.putheader("x-forwarded-host", self._gateway().host)
            if asked.body or asked.method in ("POST", "PUT", "PATCH"):
                connection.putheader("content-length", str(len(asked.body)))
            connection.endheaders(asked.body or None)
            try:
                response = connection.getresponse()
            except (OSError, HTTPException):
                self._send(_FAILED)
                return
            self._hand_on(response)

    def _hand_on(self, response: HTTPResponse) -> None:
        headers = [pair for pair in response.getheaders() if pair[0].lower() not in _OF_ONE_CONNECTION]
        has_length = any(name.lower() == "content-length" for name, _ in headers)
        is_empty = self.command == "HEAD" or response.status in (204, 304)
        self.send_response_only(response.status)
        for name, value in headers:
            self.send_header(name, value)
        if not (has_length or is_empty):
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in () if is_empty else _pieces(response):
            self.wfile.write(piece if has_length else b"%x\r\n%b\r\n" % (len(piece), piece))
        if not (has_length or is_empty):
            self.wfile.write(b"0\r\n\r\n")

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name != "content-length" and name not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body)


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(_PIECE):
        yield piece


def _by_event(port: int, gateway: Gateway, asked: Asked) -> Answer:
    """Ask a function by the event that API Gateway makes of a request."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        try:
            connection.request("POST", _INVOCATIONS, json.dumps(gateway.event(asked)))
            result = json.loads(connection.getresponse().read())
            return answer_of(result)
        except (OSError, HTTPException, ValueError, KeyError, AttributeError):
            return _FAILED


def file_of(folder: Path, asked: Asked) -> Answer:
    """A file of a folder, and its index.html for every path outside the API that is none."""
    is_read, is_api = asked.method in ("GET", "HEAD"), asked.path == "/api" or asked.path.startswith("/api/")
    if not is_read or is_api:
        return _NOT_FOUND
    for name in (unquote(asked.path).lstrip("/") or "index.html", "index.html"):
        with suppress(OSError, ValueError):
            path = (folder / name).resolve()
            if path.is_relative_to(folder) and path.is_file():
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                headers = (("content-type", kind), ("cache-control", "no-cache"))
                return Answer(200, headers, path.read_bytes())
    return _NOT_FOUND
