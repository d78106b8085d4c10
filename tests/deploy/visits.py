"""Requests for every page of the app, and what of two answers must be the same wherever they come from."""

from __future__ import annotations

import http.client
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from tests.servers import PATIENCE

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02"
    "fe0def46b80000000049454e44ae426082"
)
# What a server says of itself and of this very request; cookies and lengths are looked at by themselves.
_NOT_COMPARED = {
    *("date", "server", "server-timing", "x-request-id", "connection", "keep-alive", "transfer-encoding"),
    *("set-cookie", "content-length"),
}
FORWARDED = (
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "todos.test"),
)


@dataclass(frozen=True)
class Asked:
    """One request, as a host hands it on."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back; headers in their order, a repeated one as often as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


Ask = Callable[[Asked], Answer]


def over_http(url: str) -> Ask:
    """Asks a server, and changes nothing of what is sent or what comes."""

    def ask(asked: Asked) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        try:
            headers = dict(asked.headers)
            if asked.body or asked.method in ("POST", "PUT", "PATCH"):
                headers["Content-Length"] = str(len(asked.body))
            connection.request(asked.method, asked.path, asked.body or None, headers)
            reply = connection.getresponse()
            return Answer(reply.status, tuple(reply.getheaders()), reply.read())
        finally:
            connection.close()

    return ask


@dataclass
class Visitor:
    """Somebody who keeps cookies, behind a proxy that says who they are."""

    send: Ask
    forwarded: tuple[tuple[str, str], ...] = FORWARDED
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: object = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        sent = [*self.forwarded, *headers]
        if self.cookies:
            sent.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None and not isinstance(body, bytes):
            sent.append(("Content-Type", "application/json"))
        answer = self.send(Asked(method, path, tuple(sent), raw))
        for text in answer.all("Set-Cookie"):
            for name, cookie in SimpleCookie(text).items():
                if cookie.value:
                    self.cookies[name] = cookie.value
                else:
                    self.cookies.pop(name, None)
        return answer


def answers_on(
    send: Ask,
    forwarded: tuple[tuple[str, str], ...] = FORWARDED,
    seen: Callable[[Answer], Answer] = lambda one: one,
) -> list[tuple[int, list[tuple[str, str]], list[str], bytes]]:
    """What a new visitor of every page is answered, as far as it must be the same everywhere, as `seen` sees it."""
    name = f"v{uuid.uuid4().hex[:9]}"
    return [compared(seen(answer), name) for answer in visit(send, name, forwarded)]


def visit(send: Ask, name: str, forwarded: tuple[tuple[str, str], ...] = FORWARDED) -> Iterator[Answer]:
    """Every page of the app, asked by a new visitor of that name; the same answers on every host."""
    visitor = Visitor(send, forwarded)
    ask = visitor.ask
    account = {"name": name, "email": f"{name}@example.com", "password": "password-1"}
    yield ask("GET", "/api/home")
    signed_up = ask("POST", "/api/signup", account)
    yield signed_up
    person = str(signed_up.json["user"]["id"])  # type: ignore[index]
    yield ask("POST", "/api/signup", account)
    yield ask("POST", "/api/login", {**account, "password": "another"})
    yield ask("POST", "/api/login", {"email": account["email"], "password": account["password"]})
    added = ask("POST", "/api/todos", {"title": "Tea 茶"}, (("Idempotency-Key", f"{name}-1"),))
    yield added
    todo = str(added.json["id"])
    yield from _reads(ask, todo, name)
    yield ask("PATCH", f"/api/todos/{todo}", {"note": "green"})
    yield ask("PATCH", f"/api/todos/{todo}", {})
    yield ask("POST", f"/api/todos/{todo}/comments", {"text": "good"}, (("Idempotency-Key", f"{name}-2"),))
    yield from _pictures(ask, person)
    yield ask("DELETE", f"/api/todos/{todo}")
    yield ask("POST", "/api/todos/remove", {"ids": [todo]})
    yield ask("POST", "/api/todos", b"{", (("Content-Type", "application/json"),))
    yield ask("POST", "/api/logout")
    yield ask("GET", "/api/stats")


def _reads(ask: Callable[..., Answer], todo: str, name: str) -> Iterator[Answer]:
    yield ask("GET", "/api/home?q=tea&sort=title&per_page=5")
    yield ask("GET", "/api/home?status=open&status=done")
    yield ask("GET", "/api/home?q=%E8%8C%B6%26%2B+x")
    yield ask("GET", "/api/home?page=none")
    yield ask("HEAD", "/api/home")
    yield ask("GET", "/api/stats", headers=(("Accept", "application/x-ndjson"),))
    yield ask("GET", "/api/notices")
    yield ask("GET", f"/api/people?q={name}")
    yield ask("GET", f"/api/todos/{todo}")
    yield ask("GET", f"/api/todos/{todo}/")
    yield ask("GET", "/api/todos/%E8%8C%B6")
    yield ask("GET", "/api/nothing")


def _pictures(ask: Callable[..., Answer], person: str) -> Iterator[Answer]:
    yield ask("POST", "/api/picture", *_multipart(id=person, person=person))
    people = ask("PUT", "/api/picture", *_multipart())
    yield people
    file = str(ask("GET", "/api/people").json["people"])
    found = re.search(rf"'id': '{person}'.*?'picture': '([^']+)'", file)
    assert found is not None, file
    yield ask("GET", f"/api/people/{person}/picture/{found[1]}")
    yield ask("DELETE", "/api/picture")


def _multipart(**fields: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """A picture in a form; its bytes are no text."""
    parts = [
        f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        b'--part\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\nContent-Type: image/png'
    )
    parts.append(head + b"\r\n\r\n" + PNG + b"\r\n--part--\r\n")
    return b"".join(parts), (("Content-Type", "multipart/form-data; boundary=part"),)


def compared(answer: Answer, name: str) -> tuple[int, list[tuple[str, str]], list[str], bytes]:
    """What must be the same: status, headers, cookies and body; values of cookies, ids and times of rows are not."""
    for length in answer.all("Content-Length"):
        assert not answer.body or int(length) == len(answer.body), answer
    headers = [
        (header.lower(), "…" if header.lower() == "etag" else _scrubbed(value, name))
        for header, value in answer.headers
        if header.lower() not in _NOT_COMPARED
    ]
    cookies = [_cookie(text) for text in answer.all("Set-Cookie")]
    body = answer.body if answer.body.startswith(PNG[:4]) else _scrubbed(answer.body.decode(), name).encode()
    return answer.status, sorted(headers), sorted(cookies), body


def _cookie(text: str) -> str:
    """A cookie without its value. How long that of own writes lives depends on which other pages the app knows of."""
    pair, *attributes = text.lower().split("; ")
    kept = sorted(one for one in attributes if not re.match("expires=|max-age=[1-9]", one))
    return "; ".join([pair.partition("=")[0], *kept])


def differences(there: Sequence[object], here: Sequence[object]) -> list[tuple[int, object, object]]:
    """The number of each answer that is not the same, with both."""
    pairs = enumerate(zip(there, here, strict=True))
    return [(number, one, other) for number, (one, other) in pairs if one != other]


def _scrubbed(text: str, name: str) -> str:
    text = text.replace(name, "NAME")
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\dZ]*", "TIME", text)
    text = re.sub(r"p[a-z0-9]{10}_[a-z0-9]{10}\.png", "FILE", text)
    text = re.sub(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "TIME", text)
    text = re.sub(r'"instance":\s*"[^"]+"', '"instance":"ID"', text)
    return re.sub(r"\b[a-z0-9]{15}\b", "ROW", text)
