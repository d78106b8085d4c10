"""What the pages of all peers in Python are made of: joins, written by hand, and who is signed in."""

from __future__ import annotations

import os
import time
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken

BACKEND = os.environ["BACKEND"]
SAME_WORK = os.environ["WORK"] == "same"
USER = "person-007"
DEADLINE, SESSION_TTL, COOKIE = 3.0, 8 * 3600, "session"

_fernet = Fernet(os.environ["SESSION_KEY"])


def seal(user: str) -> str:
    """A session as the value of a cookie, encrypted and authenticated."""
    plain = orjson.dumps({"user": user, "expires": int(time.time()) + SESSION_TTL})
    return _fernet.encrypt(plain).decode()


def opened(cookie: str | None) -> str | None:
    """Who is signed in; None where nobody is."""
    if not cookie:
        return None
    try:
        session = orjson.loads(_fernet.decrypt(cookie, ttl=SESSION_TTL))
    except (InvalidToken, ValueError):
        return None
    return session["user"] if session["expires"] > time.time() else None


def home_paths(user: str, me: Any) -> list[str]:
    """What is asked side by side as soon as it is known who asks."""
    return [f"/todos?owner={user}", f"/people?team={me['team']}", f"/notices/latest?locale={me['locale']}"]


def home(
    me: Any, todos: Any, people: Any, notice: Any, status: str = "all", limit: int = 100
) -> dict[str, Any]:
    names = {person["id"]: person["name"] for person in people}
    shown = [todo for todo in todos if status == "all" or todo["status"] == status][:limit]
    return {
        "name": me["name"],
        "open": sum(1 for todo in todos if not todo["done"]),
        "todos": [
            {
                "id": todo["id"],
                "title": todo["title"],
                "due": todo["due"],
                "helper": names.get(todo["helper_id"]),
            }
            for todo in shown
        ],
        "notice": notice["text"],
    }


def fan(replies: Any) -> dict[str, Any]:
    return {"values": [reply["value"] for reply in replies]}


def size(reply: Any) -> dict[str, Any]:
    items = reply["items"]
    return {
        "count": len(items),
        "open": sum(1 for item in items if not item["done"]),
        "titles": [item["title"] for item in items[:10]],
    }


def listed(todos: Any, helpers: Any) -> dict[str, Any]:
    names = {person["id"]: person["name"] for person in helpers}
    return {
        "todos": [
            {"id": todo["id"], "title": todo["title"], "helper": names.get(todo["helper_id"])}
            for todo in todos
        ]
    }


def log_line(route: str, status: int, begun: float) -> str:
    """One page's line; `begun` is time.perf_counter()."""
    line = {
        "time": time.time(),
        "route": route,
        "status": status,
        "ms": round((time.perf_counter() - begun) * 1000, 1),
    }
    return orjson.dumps(line).decode()
