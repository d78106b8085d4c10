"""One request for every page of the app that two instances of it answer alike, with what makes it possible first."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from tests.servers import PATIENCE, Visitor

ROOT = Path(__file__).resolve().parents[2]
PNG = (ROOT / "clients/local/pictures/ada.png").read_bytes()

# What tells of this answer alone, or of the connection that it came by.
_NOT_COMPARED = {"date", "server", "server-timing", "x-request-id", "connection", "keep-alive"}
_numbers = itertools.count(1)

Answer = tuple[int, bytes | str, dict[str, str]]
Ask = tuple[str, str, dict[str, Any]]


def account(url: str) -> Visitor:
    """Somebody new, who signed up at the app of this URL."""
    return Visitor(url).sign_up("Ann", f"person-of-boxes{next(_numbers)}@example.com")


def asked(visitor: Visitor, url: str, ask: Ask) -> Answer:
    """What an instance answers to this visitor: status, body, headers; cookies without their sealed values."""
    method, path, more = ask
    headers = {"X-Request-ID": "the-same-request", **more.get("headers", {})}
    more = {name: value for name, value in more.items() if name != "headers"}
    answer = requests.request(
        method, f"{url}{path}", headers=headers, cookies=visitor.session.cookies, timeout=PATIENCE, **more
    )
    kept = {name.lower(): value for name, value in answer.headers.items()}
    kept = {name: value for name, value in kept.items() if name not in _NOT_COMPARED}
    if "set-cookie" in kept:
        kept["set-cookie"] = re.sub(r"=[\w=-]{40,}", "=sealed", kept["set-cookie"])
        kept["set-cookie"] = re.sub(r"expires=[^;]*|Max-Age=\d+", "time", kept["set-cookie"], flags=re.I)
    return answer.status_code, answer.content, kept


def alike(answer: Answer, hidden: Mapping[str, str]) -> Answer:
    """An answer with what differs between two visitors, or two rows, replaced by what stands for it."""
    status, body, headers = answer
    for value, name in hidden.items():
        body = body.replace(value.encode(), name.encode()) if isinstance(body, bytes) else body
        headers = {key: text.replace(value, name) for key, text in headers.items()}
    if hidden:  # texts of other lengths than those that they stand for
        headers.pop("content-length", None)
        headers.pop("etag", None)
        body = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+Z", b"some time", body)  # type: ignore[arg-type]
    return status, body, headers


def _picture(visitor: Visitor) -> dict[str, Any]:
    return {"data": {"id": visitor.id, "person": visitor.id}, "files": {"file": ("me.png", PNG, "image/png")}}


def _file_of(visitor: Visitor) -> str:
    visitor.ask("POST", "/api/picture", **_picture(visitor))
    people = visitor.ask("GET", "/api/people").json()["people"]
    return next(str(person["picture"]) for person in people if person["id"] == visitor.id)


def _signup() -> Ask:
    body = {"name": "Bo", "email": f"person-of-boxes{next(_numbers)}@example.com", "password": "password-1"}
    return "POST", "/api/signup", {"json": body}


def _login() -> Ask:
    return "POST", "/api/login", {"json": {"email": "nobody@example.com", "password": "password-1"}}


KEY = str(uuid.uuid4())
TEXT = {"json": {"text": "Warm, not hot"}}

# What does not change anything, or only once: both instances are asked the very same by the very same visitor.
SAME: Mapping[str, Callable[[Visitor, str], Ask]] = {
    "add_todo": lambda ann, todo: (
        *("POST", "/api/todos"),
        {"json": {"title": "Tea"}, "headers": {"Idempotency-Key": f"{KEY}{ann.id}"}},
    ),
    "comment": lambda ann, todo: (
        *("POST", f"/api/todos/{todo}/comments"),
        {**TEXT, "headers": {"Idempotency-Key": f"{KEY}{ann.id}"}},
    ),
    "home": lambda ann, todo: ("GET", "/api/home?per_page=5", {}),
    "login": lambda ann, todo: _login(),
    "logout": lambda ann, todo: ("POST", "/api/logout", {}),
    "notices": lambda ann, todo: ("GET", "/api/notices", {}),
    "people": lambda ann, todo: ("GET", "/api/people?q=Ann", {}),
    "picture": lambda ann, todo: ("GET", f"/api/people/{ann.id}/picture/{_file_of(ann)}", {}),
    "stats": lambda ann, todo: ("GET", "/api/stats", {}),
    "todo": lambda ann, todo: ("GET", f"/api/todos/{todo}", {}),
}
# What can be done once: each instance is asked by somebody with rows of their own.
ONCE: Mapping[str, Callable[[Visitor, str], Ask]] = {
    "add_picture": lambda ann, todo: ("POST", "/api/picture", _picture(ann)),
    "edit_todo": lambda ann, todo: ("PATCH", f"/api/todos/{todo}", {"json": {"title": "Coffee"}}),
    "remove_picture": lambda ann, todo: ("DELETE", "/api/picture", {}),
    "remove_todo": lambda ann, todo: ("DELETE", f"/api/todos/{todo}", {}),
    "remove_todos": lambda ann, todo: ("POST", "/api/todos/remove", {"json": {"ids": [todo]}}),
    "replace_picture": lambda ann, todo: (
        *("PUT", "/api/picture"),
        {"files": {"file": ("me.png", PNG, "image/png")}},
    ),
    "signup": lambda ann, todo: _signup(),
}


def both(page: str, resident: str, built: str) -> tuple[Answer, Answer]:
    """What the resident app and an instance of a page answer."""
    if page in SAME:
        ann = account(resident)
        ask = SAME[page](ann, ann.add("Soup"))
        return asked(ann, resident, ask), asked(ann, built, ask)
    found = []
    for url in (resident, built):
        ann = account(resident)
        todo = ann.add("Soup")
        if page in ("remove_picture", "replace_picture"):
            _file_of(ann)
        ask = ONCE[page](ann, todo)
        answer = asked(ann, url, ask)
        hidden = {ann.id: "ann", todo: "todo"}
        if page == "signup":
            hidden[str(ask[2]["json"]["email"])] = "address"
            hidden |= {word: "id" for word in re.findall(r'"id":"(\w{15})"', answer[1].decode())}  # type: ignore[union-attr]
        hidden |= {word: "file" for word in re.findall(r"me\w+\.png", str(answer[1]))}
        found.append(alike(answer, hidden))
    return found[0], found[1]


def of_strangers(page: str, resident: str) -> Ask:
    """The request of a page that nobody who has not signed in may ask for; one that has too little where all may."""
    if page == "signup":
        return "POST", "/api/signup", {"json": {"name": "Bo"}}
    ann = account(resident)
    return {**SAME, **ONCE}[page](ann, ann.add("Soup"))
