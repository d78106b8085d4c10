"""The backends of one test of a page: they answer what the test says and remember what they were asked.

There are two ways to the same answers. `Mocked` stands in front of stock requests with `responses`; `OnSockets` is a
server for each client, and what is asked comes over the wire, as in production.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests
import responses
from requests.structures import CaseInsensitiveDict

from bff.http import Client, way
from bff.testing.server import FakeBackend, Received, Script, Wire, answer, close, hang

CLIENTS = ("people", "todos", "notices")
HOSTS = {name: f"http://{name}.test" for name in CLIENTS}
"""Where the mocked backends are."""
_COLLECTIONS = "/api/collections/"
_SOON = 0.4
"""The seconds after which a slow backend on a real socket is given up, in place of the two or five of the app."""


class Trouble(Enum):
    """A body that does not come: in `answer(body=…)`."""

    DOWN = "no connection, or one that ends without a word"
    SLOW = "no answer in time"


@dataclass(frozen=True)
class Request:
    """What a client's backend was asked; `target` is the path with the query, as it came."""

    client: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def line(self) -> str:
        """`GET people: people/records`."""
        return f"{self.method} {self.client}: {urlsplit(self.target).path.removeprefix(_COLLECTIONS)}"

    def json(self) -> Any:
        """The body, without the id that is made of the request's key."""
        body = json.loads(self.body or b"null")
        key = self.headers.get("Idempotency-Key")
        if key is not None:
            assert body.pop("id") == id_of(key)
        return body


Asked: TypeAlias = tuple[str, dict[str, str], Any]
Reply: TypeAlias = tuple[int, dict[str, str], str]


class Way(Protocol):
    """How requests come to the backends, and answers back."""

    def asked(self) -> list[Request]:
        """All requests that came, in order."""

    def on(self, client: str, method: str, path: str, reply: Mapping[str, Any]) -> None:
        """Replies so from now on."""

    def on_each(self, client: str, path: str, reply: Callable[[Request], Reply]) -> None:
        """Replies to each GET with what the function says."""


class Backends:
    """`answer` says what a collection replies, `asked` what it was asked."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.request_id = secrets.token_hex(8)

    def answer(
        self, client: str, collection: str, method: str = "GET", at: str = "records", **reply: Any
    ) -> None:
        """Replies so from now on, in place of what was said before: status, json or body, content_type, headers."""
        self.answer_at(client, f"{_COLLECTIONS}{collection}/{at}", method, **reply)

    def answer_at(self, client: str, path: str, method: str = "GET", **reply: Any) -> None:
        """The same at any path."""
        self._way.on(client, method, path, reply)

    def answer_each(self, client: str, collection: str, reply: Callable[[Request], Reply]) -> None:
        """Replies to each GET with what the function says: the status, headers and text."""
        self._way.on_each(client, f"{_COLLECTIONS}{collection}/records", reply)

    def calls(self, collection: str = "") -> list[Request]:
        """The requests that this collection, or all backends, got in this test, in order."""
        # A request that the test before gave up may come late.
        mine = [one for one in self._way.asked() if one.headers["X-Request-ID"] == self.request_id]
        return [one for one in mine if not collection or one.target.startswith(_COLLECTIONS + collection)]

    def asked(self, collection: str = "") -> list[Asked]:
        """Requests as their line, query and JSON body, sorted."""
        return sorted(((call.line, call.query, call.json()) for call in self.calls(collection)), key=str)

    def keys(self, collection: str = "") -> set[str]:
        """The idempotency keys that came along."""
        return {call.headers["Idempotency-Key"] for call in self.calls(collection)}

    def tokens(self) -> set[str | None]:
        """Who the backends were told that asks."""
        return {call.headers.get("Authorization") for call in self.calls()}


def id_of(key: str) -> str:
    """The id of the row that a request with this key makes."""
    return hashlib.sha256(key.encode()).hexdigest()[:15]


class Mocked:
    """Behind stock requests, in this process."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self._mock = mock

    def asked(self) -> list[Request]:
        return [_mocked(call.request) for call in self._mock.calls]

    def on(self, client: str, method: str, path: str, reply: Mapping[str, Any]) -> None:
        reply = dict(reply)
        if isinstance(reply.get("body"), Trouble):
            reply["body"] = _raised(reply["body"])
        self._mock.upsert(method, HOSTS[client] + path, **reply)

    def on_each(self, client: str, path: str, reply: Callable[[Request], Reply]) -> None:
        url = HOSTS[client] + path
        self._mock.upsert(responses.CallbackResponse("GET", url, lambda request: reply(_mocked(request))))


def _raised(trouble: Trouble) -> requests.RequestException:
    if trouble is Trouble.DOWN:
        return requests.ConnectionError("secret.example refused")
    return requests.ReadTimeout("secret.example is slow")


def _mocked(request: requests.PreparedRequest) -> Request:
    url = urlsplit(str(request.url))
    [client] = [name for name, host in HOSTS.items() if host == f"{url.scheme}://{url.netloc}"]
    body = request.body or b""
    sent = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"".join(body)
    target = f"{url.path}?{url.query}" if url.query else url.path
    return Request(client, str(request.method), target, request.headers, sent)


class OnSockets:
    """A server for each client; `slow` is called with the URL of one that is told to be."""

    def __init__(self, servers: Mapping[str, Server], slow: Callable[[str], None]) -> None:
        self._slow = slow
        self._urls = {client: server.url for client, server in servers.items()}
        self._came: list[Request] = []
        self._scripts: dict[tuple[str, str], Script] = {}
        for client, server in servers.items():
            server.answers = self._answering(client)

    def asked(self) -> list[Request]:
        return list(self._came)

    def on(self, client: str, method: str, path: str, reply: Mapping[str, Any]) -> None:
        if reply.get("body") is Trouble.SLOW:
            self._slow(self._urls[client])
        self._scripts[client, f"{method} {path}"] = _script(reply)

    def on_each(self, client: str, path: str, reply: Callable[[Request], Reply]) -> None:
        def script(received: Received, wire: Wire) -> None:
            status, headers, text = reply(_received(client, received))
            answer(status, body=text.encode(), headers=headers)(received, wire)

        self._scripts[client, f"GET {path}"] = script

    def _answering(self, client: str) -> Callable[[Received], Script]:
        def script_of(received: Received) -> Script:
            self._came.append(_received(client, received))
            return self._scripts.get((client, f"{received.method} {received.path}"), close)

        return script_of


class Server(FakeBackend):
    """Its answers are those of the test that runs."""

    answers: Callable[[Received], Script]

    def script_of(self, received: Received) -> Script:
        return self.answers(received)


@contextmanager
def servers() -> Iterator[dict[str, Server]]:
    """One for each client."""
    with ExitStack() as stack:
        yield {client: stack.enter_context(Server()) for client in CLIENTS}  # type: ignore[misc]


def _received(client: str, received: Received) -> Request:
    return Request(
        client, received.method, received.target, CaseInsensitiveDict(received.headers), received.body
    )


def _script(reply: Mapping[str, Any]) -> Script:
    body = reply.get("body", b"")
    if body is Trouble.DOWN:
        return close
    if body is Trouble.SLOW:
        return hang
    told = body.encode() if isinstance(body, str) else body
    content = json.dumps(reply["json"]).encode() if "json" in reply else told
    headers = {"Content-Type": reply.get("content_type", "application/json"), **reply.get("headers", {})}
    return answer(reply.get("status", 200), body=content, headers=headers)


@contextmanager
def hurried(site: Any) -> Iterator[Callable[[str], None]]:
    """Gives what makes all that asks the backend at a URL give up soon; afterwards it waits as it did.

    Ways are made once, when a page is first asked for.
    """
    hurries: set[Client] = set()
    hurried: set[Client] = set()

    def timeout(of: way.Way) -> float:
        bound: float = vars(of)["timeout"]
        if of.client not in hurries:
            return bound
        hurried.add(of.client)
        return min(bound, _SOON)

    def hurry(url: str) -> None:
        hurries.update(client for client in site.clients.values() if client.url("") == url)

    def keep(of: way.Way, seconds: float) -> None:
        vars(of)["timeout"] = seconds

    with patch.object(way.Way, "timeout", property(timeout, keep), create=True):
        yield hurry
    assert hurried or not hurries, "time-outs are looked up elsewhere: the test waited as visitors do"
