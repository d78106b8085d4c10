"""Somebody who uses the app, at the app itself and at functions of it, and what of two answers must be the same."""

from __future__ import annotations

import http.client
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from requests import PreparedRequest, Request

from tests.deploy.aws_events import HOST, VISITOR, Answer, Asked
from tests.servers import PATIENCE, ROOT

PICTURE = (ROOT / "clients/local/pictures/ada.png").read_bytes()
# What differs between two answers at any host: when, by whom, over which connection.
_APART = {"date", "server", "server-timing", "connection", "keep-alive", "transfer-encoding"}
_CHANGING = (
    (re.compile(rb'"\d{4}-\d\d-\d\d[ T][\d:.]+Z"'), b'"TIME"'),
    (re.compile(rb'"[a-z0-9]{15}"'), b'"ID"'),
    (re.compile(rb"_[a-z0-9]{10}\.png"), b"_FILE.png"),
    (re.compile(rb"person\d+@example.com"), b"MAIL"),
)
_numbers = itertools.count(1)
_addresses = itertools.count(1)


@dataclass
class Person:
    """A visitor of the resident app at this port, with the cookies that it has set.

    Each comes from an `address` of their own, since pages that anybody may ask for count by it.
    """

    port: int
    name: str = "Ada"
    email: str = field(default_factory=lambda: f"person{next(_numbers)}@example.com")
    cookies: dict[str, str] = field(default_factory=dict)
    id: str = ""
    address: str = field(default_factory=lambda: str(ip_address("10.0.0.0") + next(_addresses)))

    def request(self, method: str, path: str, query: str = "", **given: Any) -> Asked:
        """A request with this visitor's cookies; `given` is what requests takes: json, files, data, headers."""
        prepared: PreparedRequest = Request(method, f"http://{HOST}{path}", **given).prepare()
        headers = [(name, value) for name, value in prepared.headers.items() if name != "Content-Length"]
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        body = prepared.body or b""
        headers.append(("X-Request-ID", "the-same"))
        return Asked(method, path, query, tuple(headers), body.encode() if isinstance(body, str) else body)

    def ask(self, method: str, path: str, query: str = "", **given: Any) -> Answer:
        """What the resident app answers; its cookies are kept."""
        return self.send(self.request(method, path, query, **given))

    def send(self, asked: Asked) -> Answer:
        answer = at_the_app(self.port, asked, self.address)
        for cookie in answer.all("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_up(self) -> Person:
        answer = self.ask("POST", "/api/signup", json=self.account())
        assert answer.status == 201, answer.body
        self.id = json.loads(answer.body)["user"]["id"]
        return self

    def account(self) -> dict[str, str]:
        return {"name": self.name, "email": self.email, "password": "password-1"}

    def add_todo(self) -> str:
        answer = self.ask("POST", "/api/todos", json={"title": "Tea", "helper": self.id})
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["id"])

    def picture(self, method: str) -> Asked:
        own = {"id": self.id, "person": self.id} if method == "POST" else {}
        return self.request(
            method, "/api/picture", files={"file": ("picture.png", PICTURE, "image/png")}, data=own
        )

    def add_picture(self) -> str:
        answer = self.send(self.picture("POST"))
        assert answer.status == 200, answer.body
        return f"/api/people/{self.id}/picture/{json.loads(answer.body)['file']}"

    def somebody(self) -> Person:
        """Somebody new, who has no picture yet and never had one.

        PocketBase removes the files of a row some time after it has removed the row, by the row's id: those of a new
        row of the same id with them.
        """
        return Person(self.port).sign_up()


def at_the_app(port: int, asked: Asked, address: str = VISITOR) -> Answer:
    """What the app answers behind one proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.putrequest(
            asked.method,
            asked.path + (f"?{asked.query}" if asked.query else ""),
            skip_host=True,
            skip_accept_encoding=True,
        )
        forwarded = {"For": address, "Proto": "https", "Host": HOST}
        for name, value in [*asked.headers, ("Host", HOST), ("Content-Length", str(len(asked.body)))]:
            connection.putheader(name, value)
        for name, value in forwarded.items():
            connection.putheader(f"X-Forwarded-{name}", value)
        connection.endheaders(asked.body)
        response = connection.getresponse()
        headers = sorted((name.lower(), value) for name, value in response.getheaders())
        return Answer(response.status, tuple(headers), response.read())
    finally:
        connection.close()


def comparable(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without what two visits never share: times, ids of new rows, sealed cookies, and their hash."""
    body = answer.body
    for pattern, name in _CHANGING:
        body = pattern.sub(name, body)
    headers = []
    for name, value in answer.headers:
        if name == "set-cookie":
            value = _cookie(value)
        elif name == "location":
            value = re.sub(r"[a-z0-9]{15}", "ID", value)
        elif name == "etag" and body != answer.body:
            value = "HASH"
        if name not in _APART:
            headers.append((name, value))
    return answer.status, headers, body


def _cookie(value: str) -> str:
    value = re.sub(r"Expires=[^;]+", "Expires=TIME", re.sub(r"=[^;]+", "=SEALED", value, count=1))
    # A function of one page does not know for how long the others keep replies, and takes a day.
    return re.sub(r"Max-Age=\d+", "Max-Age=LIFE", value) if value.startswith("__Host-bff-written") else value


Visit = Callable[[Person], Asked]


def _about_a_todo(method: str, more: str = "", **given: Any) -> Visit:
    return lambda person: person.request(method, f"/api/todos/{person.add_todo()}{more}", **given)


def _of_a_picture(visit: Visit) -> Visit:
    """What the one who has a picture asks."""

    def made(person: Person) -> Asked:
        owner = person.somebody()
        owner.add_picture()
        return visit(owner)

    return made


VISITS: Mapping[str, Visit] = {
    "add_picture": lambda person: person.somebody().picture("POST"),
    "add_todo": lambda person: person.request("POST", "/api/todos", json={"title": "Tea 茶"}),
    "comment": _about_a_todo("POST", "/comments", json={"text": "With milk?"}),
    "edit_todo": _about_a_todo("PATCH", json={"title": "Green tea", "status": "done"}),
    "home": lambda person: person.request("GET", "/api/home", "q=e%26a&sort=title&per_page=5"),
    "login": lambda person: Person(person.port).request("POST", "/api/login", json=person.account()),
    "logout": lambda person: person.request("POST", "/api/logout"),
    "notices": lambda person: person.request("GET", "/api/notices"),
    "people": lambda person: person.request("GET", "/api/people", f"q={person.name}"),
    "picture": lambda person: person.request("GET", person.somebody().add_picture()),
    "remove_picture": _of_a_picture(lambda owner: owner.request("DELETE", "/api/picture")),
    "remove_todo": _about_a_todo("DELETE"),
    "remove_todos": lambda person: person.request(
        "POST", "/api/todos/remove", json={"ids": [person.add_todo()]}
    ),
    "replace_picture": _of_a_picture(lambda owner: owner.picture("PUT")),
    "signup": lambda person: Person(person.port).request(
        "POST", "/api/signup", json=Person(person.port, person.name).account()
    ),
    "stats": lambda person: person.request("GET", "/api/stats", "zone=Asia%2FShanghai"),
    "todo": _about_a_todo("GET"),
}
"""A good request of each page; what it is about is made anew each time."""
